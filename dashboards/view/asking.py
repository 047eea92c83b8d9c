"""InfluxDB asked from many threads at once; equal questions of a moment are asked once."""

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final

from citynerve.errors import ConfigError, UnavailableError
from citynerve.influx import Influx, Series
from dashboards.sources import MAIN, RAW

Ask = Callable[[str], list[Series]]
"""Runs InfluxQL on one database; times come in ms since 1970 UTC."""

THREADS: Final = 8
"""How many questions are under way at once: more only make one another wait."""

MOST_VALUES: Final = 1_000_000
"""An answer with more values is refused: no page could draw it, and it would fill the memory."""


class Asking:
    """Who asks.

    Args:
        sources: The data sources' uids, and who answers for each. They are called from several
            threads.
        threads: How many questions are under way at once.
    """

    def __init__(self, sources: Mapping[str, Ask], threads: int = THREADS) -> None:
        self._sources = dict(sources)
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="influx")
        self._lock = threading.Lock()
        self._known: dict[tuple[str, str], tuple[float, Future[list[Series]]]] = {}

    def ask(self, source: str, influxql: str, fresh_s: float = 0.0) -> Future[list[Series]]:
        """Ask, or share the answer to the same question if it was asked less than ``fresh_s`` ago.

        Args:
            source: The data source's uid.
            influxql: What is asked.
            fresh_s: Seconds.

        Returns:
            The answer to come. It raises ConfigError if the question is wrong, and
            UnavailableError if there is no answer.
        """
        now = time.monotonic()
        with self._lock:
            self._forget(now)
            known = self._known.get((source, influxql))
            if known is not None and known[0] > now:
                return known[1]
            future = self._pool.submit(self._run, source, influxql)
            self._known[source, influxql] = (now + fresh_s, future)
            return future

    def close(self) -> None:
        """Drop what is waiting, and let what is under way end."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _run(self, source: str, influxql: str) -> list[Series]:
        ask = self._sources.get(source)
        if ask is None:
            raise ConfigError(
                "a data source that the local view does not have",
                key="datasource.uid",
                value=source,
                fix=f"use one of {', '.join(self._sources)}",
            )
        answer = ask(influxql)
        size = sum(len(series.values) * len(series.columns) for series in answer)
        if size > MOST_VALUES:
            raise UnavailableError(
                "the answer",
                where=source,
                problem=f"{size:,} values are too many to draw",
                fix="choose a shorter time range, or fewer nodes",
            )
        return answer

    def _forget(self, now: float) -> None:
        old = [
            key for key, (until, future) in self._known.items() if until <= now and future.done()
        ]
        for key in old:
            del self._known[key]


def of_influx(influx: Influx, threads: int = THREADS) -> Asking:
    """Ask one InfluxDB for both data sources of the boards.

    Args:
        influx: Made with at least as many connections as ``threads``.
        threads: How many questions are under way at once.
    """

    def source(database: str) -> Ask:
        return lambda influxql: influx.query(database, influxql, epoch="ms")

    return Asking(
        {RAW.uid: source(influx.config.raw), MAIN.uid: source(influx.config.main)}, threads
    )
