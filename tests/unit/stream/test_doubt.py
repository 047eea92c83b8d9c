"""What a late request may overwrite is written again, as it stood last, once none can come."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citynerve.errors import ConfigError
from stream.sinks.doubt import DOUBT_S, CarefulWriter

OBSERVATION = "observation,node=a value=1 5"


def rollup(count: int, at: int = 7) -> str:
    return f'rollup,district=d count={count},note="a b" {at}'


class Server:
    """Holds points as InfluxDB does; requests in ``held`` arrive when it is told so."""

    def __init__(self) -> None:
        self.failures = 0
        self.points: dict[tuple[str, str, str], str] = {}
        self.held: list[tuple[str, Sequence[str]]] = []
        self.hold_next = False
        self.now = 100.0

    def write(self, database: str, lines: Sequence[str]) -> None:
        if self.hold_next:
            self.hold_next = False
            self.held.append((database, list(lines)))
            self.failures += 1
        self.store(database, lines)

    def store(self, database: str, lines: Sequence[str]) -> None:
        for line in lines:
            self.points[database, line.split(" ")[0], line.split(" ")[-1]] = line

    def release(self) -> None:
        for database, lines in self.held:
            self.store(database, lines)
        self.held.clear()

    def careful(self, state: bytes | None = None, *, doubtful: bool = False) -> CarefulWriter:
        return CarefulWriter(self, state, doubtful=doubtful, monotonic=lambda: self.now)


def test_a_late_request_is_made_good() -> None:
    server = Server()
    writer = server.careful()
    server.hold_next = True
    writer.write("main", [rollup(1), OBSERVATION])
    writer.write("main", [rollup(2)])
    server.now += DOUBT_S - 1
    server.release()
    assert list(server.points.values()) == [rollup(1), OBSERVATION]
    writer.settle()
    assert rollup(1) in server.points.values()
    server.now += 1
    writer.settle()
    assert list(server.points.values()) == [rollup(2), OBSERVATION]


def test_without_a_failure_nothing_is_written_again() -> None:
    server = Server()
    writer = server.careful()
    writer.write("main", [rollup(1)])
    server.points.clear()
    server.now += 2 * DOUBT_S
    writer.settle()
    assert server.points == {}


def test_what_never_changes_is_not_remembered() -> None:
    server = Server()
    writer = server.careful(doubtful=True)
    before = writer.state()
    writer.write("main", [OBSERVATION])
    assert writer.state() == before


def test_a_failure_while_it_settles_keeps_the_doubt() -> None:
    server = Server()
    writer = server.careful()
    server.hold_next = True
    writer.write("main", [rollup(1)])
    server.now += DOUBT_S
    server.hold_next = True
    writer.settle()
    writer.write("main", [rollup(2)])
    server.release()
    server.now += DOUBT_S
    writer.settle()
    assert list(server.points.values()) == [rollup(2)]


@given(st.lists(st.sampled_from(["write", "hold", "kill", "release", "settle"]), max_size=40))
def test_the_last_state_stands_in_the_end(steps: list[str]) -> None:
    """Requests come late by less than the doubt; processes die between two of their writes."""
    server = Server()
    writer = server.careful()
    held_at = 0.0
    newest: dict[int, int] = {}
    for count, step in enumerate(steps):
        at = count % 3
        match step:
            case "write" | "hold":
                server.hold_next = step == "hold"
                held_at = server.now if step == "hold" and not server.held else held_at
                writer.write("main", [rollup(count, at)])
                newest[at] = count
            case "kill":
                writer = server.careful(writer.state(), doubtful=True)
            case "release":
                server.release()
            case "settle":
                writer.settle()
        server.now += 5
        if server.held and server.now - held_at >= DOUBT_S - 5:
            server.release()
    server.release()
    server.now += DOUBT_S
    writer.settle()
    assert server.points == {
        ("main", "rollup,district=d", str(at)): rollup(count, at) for at, count in newest.items()
    }


def test_a_state_of_another_format_is_refused() -> None:
    with pytest.raises(ConfigError, match="format 9"):
        CarefulWriter(Server(), b"\x92\x09\x90")
