"""Roll-ups leave after the commit: the newest state of each, over restarts, and none uncounted."""

from collections.abc import Sequence

import msgspec
import numpy as np
import pytest

from citynerve.errors import ConfigError
from stream.block import Points
from stream.meters import Meters
from stream.rollup import BlockKey
from stream.sinks.outbox import OutboxPartition
from stream.sources.mqtt import Tick
from stream.sums import POINT

SHORT, LONG = BlockKey("centre", "speed", "1m", 0), BlockKey("centre", "speed", "10m", 0)
HEAD = "rollup,district=centre,property=speed,window="


class Written:
    """A server of two databases."""

    failures = 0

    def __init__(self) -> None:
        self.lines: list[tuple[str, str]] = []

    def write(self, database: str, lines: Sequence[str]) -> None:
        self.lines += [(database, line) for line in lines]

    def take(self) -> list[tuple[str, str]]:
        lines, self.lines = self.lines, []
        return lines


def outbox(written: Written, meters: Meters, state: bytes | None = None) -> OutboxPartition:
    return OutboxPartition(written, state, raw="raw", main="main", meters=meters)


def points(key: BlockKey, *counts: tuple[int, int]) -> Points:
    """For each start, so many datastreams of one reading of 1.0 each."""
    return Points(key, np.array([(at, n, 1.0, 1.0, 1.0, n) for at, n in counts], POINT))


def line(window: str, start: int, count: int) -> str:
    figures = f"count={count},mean=1.0,min=1.0,max=1.0,datastreams={count}"
    return f"{HEAD}{window} {figures} {start}000000"


def test_nothing_leaves_before_its_commit_and_then_the_newest() -> None:
    written, meters = Written(), Meters()
    box = outbox(written, meters)
    meters.add("rollup", "held", 4)
    box.write_batch([points(SHORT, (0, 1), (60_000, 1)), points(LONG, (0, 2))])
    box.write_batch([points(SHORT, (60_000, 2))])
    box.snapshot()
    assert written.take() == []
    box.write_batch([Tick.TICK, points(SHORT, (0, 9))])
    box.snapshot()
    assert sorted(written.take()) == [
        ("main", line("10m", 0, 2)),
        ("raw", line("1m", 0, 1)),
        ("raw", line("1m", 60_000, 2)),
    ]
    assert meters.get("rollup", "held") == 1
    box.write_batch([Tick.TICK])
    box.snapshot()
    assert written.take() == [("raw", line("1m", 0, 9))]
    assert meters.get("rollup", "held") == 0


def test_what_had_not_left_leaves_after_a_restart() -> None:
    before = outbox(Written(), Meters())
    before.write_batch([points(SHORT, (0, 1)), points(LONG, (0, 2))])
    state = before.snapshot()
    written, meters = Written(), Meters()
    box = outbox(written, meters, state)
    assert meters.get("rollup", "held") == 2
    box.write_batch([Tick.TICK])
    box.snapshot()
    assert sorted(written.take()) == [("main", line("10m", 0, 2)), ("raw", line("1m", 0, 1))]
    assert meters.get("rollup", "held") == 0


def test_an_outbox_of_the_format_before_is_let_out() -> None:
    old = [
        ("centre", "speed", window, start, 3, 1.0, 1.0, 1.0, 3)
        for window, start in (("1m", 0), ("1m", 60_000), ("10m", 128 * 600_000))
    ]
    written = Written()
    box = outbox(written, Meters(), msgspec.msgpack.encode([1, old, b""]))
    box.write_batch([Tick.TICK])
    box.snapshot()
    assert sorted(written.take()) == [
        ("main", line("10m", 128 * 600_000, 3)),
        ("raw", line("1m", 0, 3)),
        ("raw", line("1m", 60_000, 3)),
    ]


def test_an_outbox_of_another_version_is_refused() -> None:
    with pytest.raises(ConfigError, match="format 99"):
        outbox(Written(), Meters(), b"\x93\x63\x90\xc4\x00")
