"""A day of a city through the whole chain: what its two benchmarks, run and replay, share."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from citynerve.demo.chain import CALM, Chain
from citynerve.demo.process import Process

_PATIENCE_S: Final = 600.0
_LOOK_S: Final = 0.1


@contextmanager
def centre(place: Path) -> Iterator[Chain]:
    """Broker, InfluxDB and stream of one's own, in an empty folder."""
    place.mkdir()
    with Chain(place, broker=None, database=None) as chain:
        chain.start_servers()
        chain.start_stream()
        yield chain
        chain.stop_chain(CALM)


def finish(process: Process, chain: Chain) -> float:
    """Wait until nodes have ended well, since all of theirs is committed; s of the clock."""
    began = time.monotonic()
    while process.poll() is None:
        for one in (*chain.processes, process):
            one.usage()
            assert one.poll() in {None, 0}, f"{one.name}: {one.tail()}"
        assert time.monotonic() < began + _PATIENCE_S, process.tail()
        time.sleep(_LOOK_S)
    assert process.code == 0, process.tail()
    return time.monotonic() - began


def end(chain: Chain) -> float:
    """End the stream, which writes its last roll-ups; s of the clock."""
    began = time.monotonic()
    chain.stop_chain(CALM)
    return time.monotonic() - began


def show(title: str, seconds: float, goal: float, figures: Mapping[str, str]) -> None:
    """Print what came of a day, whose all was committed after ``seconds``."""
    print(title)
    print(f"  until all committed  {seconds:8.1f} s (goal: below {goal:.0f} s)")
    for name, value in figures.items():
        print(f"  {name:<20} {value}")


def cpu(seconds: Mapping[str, float]) -> str:
    """CPU seconds by process, for people."""
    return ", ".join(f"{name} {spent:.1f} s" for name, spent in seconds.items())
