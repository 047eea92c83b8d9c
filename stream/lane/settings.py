"""What every lane of a stream is told."""

from typing import Final, Literal

from msgspec import Struct, field

from citynerve.topics import Topics
from stream.scenario import Scenarios

RawMode = Literal["scenario", "all", "none"]

MAX_SKEW: Final = 3_600_000


class LaneSettings(Struct, frozen=True, kw_only=True):
    """Settings of a lane.

    ``raw``: which observations are stored one by one: those whose scenario says so, all, or none.
    Outside ``none``, late and bad ones always are, since no window holds them. ``max_skew``: how
    far ahead of the stream's clock an observation may be, ms.
    """

    scenarios: Scenarios
    topics: Topics = field(default_factory=Topics)
    raw: RawMode = "scenario"
    max_skew: int = MAX_SKEW
