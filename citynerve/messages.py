"""What travels over MQTT, as typed structs.

All times are integer milliseconds since 1970-01-01T00:00:00Z, all spans integer milliseconds,
unless a field says otherwise. Unknown fields are ignored, so that an older reader takes a newer
writer's messages. Names are constrained by the JSON Schema; readers on the hot
path check them once per datastream, not once per message.

The JSON Schema in ``citynerve/schema/`` is generated from these structs by
``python -m citynerve.schema``.
"""

from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from citynerve.topics import AREA_PATTERN, NAME_PATTERN, NODE_PATTERN

# Stated in the schema, not enforced by the decoder: a regular expression per name would cost more
# than all the rest of decoding. The stream enforces them when it first meets a node or datastream.
NodeId = Annotated[str, Meta(extra_json_schema={"pattern": NODE_PATTERN})]
Name = Annotated[str, Meta(extra_json_schema={"pattern": NAME_PATTERN})]
Area = Annotated[str, Meta(extra_json_schema={"pattern": AREA_PATTERN})]
Millis = Annotated[int, Meta(description="Milliseconds since 1970-01-01T00:00:00Z")]
Span = Annotated[int, Meta(ge=0, description="A span in milliseconds")]
Term = Annotated[int, Meta(ge=0, lt=1 << 52, description="n << 32 | random32, n < 2**20; 0: none")]
Seq = Annotated[int, Meta(ge=0, lt=1 << 52)]
OpenTerm = Annotated[int, Meta(gt=0, lt=1 << 52, description="n << 32 | random32, n < 2**20")]
BatchSeq = Annotated[int, Meta(ge=1, lt=1 << 52)]

GOOD, UNCERTAIN, BAD = 0, 1, 2


class Position(Struct, frozen=True, omit_defaults=True):
    """WGS 84, degrees."""

    lat: Annotated[float, Meta(ge=-90, le=90)]
    lon: Annotated[float, Meta(ge=-180, le=180)]


class PropertyAbout(Struct, frozen=True, omit_defaults=True):
    """One observed property of a sensor."""

    name: Name
    unit: Annotated[str, Meta(description="UCUM code, for example km/h, Cel, %, 1")]
    range: tuple[float, float] | None = None
    lateness: Annotated[int, Meta(ge=0, description="The node sorts within this span, ms")] = 0


class SensorAbout(Struct, frozen=True, omit_defaults=True):
    """One sensor (or camera seen as a sensor) of a node."""

    name: Name
    properties: tuple[PropertyAbout, ...] = ()
    position: Position | None = None


class CameraAbout(Struct, frozen=True, omit_defaults=True):
    """One camera of a node: what its events may name."""

    name: Name
    lines: tuple[Name, ...] = ()
    zones: tuple[Name, ...] = ()
    model: str | None = None


class About(Struct, frozen=True, omit_defaults=True):
    """What a node is. When any of it changes, the node opens a new term."""

    area: Area
    position: Position | None = None
    sensors: tuple[SensorAbout, ...] = ()
    cameras: tuple[CameraAbout, ...] = ()
    models: dict[str, str] = {}
    versions: dict[str, str] = {}


class Hello(Struct, frozen=True):
    """A node proposes a term; nothing but a hello opens one, and only a greater one.

    Published at QoS 1 to ``obs/<shard>/<node>`` below the root, as batches are. The shard is the
    first hex digit of BLAKE2b with a digest of one byte over the node's id (``b2sum -l 8``). Acks
    come on ``ack/<shard>/<node>``, always in JSON, not retained.

    Repeat it every few seconds until an ack carries its term; send no batch before. An ack with a
    greater term refuses it: propose one above that. A node keeps its last term on disk, and every
    start of it takes the next ``n`` with new random bits. Of batches sent in an earlier term, those
    that the answer's ``prev_term`` and ``prev_committed`` cover are committed; the rest is numbered
    anew from 1. ``about`` holds for the term that it opens: the same term again changes nothing.
    """

    node: NodeId
    term: OpenTerm
    about: About
    sent: Millis


class HelloMessage(Struct, frozen=True):
    """The envelope that tells a hello from a batch on the same topic."""

    hello: Hello


class Column(Struct, omit_defaults=True):
    """Observations of one datastream: strictly increasing ``t``, as many ``v``, and ``q`` if given.

    Times increase across columns, batches and terms, too: an unmarked one at or before the
    datastream's watermark is refused. The watermark is the last unmarked time, or ``wm``, which
    promises that no unmarked observation at or before it will follow.
    ``late`` marks observations that came after the sensor's lateness: stored, in no window, and
    free of the rule that times increase across batches.
    """

    s: Name
    p: Name
    t: list[int] = []
    v: list[float] = []
    q: list[int] | None = None
    wm: int | None = None
    late: bool = False


class _Event(Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="type"):
    id: Annotated[str, Meta(max_length=64, description="Unique in the node")]
    t: Millis
    camera: Name


class Crossing(_Event, frozen=True, kw_only=True, omit_defaults=True, tag="crossing"):
    """A track passed a counting line. ``speed`` in km/h where the ground plane is known."""

    line: Name
    cls: Name = field(name="class")
    direction: Name
    track: int
    speed: float | None = None


class Dwell(_Event, frozen=True, kw_only=True, omit_defaults=True, tag="dwell"):
    """A track left a zone after ``seconds`` inside."""

    zone: Name
    cls: Name = field(name="class")
    track: int
    seconds: float


class WrongWay(_Event, frozen=True, kw_only=True, omit_defaults=True, tag="wrong_way"):
    """A track moved against a zone's direction."""

    zone: Name
    cls: Name = field(name="class")
    track: int


class Stopped(_Event, frozen=True, kw_only=True, omit_defaults=True, tag="stopped"):
    """A vehicle stands where vehicles should not, for ``seconds`` so far; reported once."""

    zone: Name
    cls: Name = field(name="class")
    track: int
    seconds: float


class Crowd(_Event, frozen=True, kw_only=True, omit_defaults=True, tag="crowd"):
    """A zone holds more people than its limit: ``value`` of them."""

    zone: Name
    value: float


Event = Crossing | Dwell | WrongWay | Stopped | Crowd


class Evidence(Struct, frozen=True):
    """A still with people and plates made unrecognisable. Base64 in JSON, binary in MessagePack."""

    id: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
    t: Millis
    camera: Name
    jpeg: bytes


class Batch(Struct, omit_defaults=True):
    """What a node sends at once; ``seq`` counts from 1 without gaps in its term.

    ``oldest`` is the lowest seq that the node still holds, at the time of sending. A batch is taken
    in if it is the next of the open term, or if it is the node's oldest, those before having been
    given up. Any other is dropped and answered with an ack; send again from ``committed + 1``, in
    order. Columns and readings that are refused (see Rejected) count as committed with the rest; a
    batch that does not fit this schema is refused whole, without an ack. ``want_ack`` asks for an
    ack at the next commit, about a second away; without it, one comes within some seconds. At most
    16 KiB, or 512 KiB with a picture.
    """

    node: NodeId
    term: OpenTerm
    seq: BatchSeq
    oldest: BatchSeq
    sent: Millis
    obs: list[Column] = []
    events: list[Event] = []
    evidence: list[Evidence] = []
    want_ack: bool = False


class Ack(Struct, frozen=True):
    """What the stream has durably taken in from a node; nothing else allows it to delete a batch.

    Everything up to ``committed`` of ``term`` is committed: stored, or refused and reported.
    ``prev_term`` is the last term before in which anything was committed, ``prev_committed`` how
    far. A ``term`` below the node's own, or 0, means that the stream does not know it: say hello
    with a greater one. A ``term`` above it means that another node of this name runs.

    ``credit`` bytes of batches may be unacknowledged, or one batch of any size; without progress
    the node sends again from ``committed + 1`` after ``retry`` ms, doubling. ``stream`` identifies
    the recovery store: a node takes acks of the first that answered it, of no other. ``start``
    grows with each run of the stream: what is unacknowledged is then sent again at once.
    """

    term: Term
    committed: Seq
    prev_term: Term
    prev_committed: Seq
    credit: Annotated[int, Meta(ge=1, description="Bytes")]
    retry: Span
    stream: str
    start: int


class Health(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How a node is, in figures since its process started unless said otherwise."""

    state: Literal["ok", "degraded", "failing"] = "ok"
    problems: tuple[str, ...] = ()
    spool_batches: int = 0
    spool_bytes: int = 0
    sent_batches: int = 0
    resent_batches: int = 0
    observations: int = 0
    repeated: Annotated[int, Meta(description="Readings dropped as repeats, ever")] = 0
    late: Annotated[int, Meta(description="Readings later than their sensor's lateness, ever")] = 0
    given_up: Annotated[int, Meta(description="Batches given up for lack of space, ever")] = 0
    dropped: Annotated[int, Meta(description="Observations never spooled, ever")] = 0
    reconnects: int = 0
    done: Annotated[bool, Meta(description="All inputs have ended and all is committed")] = False
    clock_offset: Annotated[int | None, Meta(description="Node less stream clock, ms")] = None


class Status(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A node's retained status. The last will is one with ``online`` false."""

    node: NodeId
    online: bool
    sent: Millis
    term: int = 0
    health: Health | None = None
    versions: dict[str, str] = {}


class Owner(Struct, frozen=True, omit_defaults=True):
    """The retained claim of a stream: which store, which run of it, and whether it still runs."""

    store: str
    start: int
    online: bool
    version: str = ""


class AnomalyEvent(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An anomaly as people and other systems hear of it. ``t`` is the opening."""

    id: str
    node: NodeId
    sensor: Name
    property: Name
    district: Name
    kind: str
    severity: float
    score: float
    t: Millis
    value: float
    expected: float | None = None
    low: float | None = None
    high: float | None = None
    ended: Millis | None = None
    reason: str = ""


class Rejected(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What could not be taken in. ``sample`` is the head of the payload, escaped.

    Whole payloads: ``json``, ``schema``, ``size``, ``node`` or ``shard`` (not the topic's),
    ``topic``, ``name``. Columns, events: ``order``, ``shape``, ``undeclared``, ``unit``, ``name``.
    Readings: ``old``, ``nan``, ``future``. InfluxDB's own refusals: ``influx``. Of one node and
    reason, ``count`` in all are told at once, and ``detail`` is of the first.
    """

    reason: str
    detail: str
    topic: str
    sent: Millis
    node: str | None = None
    count: int = 1
    sample: str = ""
