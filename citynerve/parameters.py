"""Parameters of the command line that several commands take: spans, speeds, moments."""

import re
from collections.abc import Callable
from datetime import datetime
from typing import Final, Literal, TypeVar

import click

T = TypeVar("T")

Speed = float | Literal["max"]
"""Recorded or simulated time over real time; ``max``: as fast as it goes."""

_SECONDS: Final = {"ms": 0.001, "": 1, "s": 1, "m": 60, "h": 3_600, "d": 86_400}
_SPAN: Final = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|[smhd]?)")


class Parsed(click.ParamType[T]):
    """A parameter that is read by a function.

    Args:
        name: Of the kind of value, as help shows it.
        read: Reads the text; raises ValueError, with a message for people.
    """

    def __init__(self, name: str, read: Callable[[str], T]) -> None:
        self.name = name
        self._read = read

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> T:
        """Read it, or fail as click does."""
        try:
            return self._read(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


def span(text: str) -> float:
    """A span such as ``90s``, ``2m``, ``1.5h`` or ``7d`` in seconds; a bare number is seconds.

    Raises:
        ValueError: It is none, or is nothing.
    """
    found = _SPAN.fullmatch(text.strip())
    seconds = float(found[1]) * _SECONDS[found[2]] if found else 0.0
    if not seconds:
        raise ValueError(f"{text!r} is no span: write for example 90s, 2m, 1h or 2d")
    return seconds


def speed(text: str) -> Speed:
    """``max`` or a number above 0.

    Raises:
        ValueError: It is neither.
    """
    if text == "max":
        return "max"
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < float("inf"):
        raise ValueError(f"{text!r} is no speed: write max, or a number above 0")
    return number


def moment(text: str) -> int:
    """A moment in ISO 8601, with its offset from UTC, in ms since 1970 UTC.

    Raises:
        ValueError: It is none, or tells no offset.

    >>> moment("2026-03-01T06:00:00Z")
    1772344800000
    """
    try:
        when = datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"{text!r} is no moment: write 2026-03-01T06:00:00Z") from error
    if when.tzinfo is None:
        raise ValueError(f"{text!r} does not say of which zone it is: add Z or +01:00")
    return round(when.timestamp() * 1000)
