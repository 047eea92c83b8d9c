"""Recordings made by hand: what the tests of their parts share."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from citynerve.codec import encode
from citynerve.messages import (
    About,
    Ack,
    Batch,
    CameraAbout,
    Column,
    Event,
    Evidence,
    Hello,
    HelloMessage,
    PropertyAbout,
    SensorAbout,
)
from citynerve.topics import Topics
from simulators.recording.reader import File, Source, Stored
from simulators.recording.shape import LIVE, NS, Begun
from simulators.recording.writer import Heard, Recording

TOPICS = Topics()
T0 = 1_700_000_000_000 - 1_700_000_000_000 % 600_000
"""A start of windows of every size, ms."""
NODE = "node-0"
TERM = 1 << 32 | 7
BEGUN = Begun("city/v1", "test", T0, 1, "#", "mqtt://nowhere")


def about(*properties: str, area: str = "town/centre/square") -> About:
    """One sensor ``s``, and a camera."""
    declared = tuple(PropertyAbout(name, "1") for name in properties)
    return About(area, sensors=(SensorAbout("s", declared),), cameras=(CameraAbout("gate"),))


def hello(term: int = TERM, *, node: str = NODE, described: About | None = None) -> bytes:
    """A hello."""
    told = about("a", "b") if described is None else described
    return encode(HelloMessage(Hello(node, term, told, T0)))


def batch(
    seq: int,
    columns: Sequence[Column] = (),
    *,
    node: str = NODE,
    term: int = TERM,
    events: Sequence[Event] = (),
    evidence: Sequence[Evidence] = (),
) -> Batch:
    """A batch; without columns, with a reading of ``a`` that tells its seq."""
    obs = list(columns) or [Column("s", "a", [T0 + 1000 * seq], [float(seq)])]
    return Batch(node, term, seq, 1, T0 + seq, obs, list(events), list(evidence))


def ack(term: int, committed: int, prev_term: int = 0, prev_committed: int = 0) -> bytes:
    """An acknowledgement."""
    return encode(Ack(term, committed, prev_term, prev_committed, 1 << 16, 1000, "store", 1))


def stored(payload: bytes | Batch, at: int, *, node: str = NODE, kind: str = "obs") -> Stored:
    """A message as it is read; ``at`` in ms after ``T0``."""
    topic = TOPICS.obs(node) if kind == "obs" else TOPICS.ack(node)
    data = encode(payload) if isinstance(payload, Batch) else payload
    return Stored(Source(topic, kind, node, "json", LIVE), T0 + at, data)


def record(path: Path, messages: Iterable[Stored], *, close: bool = True) -> Path:
    """A file of these messages, each in a chunk of its own."""
    recording = Recording(path, BEGUN)
    last = T0
    for source, at, payload in messages:
        last = at
        recording.write(Heard(source.topic, payload, at * NS, source.mark))
        recording.flush(at * NS)
    if close:
        recording.close("told to end", last * NS)
    else:
        recording.abandon()
    return path


def read(path: Path) -> tuple[File, list[Stored]]:
    """A file and its messages."""
    file = File.open(path)
    return file, list(file.messages())
