"""Who is played, as whom, and what is said of it where the recording does not."""

import msgspec
import pytest

from citynerve.codec import encode
from citynerve.errors import ConfigError
from citynerve.messages import (
    AnomalyEvent,
    CameraAbout,
    Column,
    Crossing,
    PropertyAbout,
    SensorAbout,
)
from citynerve.topics import Topics
from simulators.recording.about import abouts
from simulators.recording.casting import Globs, Names, cast
from simulators.recording.reader import Source, Stored
from simulators.recording.survey import Survey
from tests.unit.recording.samples import NODE, T0, TERM, about, batch, hello, stored

OTHER = "cam-nw-01"
TOPICS = Topics()


def told(kind: str | None, topic: str, payload: bytes) -> Stored:
    return Stored(Source(topic, kind, topic.rpartition("/")[2], "json", ""), T0, payload)


def test_names_are_prefixed_or_given_one_by_one() -> None:
    names = Names(["lab-", f"{OTHER}=gate"])
    assert [names.of(NODE), names.of(OTHER)] == ["lab-node-0", "gate"]
    assert [names.prefix(NODE), names.prefix(OTHER)] == ["lab-", "gate-"]
    assert Names().of(NODE) == NODE


@pytest.mark.parametrize(
    ("rules", "problem"),
    [
        (["Lab_"], "name that is not allowed"),
        (["a" * 60], "name that is not allowed"),
        (["lab-", "b-"], "two prefixes"),
        (["nobody=x"], "no such node is played"),
        ([f"{OTHER}={NODE}"], "would both have this name"),
    ],
)
def test_names_that_cannot_be_are_refused(rules: list[str], problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        Names(rules).check([NODE, OTHER])


def two_nodes() -> Survey:
    camera = about("count", area="town/north/bridge")
    return Survey.of(
        [
            stored(hello(), 0),
            stored(batch(1), 1),
            stored(hello(node=OTHER, described=camera), 2, node=OTHER),
            stored(batch(1, [Column("s", "count", [T0], [3.0])], node=OTHER), 3, node=OTHER),
        ]
    )


def test_nodes_and_properties_are_chosen_by_patterns() -> None:
    survey = two_nodes()
    everything = cast(survey, nodes=Globs([]), properties=Globs([]), names=Names())
    assert [part.node for part in everything.parts] == [OTHER, NODE]
    cameras = cast(survey, nodes=Globs(["cam-*"]), properties=Globs([]), names=Names(["x-"]))
    assert [(part.node, part.name) for part in cameras.parts] == [(OTHER, f"x-{OTHER}")]
    (counting,) = cast(survey, nodes=Globs([]), properties=Globs(["co*"]), names=Names()).parts
    assert counting.node == OTHER
    (some,) = cast(survey, nodes=Globs(["node-?"]), properties=Globs(["a"]), names=Names()).parts
    assert [prop.name for prop in some.abouts[TERM].sensors[0].properties] == ["a"]


def test_where_nothing_is_left_the_reason_is_told() -> None:
    with pytest.raises(ConfigError, match="none of the recorded nodes is chosen"):
        cast(two_nodes(), nodes=Globs(["x"]), properties=Globs([]), names=Names())
    with pytest.raises(ConfigError, match="holds no observations"):
        cast(Survey.of([stored(hello(), 0)]), nodes=Globs([]), properties=Globs([]), names=Names())


def test_a_hello_that_is_missing_is_concluded_from_all_that_is_seen() -> None:
    gate = Crossing(id="c1", t=T0, camera="gate", line="in", cls="car", direction="left", track=1)
    columns = [Column("s", name, [T0], [1.0]) for name in ("pm25", "count", "mirrored", "odd")]
    anomaly = AnomalyEvent(
        id="x", node=NODE, sensor="s", property="pm25", district="north", kind="spike",
        severity=0.5, score=1.0, t=T0, value=9.0,
    )  # fmt: skip
    other = about(area="town/south/street")
    counted = SensorAbout("s", (PropertyAbout("count", "{vehicles}"),))
    survey = Survey.of(
        [
            stored(batch(1, columns, events=[gate]), 1),
            told("anomaly", TOPICS.anomaly("north", "pm25"), encode(anomaly)),
            told(None, TOPICS.last(NODE, "s", "mirrored"), b'{"t": 1, "v": 2.0, "unit": "lx"}'),
            stored(
                hello(node=OTHER, described=msgspec.structs.replace(other, sensors=(counted,))),
                2,
                node=OTHER,
            ),
        ]
    )
    found, built = abouts(survey, NODE)
    assert built == 1
    units = {prop.name: prop.unit for prop in found[TERM].sensors[0].properties}
    assert units == {"pm25": "ug/m3", "count": "{vehicles}", "mirrored": "lx", "odd": "1"}
    assert found[TERM].area == "town/north"
    assert found[TERM].cameras == (CameraAbout("gate", lines=("in",)),)
    survey.nodes[NODE].district = ""
    assert abouts(survey, NODE)[0][TERM].area == "unknown/unknown"
    assert abouts(survey, NODE, area="lab/bench")[0][TERM].area == "lab/bench"


def test_another_hello_of_the_node_is_better_than_none() -> None:
    later = 5 << 32 | 1
    known = about("a", area="town/centre/hall")
    survey = Survey.of(
        [
            stored(batch(1, [Column("s", "new", [T0], [1.0])]), 1),
            stored(hello(later, described=known), 2),
            stored(batch(1, term=later), 3),
        ]
    )
    found, built = abouts(survey, NODE)
    assert built == 1
    assert found[later] == known
    assert found[TERM].area == known.area
    assert [prop.name for prop in found[TERM].sensors[0].properties] == ["a", "new"]
