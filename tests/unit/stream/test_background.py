"""Writes beside the flow: in order, bounded, and none is forgotten."""

import threading
from collections.abc import Sequence

import pytest

from stream.sinks.background import Background
from stream.sinks.doubt import CarefulWriter


class Slow:
    """A writer that writes when it is let."""

    failures = 0

    def __init__(self) -> None:
        self.let = threading.Semaphore(0)
        self.written: list[tuple[str, list[str]]] = []

    def write(self, database: str, lines: Sequence[str]) -> None:
        assert self.let.acquire(timeout=60)
        self.written.append((database, list(lines)))


def test_what_was_handed_over_is_written_in_order_when_it_has_finished() -> None:
    slow = Slow()
    background = Background(CarefulWriter(slow))
    background.write("raw", ["a"])
    background.write("main", ["b"])
    assert slow.written == []
    slow.let.release(2)
    background.finish()
    assert slow.written == [("raw", ["a"]), ("main", ["b"])]
    background.finish()


def test_a_third_write_waits_for_the_first() -> None:
    slow = Slow()
    background = Background(CarefulWriter(slow))
    handed = threading.Event()

    def hand_over() -> None:
        for number in range(3):
            background.write("raw", [str(number)])
        handed.set()

    thread = threading.Thread(target=hand_over)
    thread.start()
    # Nothing is written yet, so that the third cannot have been taken.
    assert not handed.wait(0.1)
    slow.let.release()
    assert handed.wait(60)
    assert len(slow.written) >= 1
    slow.let.release(2)
    thread.join()
    background.finish()
    assert [lines for _, lines in slow.written] == [["0"], ["1"], ["2"]]


class Broken:
    """A writer that cannot."""

    failures = 0

    def write(self, database: str, lines: Sequence[str]) -> None:
        raise OSError(f"{database} {len(lines)}")


def test_what_a_write_ended_with_is_told_to_who_waits_for_it() -> None:
    background = Background(CarefulWriter(Broken()))
    background.write("raw", ["a"])
    with pytest.raises(OSError, match="raw 1"):
        background.finish()
    background.write("raw", [])
    background.write("raw", [])
    with pytest.raises(OSError, match="raw 0"):
        background.write("raw", [])
