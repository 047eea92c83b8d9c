"""What one call of a lane gives: everything that leaves it, for the flow to send on."""

from dataclasses import dataclass, field
from typing import NamedTuple

from citynerve.messages import AnomalyEvent, Evidence, Rejected
from stream.lane.windows import Records


class AckState(NamedTuple):
    """A node's place in the protocol after this call; published once it is committed.

    ``urgent``: at the very next commit (a hello, a refused batch, a node that asked); otherwise
    within the delayed acknowledgement's time.
    """

    term: int
    committed: int
    prev_term: int
    prev_committed: int
    urgent: bool


class Closed(NamedTuple):
    """Windows that closed, of one district, property and length: for roll-ups.

    ``window`` as the tag. ``records``: one ``stream.lane.windows.CLOSED`` for each datastream and
    window, one or more; their means are finite.
    """

    district: str
    property: str
    window: str
    records: Records


class Picture(NamedTuple):
    """A picture that ``node`` sent; no other of that node's has its id."""

    node: str
    evidence: Evidence


@dataclass(slots=True)
class LaneOutput:
    """Lists stay empty where nothing happened. Lines are line protocol in ns, without newline.

    ``raw`` is for the raw database, ``lines`` for the main one. ``batches`` and ``observations``
    count what was admitted and stored or aggregated, ``dropped`` what was not admitted, by reason:
    ``duplicate``, ``gap``, ``term`` (batches), ``status`` (of a node that never said hello).
    """

    raw: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    acks: dict[str, AckState] = field(default_factory=dict)
    closed: list[Closed] = field(default_factory=list)
    anomalies: list[AnomalyEvent] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    evidence: list[Picture] = field(default_factory=list)
    batches: int = 0
    observations: int = 0
    dropped: dict[str, int] = field(default_factory=dict)
