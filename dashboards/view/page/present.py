"""What ``now`` means on a board, and which range it opens with."""

from collections.abc import Mapping
from typing import Any, Final

from dashboards.view.page import address
from dashboards.view.spans import Window

_MACHINERY: Final = frozenset({"citynerve-nodes", "citynerve-stream"})
"""Boards of what runs now, however old the data that goes through it."""

_OLD_MS: Final = 3_600_000
_WINDOW_MS: Final = 600_000
"""The longest windows."""

_LAST_DAY: Final = Window("now-24h", "now")


def past(board: Mapping[str, Any], newest: int | None, now: int) -> int | None:
    """What ``now`` means where the data ends in the past, as that of a replay of old recordings.

    Args:
        board: Its JSON.
        newest: When the newest window began, in ms since 1970 UTC; None: there is none.
        now: ms since 1970 UTC.

    Returns:
        The end of the newest window, or None where that is less than an hour ago, or where the
        board shows what runs now.
    """
    if newest is None or now - newest < _OLD_MS or board.get("uid") in _MACHINERY:
        return None
    return newest + _WINDOW_MS


def opened(board: Mapping[str, Any], until: int | None) -> Window:
    """The range that a board opens with.

    It is the board's own; where the data ended in the past, a day at least: nobody watches its end.

    Args:
        board: Its JSON.
        until: See :func:`past`.
    """
    own = address.default_window(board)
    if until is None:
        return own
    span, day = own.resolve(until), _LAST_DAY.resolve(until)
    return own if span.start <= day.start else _LAST_DAY
