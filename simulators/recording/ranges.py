"""Whole numbers as sorted ranges: the seqs of a term, of which nearly all follow one another."""

from bisect import bisect_right
from collections.abc import Iterator


class Ranges:
    """A set of whole numbers, small where its members have few gaps.

    >>> seqs = Ranges()
    >>> [seqs.add(n) for n in (1, 2, 5, 4, 2)], list(seqs.spans()), 3 in seqs, len(seqs)
    ([True, True, True, True, False], [(1, 2), (4, 5)], False, 4)
    """

    def __init__(self) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []
        self._size = 0

    def add(self, number: int) -> bool:
        """Put a number in; whether it was not in."""
        starts, ends = self._starts, self._ends
        if ends and number == ends[-1] + 1:
            ends[-1] = number
            self._size += 1
            return True
        at = bisect_right(starts, number)
        if at and number <= ends[at - 1]:
            return False
        self._size += 1
        joins_left = at > 0 and ends[at - 1] == number - 1
        joins_right = at < len(starts) and starts[at] == number + 1
        if joins_left and joins_right:
            ends[at - 1] = ends[at]
            del starts[at], ends[at]
        elif joins_left:
            ends[at - 1] = number
        elif joins_right:
            starts[at] = number
        else:
            starts.insert(at, number)
            ends.insert(at, number)
        return True

    def __contains__(self, number: int) -> bool:
        at = bisect_right(self._starts, number)
        return at > 0 and number <= self._ends[at - 1]

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[int]:
        for start, end in self.spans():
            yield from range(start, end + 1)

    @property
    def last(self) -> int:
        """The greatest; 0 without any."""
        return self._ends[-1] if self._ends else 0

    def spans(self) -> Iterator[tuple[int, int]]:
        """First and last of each range, in order."""
        return zip(self._starts, self._ends, strict=True)

    def upto(self, limit: int) -> "Ranges":
        """Those up to ``limit``."""
        cut = Ranges()
        for start, end in self.spans():
            if start <= limit:
                cut._starts.append(start)
                cut._ends.append(min(end, limit))
                cut._size += min(end, limit) - start + 1
        return cut

    def missing(self) -> list[tuple[int, int]]:
        """The ranges between 1 and the greatest that are not in."""
        gaps, before = [], 0
        for start, end in self.spans():
            if start > before + 1:
                gaps.append((before + 1, start - 1))
            before = end
        return gaps
