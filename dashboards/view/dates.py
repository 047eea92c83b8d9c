"""Moments and lengths of time as Grafana writes them."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, tzinfo
from typing import Final

from dashboards.view import spans
from dashboards.view.numbers import Text, fixed

ISO: Final = "YYYY-MM-DD HH:mm:ss"
ISO_MS: Final = "YYYY-MM-DD HH:mm:ss.SSS"
US: Final = "MM/DD/YYYY h:mm:ss a"

_TOKEN: Final = re.compile(
    r"\[([^\]]*)\]|YYYY|YY|MMMM|MMM|MM|M|DD|D|dddd|ddd|E|HH|H|hh|h|mm|m|ss|s|SSS|A|a|ZZ|Z|X|x"
)
_UNITS: Final = (
    ("year", 31_536_000_000),
    ("month", 2_592_000_000),
    ("week", 604_800_000),
    ("day", 86_400_000),
    ("hour", 3_600_000),
    ("minute", 60_000),
    ("second", 1_000),
    ("millisecond", 1),
)
_ROUGHLY: Final = (
    # moment.js: below so many seconds, so it is said.
    (45, "a few seconds", 0),
    (90, "a minute", 0),
    (45 * 60, "{} minutes", 60),
    (90 * 60, "an hour", 0),
    (22 * 3_600, "{} hours", 3_600),
    (36 * 3_600, "a day", 0),
    (26 * 86_400, "{} days", 86_400),
    (45 * 86_400, "a month", 0),
    (320 * 86_400, "{} months", 2_629_746),
    (548 * 86_400, "a year", 0),
    (float("inf"), "{} years", 31_556_952),
)


_PARTS: Final[Mapping[str, Callable[[datetime], str]]] = {
    "YYYY": lambda at: f"{at.year:04}",
    "YY": lambda at: f"{at.year % 100:02}",
    "MMMM": lambda at: f"{at:%B}",
    "MMM": lambda at: f"{at:%b}",
    "MM": lambda at: f"{at.month:02}",
    "M": lambda at: f"{at.month}",
    "DD": lambda at: f"{at.day:02}",
    "D": lambda at: f"{at.day}",
    "dddd": lambda at: f"{at:%A}",
    "ddd": lambda at: f"{at:%a}",
    "E": lambda at: f"{at.isoweekday()}",
    "HH": lambda at: f"{at.hour:02}",
    "H": lambda at: f"{at.hour}",
    "hh": lambda at: f"{at.hour % 12 or 12:02}",
    "h": lambda at: f"{at.hour % 12 or 12}",
    "mm": lambda at: f"{at.minute:02}",
    "m": lambda at: f"{at.minute}",
    "ss": lambda at: f"{at.second:02}",
    "s": lambda at: f"{at.second}",
    "SSS": lambda at: f"{at.microsecond // 1000:03}",
    "A": lambda at: f"{at:%p}".upper(),
    "a": lambda at: f"{at:%p}".lower(),
}
"""moment.js's tokens, but for those of instants and offsets."""


def written(ms: float, pattern: str, zone: tzinfo | None) -> str:
    """A moment by a moment.js pattern (``YYYY-MM-DD HH:mm``; ``[in brackets]`` as it stands).

    Args:
        ms: Since 1970 UTC.
        pattern: The pattern.
        zone: Whose clock; None: this machine's.
    """
    try:
        at = spans.at(round(ms), zone)
    except (OverflowError, ValueError):
        return "Invalid date"
    return _TOKEN.sub(lambda match: _token(match, at, ms), pattern)


def is_today(ms: float, now: int, zone: tzinfo | None) -> bool:
    """Whether a moment is on the same day as ``now``."""
    return written(ms, "YYYY-MM-DD", zone) == written(now, "YYYY-MM-DD", zone)


def ago(ms: float, now: int) -> str:
    """How far a moment is from ``now``, roughly: ``5 minutes ago``, ``in an hour``."""
    seconds = abs(now - ms) / 1_000
    text, one = next((text, one) for bound, text, one in _ROUGHLY if seconds < bound)
    said = text.format(max(2, round(seconds / one))) if one else text
    return f"{said} ago" if ms <= now else f"in {said}"


def duration(value: float, decimals: int | None, one: str) -> Text:
    """A length in words: its largest unit and ``decimals`` more; ``one`` is what value counts."""
    if value == 0:
        return Text("", "0", f" {one}s")
    left = round(abs(value) * dict(_UNITS)[one], 3)
    parts: list[str] = []
    for name, size in _UNITS:
        if parts or left >= size:
            whole, left = divmod(left, size)
            parts.append(f"{int(whole)} {name}{'' if whole == 1 else 's'}")
        if len(parts) > (decimals or 0):
            break
    return Text("", ", ".join(parts), " ago" if value < 0 else "")


def clock(value: float, decimals: int | None, one: float = 1.0) -> Text:
    """A length in ms (times ``one``) as ``02h:05m:01s:250ms``, of it ``decimals`` parts more."""
    ms = int(value * one)
    hours, rest = divmod(ms, 3_600_000)
    minutes, rest = divmod(rest, 60_000)
    seconds, left = divmod(rest, 1_000)
    parts = [f"{hours}h", f"{minutes:02}m", f"{seconds:02}s", f"{left:03}ms"]
    first = next((i for i, bound in enumerate((3_600_000, 60_000, 1_000)) if ms >= bound), 3)
    last = len(parts) if decimals is None else first + decimals + 1
    return Text("", ":".join(parts[first:last]), "")


def hours_minutes_seconds(value: float, *, days: bool = False) -> Text:
    """Seconds as ``26:03:04``, or with ``days`` as ``1 d 02:03:04``."""
    seconds = int(abs(value))
    before = ""
    if days and seconds >= 86_400:  # noqa: PLR2004 - a day
        before = f"{seconds // 86_400} d "
        seconds %= 86_400
    text = f"{seconds // 3600:02}:{seconds % 3600 // 60:02}:{seconds % 60:02}"
    return Text("", before + text, " ago" if value < 0 else "")


def seconds_text(value: float) -> str:
    """A short length for people: ``0.3 s``, ``12 s``."""
    return f"{fixed(value, 1 if value < 10 else 0)} s"  # noqa: PLR2004 - two digits


def _token(match: re.Match[str], at: datetime, ms: float) -> str:
    if match[1] is not None:
        return match[1]
    token = match[0]
    if token in _PARTS:
        return _PARTS[token](at)
    if token in {"X", "x"}:
        return str(int(ms // 1000 if token == "X" else ms))  # noqa: S105 - moment.js's token
    minutes = (at.utcoffset() or timedelta()) // timedelta(minutes=1)
    sign = "-" if minutes < 0 else "+"
    colon = "" if token == "ZZ" else ":"  # noqa: S105 - moment.js's token of an offset
    return f"{sign}{abs(minutes) // 60:02}{colon}{abs(minutes) % 60:02}"
