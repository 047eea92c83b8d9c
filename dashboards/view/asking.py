"""InfluxDB asked from many threads at once; equal questions of a moment are asked once."""

import contextlib
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, InvalidStateError
from queue import SimpleQueue
from typing import Final, NamedTuple

from citynerve.errors import CityNerveError, ConfigError, UnavailableError
from citynerve.influx import Influx, Series
from dashboards.sources import MAIN, RAW
from dashboards.view.connection import Connection

Ask = Callable[[str], list[Series]]
"""Runs InfluxQL on one database; times come in ms since 1970 UTC."""

THREADS: Final = 8
"""How many questions are under way at once: more only make one another wait."""

PATIENCE_S: Final = 20.0
"""Seconds after which a question counts as unanswered."""

MOST_VALUES: Final = 1_000_000
"""An answer with more values is refused: no page could draw it, and it would fill the memory."""


class Answer:
    """What a question gives, as soon as it is there."""

    def __init__(self, source: str, until: float) -> None:
        self.source = source
        self.fresh_until = until
        self._future: Future[list[Series]] = Future()

    @property
    def is_there(self) -> bool:
        """Whether :meth:`get` returns at once."""
        return self._future.done()

    def get(self) -> list[Series]:
        """Wait for it.

        Raises:
            ConfigError: The question is wrong.
            UnavailableError: There is no answer, not in time, or one too large to draw.
        """
        try:
            return self._future.result(PATIENCE_S)
        except TimeoutError as error:
            raise UnavailableError(
                "InfluxDB",
                where=self.source,
                problem=f"no answer within {PATIENCE_S:.0f} s",
                fix="choose a shorter time range, or see what keeps the server busy",
            ) from error

    def put(self, answer: list[Series] | Exception) -> None:
        """Let those who wait have it; the first one counts."""
        with contextlib.suppress(InvalidStateError):
            if isinstance(answer, Exception):
                self._future.set_exception(answer)
            else:
                self._future.set_result(answer)


class _Task(NamedTuple):
    ask: Ask
    influxql: str
    answer: Answer


class Asking:
    """Who asks.

    Args:
        sources: The data sources' uids, and who answers for each. They are called from several
            threads.
        threads: How many questions are under way at once.
    """

    def __init__(self, sources: Mapping[str, Ask], threads: int = THREADS) -> None:
        self._sources = dict(sources)
        self._tasks: SimpleQueue[_Task | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._known: dict[tuple[str, str], Answer] = {}
        self._closed = False
        # Of their own, not an executor's: a process that ends waits for an executor's threads,
        # and these may wait for a server for as long as half a minute.
        self._threads = [
            threading.Thread(target=self._work, name=f"influx-{number}", daemon=True)
            for number in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    def ask(self, source: str, influxql: str, fresh_s: float = 0.0) -> Answer:
        """Ask, or share the answer to the same question if it is less than ``fresh_s`` old.

        Args:
            source: The data source's uid.
            influxql: What is asked.
            fresh_s: Seconds.

        Raises:
            ConfigError: There is no such data source.
        """
        ask = self._sources.get(source)
        if ask is None:
            raise ConfigError(
                "a data source that the local view does not have",
                key="datasource.uid",
                value=source,
                fix=f"use one of {', '.join(self._sources)}",
            )
        now = time.monotonic()
        with self._lock:
            self._forget(now)
            known = self._known.get((source, influxql))
            if known is not None:
                return known
            answer = Answer(source, now + fresh_s)
            self._known[source, influxql] = answer
            if self._closed:
                answer.put(_closing(source))
            else:
                self._tasks.put(_Task(ask, influxql, answer))
            return answer

    def close(self) -> None:
        """Leave every question unanswered that still is, and end the threads."""
        with self._lock:
            self._closed = True
            waiting = [answer for answer in self._known.values() if not answer.is_there]
        for answer in waiting:
            answer.put(_closing(answer.source))
        for _ in self._threads:
            self._tasks.put(None)

    def _work(self) -> None:
        while (task := self._tasks.get()) is not None:
            if task.answer.is_there:
                continue  # closed meanwhile
            try:
                task.answer.put(_bounded(task.ask(task.influxql), task.answer.source))
            except CityNerveError as error:
                task.answer.put(error)

    def _forget(self, now: float) -> None:
        old = [
            key
            for key, answer in self._known.items()
            if answer.fresh_until <= now and answer.is_there
        ]
        for key in old:
            del self._known[key]


def of_influx(influx: Influx | Connection, threads: int = THREADS) -> Asking:
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


def _bounded(answer: list[Series], source: str) -> list[Series]:
    size = sum(len(series.values) * len(series.columns) for series in answer)
    if size > MOST_VALUES:
        raise UnavailableError(
            "the answer",
            where=source,
            problem=f"{size:,} values are too many to draw",
            fix="choose a shorter time range, or fewer nodes",
        )
    return answer


def _closing(source: str) -> UnavailableError:
    return UnavailableError("InfluxDB", where=source, problem="the view is ending")
