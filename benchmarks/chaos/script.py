"""The seeded input: what each node's instruments will have given, in the order of arrival.

Everything follows from the seed: phenomenon times count from a fixed origin, so two runs have the
very same content, whatever their pace. Each thing carries its **fate**, what the contract says must
become of it, decided here from the order of arrival alone, without the edge's code.
"""

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from heapq import merge
from typing import Final

from citynerve.messages import Crossing

ORIGIN: Final = 1_750_032_000_000
"""2025-06-16T00:00:00Z, in ms: the first phenomenon time."""
CITY: Final = "chaos"
DISTRICTS: Final = ("harbour", "hill")
CAMERA: Final = "gate"
LINES: Final = ("in", "out")
ABSURD: Final = 100_000.0
"""A value beyond the range that the scenario pack states."""

_DAY: Final = 86_400_000
_MINUTE: Final = 60_000
_CROSSING_EVERY: Final = 90_000.0
_FAULT_EVERY: Final = 90 * _MINUTE
_SPIKES: Final = 0.003
_ABSURDITIES: Final = 0.001
_DELAYED: Final = 0.15
_TOO_LATE: Final = 0.01
_REPEATED: Final = 0.03
_CONTRADICTED: Final = 0.01
_TWINS: Final = 0.1
_WITH_SPEED: Final = 0.7
# The last minutes are plain: every late reading is followed by a window that can count it.
_PLAIN_END: Final = 5 * _MINUTE
_LONGEST_FAULT: Final = 15 * _MINUTE


class Fate(StrEnum):
    """What must become of a reading."""

    TAKEN = "taken"
    REPEATED = "repeated"
    """Its time was given before; the first counts, even if the value is another one."""
    LATE = "late"
    """Came after the sensor's lateness: stored raw, counted, in no window."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of datastream. Times in ms; ``level`` and ``swing`` in ``unit``."""

    sensor: str
    property: str
    unit: str
    step: int
    lateness: int
    level: float
    swing: float
    limits: tuple[float, float] | None


KINDS: Final = (
    Kind("loop", "chaos_speed", "km/h", 4_000, 40_000, 60.0, 15.0, (0.0, 300.0)),
    Kind("loop", "chaos_flow", "1", 10_000, 100_000, 40.0, 20.0, (0.0, 1_000.0)),
    Kind("mic", "chaos_noise", "dB", 5_000, 60_000, 55.0, 8.0, (0.0, 160.0)),
    Kind("mast", "chaos_other", "Cel", 20_000, 0, 18.0, 5.0, None),
)
"""The last one no pack knows. It is on time always: its lateness is 0."""

PACK: Final = """title = "Input of the harness for exactness"

[property.chaos_speed]
unit = "km/h"
range = [0, 300]
windows = ["10s", "1m", "10m"]
detector = { kind = "light", warm_up = 60, least = 5, flatline = "4m", gap = "4m" }

[property.chaos_flow]
unit = "1"
range = [0, 1000]
windows = ["1m", "10m"]
detector = { kind = "light", warm_up = 60, least = 5, flatline = "5m", gap = "5m" }

[property.chaos_noise]
unit = "dB"
range = [0, 160]
windows = ["10s", "1m", "10m"]
detector = { kind = "light", warm_up = 60, least = 5, flatline = "4m", gap = "4m" }
"""
"""The scenario pack for these properties."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """One reading as it arrives. ``at`` and ``t`` in ms; ``at`` counts from the script's start."""

    at: int
    kind: Kind
    t: int
    value: float
    fate: Fate


@dataclass(frozen=True, slots=True)
class Passage:
    """One crossing as it arrives."""

    at: int
    crossing: Crossing


@dataclass(frozen=True, slots=True)
class NodeScript:
    """All that one node gives, and what it is."""

    node: str
    area: str
    position: tuple[float, float]
    has_camera: bool
    entries: Sequence[Arrival | Passage] = field(repr=False)

    @property
    def district(self) -> str:
        """The second level of the area."""
        return self.area.split("/")[1]

    def arrivals(self) -> Iterator[Arrival]:
        """The readings alone."""
        return (entry for entry in self.entries if isinstance(entry, Arrival))

    def crossings(self) -> Iterator[Crossing]:
        """The crossings alone."""
        return (entry.crossing for entry in self.entries if isinstance(entry, Passage))


def node_script(seed: int, index: int, span: int) -> NodeScript:
    """What node number ``index`` gives over ``span`` ms of phenomenon time."""
    has_camera = index % 2 == 0
    streams: list[Sequence[Arrival | Passage]] = [
        _arrivals(random.Random(f"{seed}/{index}/{kind}"), kind, span) for kind in KINDS
    ]
    name = f"chaos-{index}"
    passages = _passages(random.Random(f"{seed}/{index}/gate"), name, span) if has_camera else []
    return NodeScript(
        node=name,
        area=f"{CITY}/{DISTRICTS[index % len(DISTRICTS)]}/street-{index}",
        position=(56.15 + index / 100, 10.2 + index / 100),
        has_camera=has_camera,
        entries=list(merge(*streams, passages, key=lambda entry: entry.at)),
    )


def _arrivals(draw: random.Random, kind: Kind, span: int) -> list[Arrival]:
    sent = [entry for t, v in _readings(draw, kind, span) for entry in _deliver(draw, kind, t, v)]
    sent.sort(key=lambda entry: entry[0])
    return list(_judge(kind, span, sent))


def _readings(draw: random.Random, kind: Kind, span: int) -> Iterator[tuple[int, float]]:
    """Times and values as the instrument took them: a daily course with the faults of real ones."""
    gap_until = flat_until = -1
    value = kind.level
    for offset in range(0, span, kind.step):
        chance = draw.random()
        if offset > span - _PLAIN_END - _LONGEST_FAULT:
            chance = 1.0
        if chance < kind.step / _FAULT_EVERY:
            gap_until = offset + draw.randint(6 * _MINUTE, _LONGEST_FAULT)
        elif chance < 2 * kind.step / _FAULT_EVERY:
            flat_until = offset + draw.randint(6 * _MINUTE, _LONGEST_FAULT)
        if offset < gap_until:
            continue
        if offset >= flat_until:
            course = math.sin(2 * math.pi * (offset % _DAY) / _DAY)
            noise = draw.gauss(0, kind.swing / 15)
            value = round(kind.level + kind.swing * course + noise, 2)
        spoilt = draw.random()
        if spoilt < _SPIKES:
            yield ORIGIN + offset, round(value + draw.choice((-1, 1)) * kind.swing * 3, 2)
        elif spoilt < _SPIKES + _ABSURDITIES and kind.limits is not None:
            yield ORIGIN + offset, ABSURD + offset % 1000
        else:
            yield ORIGIN + offset, value


def _deliver(
    draw: random.Random, kind: Kind, t: int, value: float
) -> Iterator[tuple[int, int, float]]:
    """When a reading arrives, and arrives again: ``(at, t, value)``."""
    at = t - ORIGIN
    if kind.lateness == 0:
        yield at, t, value
        return
    if draw.random() < _TOO_LATE:
        # A time of its own, so that it cannot be taken for a repeat.
        yield at + kind.lateness * draw.randint(3, 9), t + kind.step // 2, value
        return
    soon = kind.lateness * 7 // 10
    yield at + (draw.randint(0, soon) if draw.random() < _DELAYED else 0), t, value
    again = draw.random()
    if again < _REPEATED + _CONTRADICTED:
        yield at + draw.randint(1, soon), t, value if again < _REPEATED else value + 1.0


def _judge(kind: Kind, span: int, sent: Sequence[tuple[int, int, float]]) -> Iterator[Arrival]:
    """The fate of each reading by the order of arrival.

    What would come so close to the limit of lateness that a rule's "less" or "at most" decided is
    left out of the input: the contract does not say which. So is what comes late into a gap, where
    a node may still put it in order.
    """
    newest = -1
    taken: set[int] = set()
    for at, t, value in sent:
        age = newest - t
        in_time = newest < 0 or age <= 0.8 * kind.lateness
        if t in taken:
            if in_time:
                yield Arrival(at, kind, t, value, Fate.REPEATED)
            continue
        if not in_time:
            settled = newest - 1.5 * kind.lateness
            if at > span - _PLAIN_END or not any(t < other <= settled for other in taken):
                continue
        taken.add(t)
        newest = max(newest, t)
        yield Arrival(at, kind, t, value, Fate.TAKEN if in_time else Fate.LATE)


def _passages(draw: random.Random, node: str, span: int) -> list[Passage]:
    passages: list[Passage] = []
    at = 0.0
    while (at := at + draw.expovariate(1 / _CROSSING_EVERY)) < span:
        for _ in range(2 if draw.random() < _TWINS else 1):  # two in the same millisecond stay two
            number = len(passages)
            passages.append(Passage(int(at), _crossing(draw, node, number, ORIGIN + int(at))))
    return passages


def _crossing(draw: random.Random, node: str, number: int, t: int) -> Crossing:
    return Crossing(
        id=f"{node}-{number}",
        t=t,
        camera=CAMERA,
        line=draw.choice(LINES),
        cls=draw.choice(("car", "bicycle", "person")),
        direction=draw.choice(("forward", "backward")),
        track=number,
        speed=round(draw.uniform(3, 70), 1) if draw.random() < _WITH_SPEED else None,
    )
