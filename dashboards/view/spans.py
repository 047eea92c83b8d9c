"""Time ranges as a board or an address writes them, and what they mean at a moment.

``now-1h``, ``now/d``, ``now-7d/w``, milliseconds since 1970 UTC, or ISO 8601. As in Grafana, ``/d``
rounds down where it begins a range and up where it ends one; weeks begin on Sunday, Grafana's
default.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any, Final, Literal

import msgspec

from citynerve.errors import ConfigError
from dashboards.queries import Range

POINTS: Final = 1_000
"""How many points a range has across, where neither the panel nor its width says."""

PRESETS: Final = (
    ("now-5m", "now", "Last 5 minutes"),
    ("now-15m", "now", "Last 15 minutes"),
    ("now-30m", "now", "Last 30 minutes"),
    ("now-1h", "now", "Last 1 hour"),
    ("now-3h", "now", "Last 3 hours"),
    ("now-6h", "now", "Last 6 hours"),
    ("now-12h", "now", "Last 12 hours"),
    ("now-24h", "now", "Last 24 hours"),
    ("now-2d", "now", "Last 2 days"),
    ("now-7d", "now", "Last 7 days"),
    ("now-30d", "now", "Last 30 days"),
    ("now-90d", "now", "Last 90 days"),
    ("now/d", "now/d", "Today"),
    ("now-1d/d", "now-1d/d", "Yesterday"),
    ("now/w", "now/w", "This week"),
    ("now-1w/w", "now-1w/w", "Previous week"),
)
"""What a picker offers: start, end, label in English."""

REFRESHES: Final = ("5s", "10s", "30s", "1m", "5m", "15m", "30m", "1h", "2h", "1d")
"""How often a board may be drawn anew; none is the empty text."""

Unit = Literal["ms", "s", "m", "h", "d", "w", "M", "y"]

_SPAN: Final = re.compile(r"^(\d+)(ms|s|m|h|d|w|M|y)$")
_STEP: Final = re.compile(r"([-+])(\d*)([smhdwMy])|/([smhdwMy])")
_MONTHS: Final = {"M": 1, "y": 12}
_DELTAS: Final = {
    "ms": timedelta(milliseconds=1),
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
    # As Grafana's durations count them, where no calendar is at hand.
    "M": timedelta(days=30),
    "y": timedelta(days=365),
}
_MILLISECOND: Final = timedelta(milliseconds=1)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Window(msgspec.Struct, frozen=True):
    """A range as written: ``now-1h`` to ``now``. Equal texts are equal windows, at any time."""

    start: str = "now-1h"
    end: str = "now"

    @property
    def moves(self) -> bool:
        """Whether it goes on with time."""
        return "now" in self.start + self.end

    def resolve(self, now: int, zone: tzinfo = UTC, points: int = POINTS) -> Range:
        """What it means at ``now``, in ms since 1970 UTC.

        Args:
            now: ms since 1970 UTC.
            zone: Where days and weeks begin.
            points: How many points it has across.

        Raises:
            ConfigError: It is no range: names the part, and what would be one.
        """
        start = moment(self.start, now, zone)
        end = moment(self.end, now, zone, up=True)
        if start >= end:
            raise ConfigError(
                "ends before it begins",
                key="time range",
                value=f"{self.start} .. {self.end}",
                fix="choose a start that is earlier than the end",
            )
        return Range(start, end, points, now if self.moves else None)


def window(text: str) -> Window:
    """``now-1h..now`` as a window; one part alone ends now.

    Raises:
        ConfigError: A part is no moment.
    """
    start, _, end = text.partition("..")
    found = Window(start.strip(), end.strip() or "now")
    found.resolve(0)
    return found


def moment(text: str, now: int, zone: tzinfo = UTC, *, up: bool = False) -> int:
    """One end of a range, in ms since 1970 UTC.

    Args:
        text: ``now-1d/d``, milliseconds since 1970 UTC, or ISO 8601 (without an offset: in
            ``zone``).
        now: ms since 1970 UTC.
        zone: Where days and weeks begin.
        up: Whether ``/d`` means the day's last millisecond, as at a range's end.

    Raises:
        ConfigError: It is none of them.
    """
    try:
        if text.startswith("now"):
            return _ms(_walked(at(now, zone), text[len("now") :], up=up))
        if re.fullmatch(r"-?\d+", text):
            return _ms(at(int(text), UTC))
        read = datetime.fromisoformat(text)
        return _ms(read if read.tzinfo else read.replace(tzinfo=zone))
    except (ValueError, OverflowError) as error:
        raise ConfigError(
            "not a time",
            key="time range",
            value=text,
            fix="write now-1h, now/d, milliseconds since 1970, or 2026-03-01T12:00:00Z",
        ) from error


def milliseconds(text: str) -> int:
    """A length such as ``10s`` or ``1m``, in ms.

    Raises:
        ConfigError: It is none.
    """
    found = _SPAN.match(text)
    if found is None:
        raise ConfigError("not a length of time", value=text, fix="write 10s, 1m, 2h or 7d")
    return int(found[1]) * (_DELTAS[found[2]] // _MILLISECOND)


def of_panel(panel: Mapping[str, Any], span: Range) -> Range:
    """What a panel shows of a board's range, by its ``timeFrom`` and ``timeShift``.

    ``timeFrom`` is a length back from now, where the board's range goes on with time; on one that
    stands fast it has no effect, as in Grafana. ``timeShift`` moves both ends back;
    ``maxDataPoints`` says how many points it has across.

    Raises:
        ConfigError: One of them is no length of time.
    """
    back, shift = panel.get("timeFrom"), panel.get("timeShift")
    start, end = span.start, span.end
    if back and span.now is not None:
        start, end = span.now - milliseconds(back.removeprefix("now-")), span.now
    if shift:
        start, end = start - milliseconds(shift), end - milliseconds(shift)
    return Range(start, end, panel.get("maxDataPoints") or span.points, span.now)


def at(ms: int, zone: tzinfo | None) -> datetime:
    """A moment as the clock of ``zone`` shows it; None: of this machine.

    Raises:
        OverflowError: It is beyond what a calendar holds.
    """
    return (_EPOCH + ms * _MILLISECOND).astimezone(zone)


def _ms(at: datetime) -> int:
    return (at - _EPOCH) // _MILLISECOND


def _walked(at: datetime, steps: str, *, up: bool) -> datetime:
    position = 0
    while position < len(steps):
        step = _STEP.match(steps, position)
        if step is None:
            raise ValueError(steps)
        position = step.end()
        if step[4]:
            at = _rounded(at, step[4], up=up)
        else:
            at = _moved(at, int(step[1] + (step[2] or "1")), step[3])
    return at


def _moved(at: datetime, count: int, unit: str) -> datetime:
    months = _MONTHS.get(unit)
    if months is None:
        if unit in "dw":  # by the calendar: the same time of day, whatever summer time does
            return (at.replace(tzinfo=None) + count * _DELTAS[unit]).replace(tzinfo=at.tzinfo)
        return (at.astimezone(UTC) + count * _DELTAS[unit]).astimezone(at.tzinfo)
    year, month = divmod(at.year * 12 + at.month - 1 + count * months, 12)
    day = min(at.day, _days(year, month + 1))
    return at.replace(year=year, month=month + 1, day=day)


def _rounded(at: datetime, unit: str, *, up: bool) -> datetime:
    zeros = {"microsecond": 0, "second": 0, "minute": 0, "hour": 0, "day": 1, "month": 1}
    depth = {"s": 1, "m": 2, "h": 3, "d": 4, "w": 4, "M": 5, "y": 6}[unit]
    floor = at.replace(**dict(list(zeros.items())[:depth]))  # type: ignore[arg-type]
    if unit == "w":
        floor = _moved(floor, -(floor.isoweekday() % 7), "d")
    return _moved(floor, 1, unit) - _MILLISECOND if up else floor


def _days(year: int, month: int) -> int:
    following = datetime(year + month // 12, month % 12 + 1, 1, tzinfo=UTC)
    return (following - timedelta(days=1)).day
