"""Pictures, rejections, figures and patient writes, without their servers."""

import re
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citynerve.errors import UnavailableError
from citynerve.influx import Influx, WriteRejected
from citynerve.messages import Evidence, Rejected
from citynerve.mqtt import LinkCounters
from citynerve.topics import Topics
from stream.lane.output import Picture
from stream.meters import Meters
from stream.reporter import Reporter, figure_lines
from stream.sinks.database import BLOCK_LINES, Database, Stopped
from stream.sinks.evidence import EvidencePartition
from stream.sinks.rejections import Rejections, line


def rejected(reason: str = "json", node: str | None = "a", count: int = 1) -> Rejected:
    return Rejected(
        reason=reason, detail="why", topic="t", sent=1_700_000_000_000, node=node, count=count
    )


def test_a_flood_is_told_as_one_with_its_count() -> None:
    rejections = Rejections(Meters())
    for _ in range(500):
        rejections.add(rejected())
    rejections.add(rejected(node="b", count=3))
    assert [(told.node, told.count) for told in rejections.take()] == [("a", 500), ("b", 3)]
    assert rejections.take() == []


def test_too_many_different_ones_are_still_counted() -> None:
    meters = Meters()
    rejections = Rejections(meters)
    for number in range(5_000):
        rejections.add(rejected(node=f"node-{number}"))
    told = rejections.take()
    assert len(told) == 1001
    assert sum(one.count for one in told) == 5_000
    assert meters.get("rejected", "json") == 5_000


def test_a_sample_cannot_break_the_line() -> None:
    nasty = Rejected(
        reason="js on,x=y", detail='say "no"\n', topic="t", sent=5, sample="\\\x00,= \n end\\"
    )
    text = line(nasty)
    assert "\n" not in text
    assert text.startswith('rejected,reason=js_on_x_y count=1,sample="t: say \\"no\\"')
    assert re.fullmatch(r'[^"]*"(?:[^"\\]|\\.)*" \d+', text)


def test_two_nodes_in_one_millisecond_are_two_points() -> None:
    stamps = {line(rejected(node=f"node-{n}")).rpartition(" ")[2] for n in range(50)}
    assert len(stamps) == 50
    assert all(stamp.startswith("1700000000000") for stamp in stamps)


def test_figures_are_floats_by_part() -> None:
    figures = {"lane": {"batches": 3, "observations": 10.5}, "empty": {}}
    assert figure_lines("s", figures, 7) == [
        "stream,stream=s,part=lane batches=3.0,observations=10.5 7000000"
    ]


def test_a_folder_that_cannot_be_written_holds_back_until_the_process_ends(tmp_path: Path) -> None:
    stopping = threading.Event()
    stopping.set()
    meters = Meters()
    partition = EvidencePartition(tmp_path / "gone", meters=meters, stopping=stopping)
    with pytest.raises(Stopped):
        partition.write_batch([[Picture("n", Evidence(id="x", t=0, camera="c", jpeg=b"j"))]])
    assert meters.get("evidence", "retries") == 1


def test_a_picture_written_again_is_one_file(tmp_path: Path) -> None:
    partition = EvidencePartition(tmp_path, meters=Meters(), stopping=threading.Event())
    picture = Picture("n", Evidence(id="x", t=0, camera="c", jpeg=b"j" * 1000))
    partition.write_batch([[picture], [picture]])
    partition.snapshot()
    assert written(tmp_path) == {"n.x.jpg": b"j" * 1000}


def test_pictures_of_two_nodes_with_one_id_are_two_files(tmp_path: Path) -> None:
    partition = EvidencePartition(tmp_path, meters=Meters(), stopping=threading.Event())
    for node, jpeg in (("a", b"of a"), ("b", b"of b"), ("a-b", b"of a-b")):
        partition.write_batch([[Picture(node, Evidence(id="shot", t=0, camera="c", jpeg=jpeg))]])
    partition.snapshot()
    assert written(tmp_path) == {
        "a.shot.jpg": b"of a",
        "b.shot.jpg": b"of b",
        "a-b.shot.jpg": b"of a-b",
    }


def written(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


class Picky:
    """A server that takes all of a write or nothing, and never takes some lines."""

    def __init__(self, bad: set[str], *, names_them: bool, down: int = 0) -> None:
        self.bad = bad
        self.names_them = names_them
        self.down = down
        self.stored: list[str] = []
        self.longest = 0

    def write(self, database: str, lines: Sequence[str]) -> None:
        self.longest = max(self.longest, len(lines))
        if self.down:
            self.down -= 1
            raise UnavailableError("InfluxDB", where="here", problem="HTTP 503")
        named = [text for text in lines if text in self.bad]
        if named:
            said = f"unable to parse '{named[0]}': bad" if self.names_them else "conflict"
            raise WriteRejected(database, lines, said)
        self.stored += lines


def database(server: Picky, refused: list[str], stopping: threading.Event) -> Database:
    return Database(
        lambda: cast("Influx", server),
        refused=lambda text, _: refused.append(text),
        meters=Meters(),
        stopping=stopping,
    )


@given(st.integers(0, 60), st.sets(st.integers(0, 59)), st.booleans())
def test_only_what_is_refused_is_not_stored(size: int, bad: set[int], names_them: bool) -> None:  # noqa: FBT001
    lines = [f"m v={i}" for i in range(size)]
    wrong = {lines[i] for i in bad if i < size}
    server, refused = Picky(wrong, names_them=names_them), list[str]()
    database(server, refused, threading.Event()).write("main", lines)
    assert sorted(refused) == sorted(wrong)
    assert sorted(server.stored) == sorted(set(lines) - wrong)


class Forgetful(Picky):
    """A server that stores what lies within its retention, and counts the rest."""

    def __init__(self, since: int) -> None:
        super().__init__(set(), names_them=False)
        self.since = since
        self.writes = 0

    def write(self, database: str, lines: Sequence[str]) -> None:
        self.writes += 1
        fresh = [text for text in lines if int(text.rpartition(" ")[2]) >= self.since]
        self.stored += fresh
        if len(fresh) < len(lines):
            said = "partial write: points beyond retention policy dropped="
            raise WriteRejected(database, lines, f"{said}{len(lines) - len(fresh)}")


def test_a_node_whose_clock_is_years_behind_costs_no_request_a_line() -> None:
    lines = [f"m v={i} {(i * 7919) % BLOCK_LINES}" for i in range(BLOCK_LINES)]
    server, refused = Forgetful(2_000), list[str]()
    database(server, refused, threading.Event()).write("raw", lines)
    assert set(refused) == {text for text in lines if int(text.rpartition(" ")[2]) < 2_000}
    assert len(refused) == 2_000
    assert set(server.stored) == set(lines) - set(refused)
    assert server.writes == 2


def test_blocks_are_bounded_and_trouble_is_waited_out() -> None:
    lines = [f"m v={i}" for i in range(2 * BLOCK_LINES + 1)]
    server = Picky(set(), names_them=False, down=2)
    database(server, [], threading.Event()).write("main", lines)
    assert server.stored == lines
    assert server.longest == BLOCK_LINES


def test_the_end_of_the_process_ends_the_waiting() -> None:
    stopping = threading.Event()
    stopping.set()
    server = Picky(set(), names_them=False, down=10)
    with pytest.raises(Stopped):
        database(server, [], stopping).write("main", ["m v=1"])
    assert server.stored == []


class Unwilling:
    """A server that never takes one of the lines that it is sent."""

    def __init__(self) -> None:
        self.writes: list[list[str]] = []

    def write(self, database: str, lines: Sequence[str]) -> None:
        self.writes.append(list(lines))
        if any("reason=bad" in text for text in lines):
            raise WriteRejected(database, lines, "partial write: field type conflict dropped=1")


class Nowhere:
    """Stands where the link is, without a connection."""

    counters = LinkCounters()

    def publish(self, *_: object, **__: object) -> None:
        """Nothing leaves."""


def test_what_is_refused_does_not_stand_before_what_follows() -> None:
    server, meters = Unwilling(), Meters()
    rejections = Rejections(meters)
    reporter = Reporter(
        "store",
        lambda: cast("Influx", server),
        "main",
        publisher=Nowhere(),
        topics=Topics(),
        meters=meters,
        rejected=rejections,
        clock=lambda: 1_700_000_000_000,
    )
    rejections.add(rejected(reason="bad"))
    reporter.start()
    until(lambda: meters.get("reporter", "lines_refused"), "refused", 20)
    rejections.add(rejected(reason="good"))
    until(lambda: "reason=good" in str(server.writes[-1]), "told", 20)
    reporter.stop(5)
    assert "reason=bad" not in str(server.writes[-1])


def until(ask: Callable[[], object], what: str, timeout: float) -> None:
    deadline = time.monotonic() + timeout
    while not ask():
        assert time.monotonic() < deadline, what
        time.sleep(0.01)
