"""When each message of a recording is played, and by how much times move.

All times are ms. The recording's clock is when messages arrived; phenomenon times are those of
observations and events.
"""

from typing import Literal, NamedTuple

from citynerve.parameters import Speed
from simulators.recording.survey import Survey

Times = Literal["kept", "now"]


class Extent(NamedTuple):
    """What is played, in time: on the recording's clock, and by phenomenon times.

    ``interval``: between two readings of the liveliest datastream, about; what a turn of a loop
    keeps from the next.
    """

    begin: int
    end: int
    first: int
    last: int
    interval: int

    @property
    def span(self) -> int:
        """On the recording's clock."""
        return self.end - self.begin

    @property
    def turn(self) -> int:
        """By how much phenomenon times move on with each turn of a loop."""
        return max(self.span, self.last - self.first) + self.interval


def extent(survey: Survey, nodes: list[str]) -> Extent:
    """That of these nodes' batches."""
    chosen = [survey.nodes[name] for name in nodes]
    terms = [term for node in chosen for term in node.terms.values() if len(term.seqs)]
    series = [one for node in chosen for one in node.series.values() if one.count > one.late]
    begin = min(term.first for term in terms)
    end = max(term.last for term in terms)
    lively = [(one.last - one.first) // (one.count - 1) for one in series if one.count > 1]
    return Extent(
        begin,
        end,
        min((one.first for one in series), default=begin),
        max((one.last for one in series), default=end),
        max(1, min(lively, default=1)),
    )


def shift(extent: Extent, times: Times, speed: Speed, now: int) -> int:
    """By how much the first turn's times move.

    With ``now``: so that the beginning becomes the present. Faster than the clock, so that the end
    will be the present when it is reached: the stream takes no times that are ahead of its clock.

    >>> shift(Extent(1_000, 61_000, 1_000, 61_000, 1), "now", 1.0, 501_000)
    500000
    >>> shift(Extent(1_000, 61_000, 1_000, 61_000, 1), "now", "max", 501_000)
    440000
    """
    if times == "kept":
        return 0
    gained = 0.0 if speed == "max" else min(1.0, 1 / speed)
    return now - extent.begin - round(extent.span * (1 - gained))


class Pace:
    """When a message is due.

    Args:
        extent: Of what is played.
        speed: Recorded over real time.
        origin: When the replay was begun, ms since 1970 UTC; the same after a restart.
    """

    def __init__(self, extent: Extent, speed: Speed, origin: int) -> None:
        self._extent = extent
        self._speed = speed
        self._origin = origin

    def due(self, turn: int, at: int) -> int:
        """When (ms since 1970 UTC) what arrived at ``at`` is due in a turn."""
        if self._speed == "max":
            return 0
        recorded = turn * (self._extent.span + self._extent.interval) + at - self._extent.begin
        return self._origin + round(recorded / self._speed)

    @staticmethod
    def clear(newest: int, at: int, offset: int) -> int:
        """From when on (ms since 1970 UTC) times are no more ahead of the clock than once.

        Args:
            newest: The greatest time of a batch, as recorded.
            at: When it arrived.
            offset: By how much its times move.
        """
        return min(newest, at) + offset if offset else 0
