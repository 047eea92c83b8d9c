"""The view's way to InfluxDB, which may come later than the view, and come again."""

import threading
import time
from typing import Final

from citynerve.errors import UnavailableError
from citynerve.influx import Influx, Series, connect
from citynerve.influx.config import InfluxConfig
from citynerve.influx.query import Epoch

AGAIN_S: Final = 1.0
"""Seconds in which a server that did not answer is not asked again."""


class Connection:
    """InfluxDB as soon as it is there. Its methods may be called from several threads.

    Args:
        config: Where it is.
        timeout: Seconds for each request.
        connections: How many are kept open, for as many threads that ask at once.
    """

    def __init__(self, config: InfluxConfig, timeout: float, connections: int) -> None:
        self.config = config
        self._timeout, self._connections = timeout, connections
        self._lock = threading.Lock()
        self._influx: Influx | None = None
        self._failed: UnavailableError | None = None
        self._again = 0.0

    def open(self) -> Influx:
        """The connection; made if there is none yet.

        Raises:
            ConfigError: The URL, the credentials or the organisation are wrong.
            UnavailableError: Nobody answers.
        """
        with self._lock:
            if self._influx is not None:
                return self._influx
            if self._failed is not None and time.monotonic() < self._again:
                raise self._failed
            try:
                self._influx = connect(self.config, self._timeout, self._connections)
            except UnavailableError as error:
                self._failed, self._again = error, time.monotonic() + AGAIN_S
                raise
            return self._influx

    def query(self, database: str, influxql: str, *, epoch: Epoch = "ns") -> list[Series]:
        """See :meth:`citynerve.influx.Influx.query`."""
        return self.open().query(database, influxql, epoch=epoch)

    def close(self) -> None:
        """End it."""
        with self._lock:
            if self._influx is not None:
                self._influx.close()
