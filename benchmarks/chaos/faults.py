"""Which faults fall when: drawn from the seed, so that a schedule can be had again."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from benchmarks.chaos.proxy import Cut


class Strike(StrEnum):
    """The kinds of fault. Kills are ``kill -9``, followed by a start after a pause."""

    NODE = "kill node"
    STREAM = "kill stream"
    BROKER_KEPT = "kill broker, data kept"
    BROKER_LOST = "kill broker, data deleted"
    INFLUX = "kill InfluxDB"
    LINK_NODE = "cut node-broker"
    LINK_STREAM = "cut stream-broker"
    LINK_INFLUX = "cut stream-InfluxDB"


_CUTS: Final = frozenset({Strike.LINK_NODE, Strike.LINK_STREAM, Strike.LINK_INFLUX})
_AT_NODES: Final = frozenset({Strike.NODE, Strike.LINK_NODE})


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: ``at`` and ``pause`` in s, ``at`` from the start of the input.

    ``node`` is the index of the node that it hits, where it hits one; ``cut`` how a link is cut.
    """

    at: float
    strike: Strike
    pause: float
    node: int | None = None
    cut: Cut | None = None

    @property
    def target(self) -> str:
        """What is down or cut while it lasts; one fault at a time on each target."""
        kind = self.strike
        if self.node is not None:
            return f"{kind.value.split()[-1]} {self.node}"
        return "broker" if kind in (Strike.BROKER_KEPT, Strike.BROKER_LOST) else kind.value

    @property
    def label(self) -> str:
        """The kind, as reports count it."""
        return f"{self.strike} ({self.cut})" if self.cut is not None else str(self.strike)

    def at_node(self, node: int) -> "Fault":
        """The same fault at another node."""
        return replace(self, node=node)


def schedule(seed: int, count: int, seconds: float, nodes: int) -> Sequence[Fault]:
    """``count`` faults at random instants of ``seconds``; each kind as often as any other.

    Pauses are from a blink to a few seconds, so that some faults overlap.
    """
    draw = random.Random(f"faults/{seed}")
    kinds: list[Strike] = []
    while len(kinds) < count:
        turn = list(Strike)
        draw.shuffle(turn)
        kinds += turn
    faults = [
        Fault(
            at=draw.uniform(0.05, 0.95) * seconds,
            strike=kind,
            pause=round(draw.choice((0.05, draw.uniform(0.2, 1.5), draw.uniform(1.5, 5.0))), 2),
            node=draw.randrange(nodes) if kind in _AT_NODES else None,
            cut=_cut(draw, kind),
        )
        for kind in kinds[:count]
    ]
    return sorted(faults, key=lambda fault: fault.at)


def _cut(draw: random.Random, kind: Strike) -> Cut | None:
    if kind not in _CUTS:
        return None
    # A broker ends the older connection of a client that comes again: nothing can arrive late.
    return draw.choice([how for how in Cut if kind is Strike.LINK_INFLUX or how is not Cut.DELAY])
