"""What a server says about lines that it does not want."""

import re
from collections.abc import Sequence
from math import inf
from typing import Final

from citynerve.errors import CityNerveError, ConfigError, UnavailableError
from citynerve.influx.http import Answer, check, not_allowed

_REFUSED: Final = frozenset({400, 413, 422})
_DENIED: Final = frozenset({401, 403})
_DROPPED: Final = re.compile(r"dropped=(\d+)")
# As 1.x says it, and as 2.x does.
_TOO_OLD: Final = re.compile(
    r"partial write: (?:points beyond retention policy dropped=(\d+)"
    r"|dropped (\d+) points outside retention policy)"
)
# Quoted as it came, before the reason: unable to parse 'LINE': missing fields
_UNPARSED: Final = "unable to parse '"


class WriteRejected(CityNerveError):  # noqa: N818 - reads as what happened
    """The server refused some or all lines of a write, and would again.

    The server may or may not have stored the other lines: writing them again is harmless, because
    equal points overwrite each other.

    Args:
        database: Where they should have gone.
        lines: All lines of the write.
        message: The server's words.

    Attributes:
        refused: Indices into ``lines`` of the lines that the server named, or that are too old;
            empty where neither is known (a conflict of types): halve and try again.
        too_old: Whether it refused them for lying before the database's retention. Nothing but
            their times counts then, so it is certain which they are.
    """

    def __init__(self, database: str, lines: Sequence[str], message: str) -> None:
        self.database = database
        self.message = message
        too_old = _TOO_OLD.search(message)
        self.too_old = too_old is not None
        self.refused = _oldest(lines, too_old) if too_old else _named(lines, message)
        count = len(self.refused) or _dropped(message) or "some"
        super().__init__(
            f"InfluxDB refused {count} of {len(lines)} lines for {database}: {message}"
        )


def _named(lines: Sequence[str], message: str) -> tuple[int, ...]:
    if _UNPARSED not in message:
        return ()
    # An open quote swallows the lines that follow, so the quoted text may go on.
    return tuple(
        i
        for i, line in enumerate(lines)
        if any(f"{_UNPARSED}{line}{end}" in message for end in ("': ", "\n"))
    )


def _oldest(lines: Sequence[str], told: re.Match[str]) -> tuple[int, ...]:
    count = int(told[1] or told[2])
    by_time = sorted(range(len(lines)), key=lambda i: _time(lines[i]))
    return tuple(sorted(by_time[:count]))


def _time(line: str) -> float:
    """A line's time in ns; one without is the server's now, so never too old."""
    try:
        return int(line.rpartition(" ")[2])
    except ValueError:
        return inf


def _dropped(message: str) -> int:
    found = _DROPPED.search(message)
    return int(found.group(1)) if found else 0


def refusal(
    base: str, database: str, lines: Sequence[str], answer: Answer
) -> WriteRejected | ConfigError | UnavailableError:
    """What an unsuccessful write was about: its lines, its credentials, or the server."""
    if answer.status in _REFUSED:
        return WriteRejected(database, lines, answer.message())
    if answer.status in _DENIED:
        return not_allowed(base, answer.message())
    try:
        check(base, answer)
    except UnavailableError as error:
        return error
    return UnavailableError("InfluxDB", where=base, problem=f"unexpected HTTP {answer.status}")
