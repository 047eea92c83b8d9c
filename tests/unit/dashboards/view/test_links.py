import pytest

from dashboards.queries import ALL, Choice
from dashboards.view import text
from dashboards.view.frames import Field, FieldConfig, Frame, Link
from dashboards.view.links import is_safe, links
from dashboards.view.spans import Window
from dashboards.view.variables import Variable

VARIABLES = [
    Variable(name="node", label="Node", kind="query", multi=True),
    Variable(name="window", label="Window", kind="custom"),
    Variable(name="root", label="Root", kind="constant", query="x"),
]
CHOSEN: dict[str, Choice] = {"node": ("a b", "c"), "window": "1m", "root": "x"}
WINDOW = Window("now-6h", "now")


@pytest.mark.parametrize(
    ("given", "put_in"),
    [
        ("$node in $window", "a b + c in 1m"),
        ("${node} $nodes ${gone}", "a b + c $nodes ${gone}"),
        ("${node:queryparam}", "var-node=a%20b&var-node=c"),
        ("${node:csv} ${node:pipe} ${node:raw}", "a b,c a b|c a b,c"),
        ("${node:regex}", "(a b|c)"),
        ("${node:json}", '["a b", "c"]'),
        ("${node:singlequote} ${node:doublequote}", "'a b','c' \"a b\",\"c\""),
        ("${node:percentencode}", "%7Ba%20b%2Cc%7D"),
        ("${node:glob} ${window:glob}", "{a b,c} 1m"),
        ("${__url_time_range}", "from=now-6h&to=now"),
        ("${__all_variables}", "var-node=a%20b&var-node=c&var-window=1m"),
        ("${__from}..${__to}", "now-6h..now"),
        ("${window}的$window平均值", "1m的1m平均值"),
        ("no names, 5 $ each", "no names, 5 $ each"),
    ],
)
def test_variables_in_texts(given: str, put_in: str) -> None:
    assert text.interpolated(given, VARIABLES, CHOSEN, WINDOW) == put_in


def test_all_is_called_so_for_people_and_kept_in_addresses() -> None:
    everything: dict[str, Choice] = {"node": ALL}
    assert text.interpolated("$node", VARIABLES, everything) == "All"
    link = text.interpolated("${node:queryparam}", VARIABLES, everything)
    assert link == "var-node=%24__all"


FRAME = Frame(
    ref="A",
    fields=[
        Field(name="Time", kind="time", values=[1_700_000_000_000], config=FieldConfig(unit="x")),
        Field(name="node", kind="string", values=["n/1&x"]),
        Field(
            name="speed",
            kind="number",
            values=[51.26],
            labels={"district": "old town"},
            config=FieldConfig(unit="velocitykmh", decimals=1, display_name="Speed"),
        ),
        Field(name="gone", kind="number", values=[None]),
    ],
)


def url(link: str, field: int = 2) -> str:
    FRAME.fields[field].config.links = (Link("Open ${__data.fields.node}", link),)
    (made,) = links(FRAME.fields[field], FRAME, 0, VARIABLES, CHOSEN, WINDOW)
    assert made.title == "Open n/1&x"
    return made.url


@pytest.mark.parametrize(
    ("link", "made"),
    [
        (
            "/d/x?var-node=${__data.fields.node}&${__url_time_range}",
            "/d/x?var-node=n%2F1%26x&from=now-6h&to=now",
        ),
        ('/d/x?n=${__data.fields["node"]}', "/d/x?n=n%2F1%26x"),
        ("/d/x?n=${__data.fields[1]}", "/d/x?n=n%2F1%26x"),
        ("/d/x?v=${__data.fields.speed}", "/d/x?v=51.3%20km%2Fh"),
        ("/d/x?v=${__data.fields.Speed.numeric}", "/d/x?v=51.26"),
        ("/d/x?v=${__data.fields.gone}", "/d/x?v="),
        ("/d/x?v=${__data.fields.never}", "/d/x?v=${__data.fields.never}"),
        ("/d/x?v=${__value.raw}&t=${__value.time}", "/d/x?v=51.26&t=1700000000000"),
        ("/d/x?v=${__value.text:raw}", "/d/x?v=51.3 km/h"),
        ("/d/x?f=${__field.name}&d=${__field.labels.district}", "/d/x?f=Speed&d=old%20town"),
        ("/d/x?${node:queryparam}&w=$window", "/d/x?var-node=a%20b&var-node=c&w=1m"),
        ("/d/x?${__all_variables}", "/d/x?var-node=a%20b&var-node=c&var-window=1m"),
    ],
)
def test_a_link_carries_the_row(link: str, made: str) -> None:
    assert url(link) == made


@pytest.mark.parametrize(
    ("link", "safe"),
    [
        ("/d/x", True),
        ("https://example.org/", True),
        ("d/x?y", True),
        ("javascript:alert(1)", False),
        (" JavaScript:alert(1)", False),
        ("data:text/html,x", False),
        ("java\nscript:alert(1)", False),
        ("http://[", False),
    ],
)
def test_a_link_that_runs_a_script_is_left_out(link: str, *, safe: bool) -> None:
    assert is_safe(link.strip()) is safe
    FRAME.fields[1].config.links = (Link("x", link),)
    assert bool(links(FRAME.fields[1], FRAME, 0, VARIABLES, CHOSEN, WINDOW)) is safe
