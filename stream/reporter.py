"""The stream's own figures and what it rejected, told every few seconds."""

import os
import resource
import threading
import time
from collections.abc import Callable, Mapping
from typing import Final

from citynerve import log
from citynerve.clock import Clock
from citynerve.errors import CityNerveError
from citynerve.influx import Influx, WriteRejected
from citynerve.topics import Topics
from stream.meters import Meters
from stream.sinks import rejections
from stream.sinks.publisher import Publisher
from stream.sinks.rejections import Rejections

_GATHER: Final = 1.0
_FIGURES_EVERY: Final = 5
_MOST_LINES: Final = 5_000
_KILO: Final = 1024

_log = log.get("reporter")


def figure_lines(store: str, figures: Mapping[str, Mapping[str, float]], now: int) -> list[str]:
    """One line a part, in ns; ``now`` in ms since 1970 UTC."""
    return [
        f"stream,stream={store},part={part} "
        + ",".join(f"{name}={float(value)!r}" for name, value in values.items())
        + f" {now}000000"
        for part, values in figures.items()
        if values
    ]


class Reporter:
    """A thread of its own, with a connection of its own: trouble here holds nothing back.

    Args:
        store: The store's id, a tag of the lines.
        connect: Makes a connection to InfluxDB.
        database: Where the lines go.
        publisher: Where rejections go, besides.
    """

    def __init__(
        self,
        store: str,
        connect: Callable[[], Influx],
        database: str,
        *,
        publisher: Publisher,
        topics: Topics,
        meters: Meters,
        rejected: Rejections,
        clock: Clock,
    ) -> None:
        self._store = store
        self._connect = connect
        self._database = database
        self._publisher = publisher
        self._topics = topics
        self._meters = meters
        self._rejected = rejected
        self._clock = clock
        self._influx: Influx | None = None
        self._lines: list[str] = []
        self._observations = 0.0
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="reporter", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self, timeout: float) -> None:
        """Tell what is left, and end; waits up to ``timeout`` seconds."""
        self._stopping.set()
        self._thread.join(timeout)

    def _run(self) -> None:
        beat, last = 0, time.monotonic()
        stopped = False
        while not stopped:
            stopped = self._stopping.wait(_GATHER)
            beat += 1
            self._tell_rejections()
            if beat % _FIGURES_EVERY == 0 or stopped:
                now = time.monotonic()
                self._gather_figures(now - last)
                last = now
            self._write()

    def _tell_rejections(self) -> None:
        for rejected in self._rejected.take():
            rejections.publish(self._publisher, self._topics, rejected)
            self._lines.append(rejections.line(rejected))

    def _gather_figures(self, seconds: float) -> None:
        observations = self._meters.get("lane", "observations")
        rate = (observations - self._observations) / max(seconds, 1e-3)
        self._observations = observations
        self._meters.set("lane", "observations_per_s", rate)
        usage = resource.getrusage(resource.RUSAGE_SELF)
        self._meters.set("process", "cpu_s", usage.ru_utime + usage.ru_stime)
        self._meters.set("process", "peak_memory_bytes", usage.ru_maxrss * _KILO)
        self._meters.set("process", "pid", os.getpid())
        self._lines += figure_lines(self._store, self._meters.read(), self._clock())

    def _write(self) -> None:
        lost = len(self._lines) - _MOST_LINES
        if lost > 0:
            self._meters.add("reporter", "lines_lost", lost)
            del self._lines[:lost]
        try:
            if self._influx is None:
                self._influx = self._connect()
            self._influx.write(self._database, self._lines)
        except WriteRejected as rejected:
            # Those that it could take are stored; the same again would be refused again.
            self._meters.add("reporter", "lines_refused", len(rejected.refused) or 1)
            _log.warning("figures refused", problem=str(rejected))
            self._lines.clear()
        except CityNerveError as error:
            # The flow's own writes say loudly what is wrong with the server.
            _log.debug("figures wait", problem=str(error))
        else:
            self._lines.clear()
