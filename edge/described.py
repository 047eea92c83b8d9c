"""Which description of the node each batch was made under.

A batch names its datastreams only; their units, and that they exist, stand in the hello that opened
the term. So a batch must be sent in a term that was opened with its own description.
"""

from collections.abc import Iterable
from typing import NamedTuple


class Described(NamedTuple):
    """A description, encoded, and the first id that was made under it."""

    since: int
    about: bytes


class Descriptions:
    """Those of all batches held, oldest first. ``stored`` is for the spool to keep true.

    Args:
        rows: What was stored.
    """

    def __init__(self, rows: Iterable[Described]) -> None:
        self.rows = list(rows)
        self.stored = True

    def add(self, about: bytes, *, first: int, last: int) -> None:
        """Ids after ``last`` are made under ``about``; ``first`` is the oldest held."""
        self.rows = [one for one in self.rows if one.since <= last]
        if not self.rows or self.rows[-1].about != about:
            self.rows.append(Described(last + 1 if self.rows else first, about))
        self.stored = False

    def of(self, first: int) -> bytes:
        """That of the oldest batch held; older ones are forgotten."""
        while len(self.rows) > 1 and self.rows[1].since <= first:
            del self.rows[0]
        return self.rows[0].about if self.rows else b""

    def boundary(self, first: int, last: int) -> int:
        """The last id that was made under the same one as ``first``."""
        return next((one.since - 1 for one in self.rows if one.since > first), last)
