"""Two dumps, point by point."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from benchmarks.chaos.dump import Dump, Fields, Key

MACHINERY: Final = frozenset({"node", "stream", "rejected"})
"""Measurements about the machinery itself: they tell of the faults, so they differ."""


@dataclass(slots=True)
class Difference:
    """What sets one measurement of two dumps apart. Equal when the three lists are empty."""

    expected: int
    found: int
    missing: list[Key] = field(default_factory=list)
    extra: list[Key] = field(default_factory=list)
    different: list[tuple[Key, Fields, Fields]] = field(default_factory=list)

    @property
    def equal(self) -> bool:
        """Whether the measurement holds the very same points."""
        return not (self.missing or self.extra or self.different)


def compare(
    expected: Dump, found: Dump, without: Iterable[str] = MACHINERY
) -> dict[str, Difference]:
    """Measurement -> difference, for every measurement of either dump but ``without``.

    Fields are equal only when their names and values are: floats bit by bit.
    """
    names = sorted((expected.keys() | found.keys()) - frozenset(without))
    return {name: _difference(expected.get(name, {}), found.get(name, {})) for name in names}


def _difference(expected: dict[Key, Fields], found: dict[Key, Fields]) -> Difference:
    return Difference(
        expected=len(expected),
        found=len(found),
        missing=sorted(expected.keys() - found.keys()),
        extra=sorted(found.keys() - expected.keys()),
        different=[
            (key, expected[key], found[key])
            for key in sorted(expected.keys() & found.keys())
            if expected[key] != found[key]
        ],
    )
