"""How a running fleet is: a line for people, a struct for programs."""

import resource
import time
from collections import deque
from datetime import UTC, datetime
from typing import Final

from msgspec import structs

from citynerve.clock import now_ms
from citynerve.parameters import Speed
from simulators.fleet.fleet import Figures
from simulators.fleet.run import Run

_LATE: Final = 500
_RATE_OVER: Final = 10
"""Samples that a rate is taken over; one a second."""


class State(Figures, frozen=True, kw_only=True):
    """A fleet's figures at a moment.

    ``at``: ms since 1970 UTC. ``running``: False once it has ended. ``simulated``: how far
    simulated time has come, ms since 1970 UTC; None at speed ``max``. ``rate``: observations a
    second, lately. ``seconds``, ``cpu_seconds``: since its start. ``memory``: peak of its resident
    memory, bytes.
    """

    at: int
    running: bool
    rate: float
    simulated: int | None
    seconds: float
    cpu_seconds: float
    memory: int

    def line(self) -> str:
        """For people."""
        parts = [
            f"{self.seconds:5.0f} s",
            "" if self.simulated is None else f"{_moment(self.simulated)} UTC",
            f"nodes {self.connected}/{self.nodes} online",
            f"{self.started - self.nodes:+d} to start" if self.started < self.nodes else "",
            f"{self.finished} done" if self.finished else "",
            f"{self.failed} BROKEN" if self.failed else "",
            f"observations {self.observations:,} ({self.rate:,.0f}/s)",
            f"unsent batches {self.unsent:,}",
            f"{self.late} ms late" if self.late > _LATE else "",
            f"CPU {self.cpu_seconds / max(self.seconds, 0.1):.0%}",
        ]
        return "  ".join(part for part in parts if part)


class Gauge:
    """Makes states of a fleet.

    Args:
        run: What it simulates.
        speed: Simulated over real time.
    """

    def __init__(self, run: Run, speed: Speed) -> None:
        self._run = run
        self._speed = speed
        self._began = time.monotonic()
        self._samples: deque[tuple[float, int]] = deque(maxlen=_RATE_OVER)

    def read(self, figures: Figures, *, running: bool) -> State:
        """The state now; called about once a second."""
        now = time.monotonic()
        self._samples.append((now, figures.observations))
        (before, had), (last, has) = self._samples[0], self._samples[-1]
        used = resource.getrusage(resource.RUSAGE_SELF)
        return State(
            at=now_ms(),
            running=running,
            **structs.asdict(figures),
            rate=(has - had) / (last - before) if last > before else 0.0,
            simulated=self._simulated(),
            seconds=now - self._began,
            cpu_seconds=used.ru_utime + used.ru_stime,
            memory=used.ru_maxrss * 1024,
        )

    def _simulated(self) -> int | None:
        if self._speed == "max":
            return None
        run, now = self._run, now_ms()
        reached = min(now, run.start + round((now - run.begun) * self._speed))
        return reached if run.end is None else min(reached, run.end)


def _moment(t: int) -> str:
    return f"{datetime.fromtimestamp(t // 1000, UTC):%Y-%m-%d %H:%M:%S}"
