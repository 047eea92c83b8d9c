"""What a client has asked its broker to let it hear, and what the broker answered."""

import threading
from collections.abc import Sequence

import paho.mqtt.client as paho
from paho.mqtt.reasoncodes import ReasonCode


class Subscriptions:
    """Filters, asked for anew at every connection; brokers may grant some and refuse others.

    Args:
        filters: ``(filter, qos)``.
    """

    def __init__(self, filters: Sequence[tuple[str, int]]) -> None:
        self._filters = list(filters)
        self._open: dict[int, list[str]] = {}
        # Held over asking, too: the answer may come before we know the request's number.
        self._lock = threading.RLock()

    def __bool__(self) -> bool:
        return bool(self._filters)

    def add(self, filters: Sequence[tuple[str, int]], client: paho.Client) -> None:
        """Ask for these, too: now, if there is a connection, and at every later one."""
        self._filters += filters
        if client.is_connected():
            self._ask(filters, client)

    def begin(self, client: paho.Client) -> None:
        """There is a new connection: ask for all."""
        with self._lock:
            self._open.clear()
            self._ask(self._filters, client)

    def answered(self, number: int, reasons: Sequence[ReasonCode]) -> list[str] | None:
        """What is refused, in words; None where the answer is none to this connection's questions.

        Args:
            number: Of the request, as paho counts.
            reasons: The broker's answers, in the order of the filters.
        """
        with self._lock:
            names = self._open.pop(number, None)
        if names is None:
            return None
        answers = zip(names, reasons, strict=False)
        return [f"{name} ({reason})" for name, reason in answers if reason.is_failure]

    def forget(self) -> None:
        """The connection is given up: no answer on it counts any more."""
        with self._lock:
            self._open.clear()

    def _ask(self, filters: Sequence[tuple[str, int]], client: paho.Client) -> None:
        with self._lock:
            _, number = client.subscribe(list(filters))
            if number is not None:
                self._open[number] = [name for name, _ in filters]
