"""A recorded batch as the items that the edge's batcher takes: what counted then, moved in time.

What the stream refused when it was recorded, it might take in another time: a reading ahead of the
clock is no longer so a day later. So the stream's rules are applied here, with the recording's
clock in the place of the stream's, and what they refuse is left out and counted.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from hashlib import blake2b
from itertools import pairwise
from math import isfinite
from typing import Final

from msgspec import Struct, structs

from citynerve.messages import BAD, GOOD, About, Batch, Column, Event, Evidence
from edge.order import Key, Late, Released
from edge.sensor.driver import Mark, Reading

MAX_SKEW: Final = 3_600_000
"""How far ahead of the stream's clock readings are taken by default, ms; marks once more that."""

_LONGEST_ID: Final = 64
_QUALITIES: Final = frozenset(range(GOOD, BAD + 1))


class Turn(Struct, frozen=True):
    """One turn of a replay.

    ``number`` counts from 0. ``offset``: ms that all times move by. ``end``: in a loop, the last
    time (ms, as recorded) of the turn, beyond which no mark may reach; else None.
    """

    number: int = 0
    offset: int = 0
    end: int | None = None


class Items:
    """One node's batches as items, in order.

    Args:
        wanted: Whether a property, or a type of event, is to be played.
        prefix: Stands before the ids of events and pictures.
        counts: What is left out is added here, by reason.
    """

    def __init__(self, wanted: Callable[[str], bool], prefix: str, counts: Counter[str]) -> None:
        self._wanted = wanted
        self._prefix = prefix
        self._counts = counts
        self._declared: frozenset[Key] = frozenset()
        self._floors: dict[Key, int] = {}
        self._turn = Turn()

    def begin(self, turn: Turn) -> None:
        """A turn begins."""
        self._turn = turn
        self._floors.clear()

    def describe(self, about: About) -> None:
        """What the batches that follow were made under."""
        self._declared = frozenset(
            (sensor.name, prop.name) for sensor in about.sensors for prop in sensor.properties
        )

    def of(self, batch: Batch, at: int) -> Iterator[Released]:
        """The items of a batch.

        Args:
            batch: It; the next of its node.
            at: When it arrived, ms.
        """
        for column in batch.obs:
            if self._wanted(column.p):
                yield from self._readings(column, at + MAX_SKEW)
        for event in batch.events:
            if event.t > at + MAX_SKEW:
                self._counts["future"] += 1
            elif self._wanted(str(event.__struct_config__.tag)):
                yield self._moved(event)
        for picture in batch.evidence:
            yield Evidence(
                self._named(picture.id), picture.t + self._turn.offset, picture.camera, picture.jpeg
            )

    def _readings(self, column: Column, latest: int) -> Iterator[Released]:
        sensor, prop, times, values = column.s, column.p, column.t, column.v
        key = sensor, prop
        refusal = self._refusal(column, key)
        if refusal is not None:
            self._counts[refusal] += max(1, len(times))
            return
        qualities = column.q if column.q is not None else [GOOD] * len(times)
        offset = self._turn.offset
        floor = self._floors.get(key, -1)
        for t, value, quality in zip(times, values, qualities, strict=True):
            if t < 0 or (not column.late and t <= floor):
                self._counts["old"] += 1
            elif not isfinite(value):
                self._counts["nan"] += 1
            elif t > latest:
                self._counts["future"] += 1
            elif column.late:
                yield Late(Reading(sensor, prop, t + offset, value, quality))
            else:
                floor = t
                yield Reading(sensor, prop, t + offset, value, quality)
        mark = column.wm
        if mark is not None and mark > latest + MAX_SKEW:
            self._counts["future"] += 1
        elif mark is not None:
            end = self._turn.end
            mark = mark if end is None else min(mark, end)
            if mark > floor:
                floor = mark
                yield Mark(sensor, prop, mark + offset)
        self._floors[key] = floor

    def _refusal(self, column: Column, key: Key) -> str | None:
        if key not in self._declared:
            return "undeclared"
        size = len(column.t)
        if size != len(column.v):
            return "shape"
        if column.q is not None and (len(column.q) != size or not _QUALITIES.issuperset(column.q)):
            return "shape"
        if size > 1 and any(later <= t for t, later in pairwise(column.t)):
            return "order"
        return None

    def _moved(self, event: Event) -> Event:
        return structs.replace(event, id=self._named(event.id), t=event.t + self._turn.offset)

    def _named(self, identity: str) -> str:
        """An id that no other node, and no other turn, gives to something else."""
        turn = f"-turn{self._turn.number}" if self._turn.number else ""
        name = f"{self._prefix}{identity}{turn}"
        if len(name) <= _LONGEST_ID:
            return name
        return blake2b(name.encode(), digest_size=16).hexdigest()
