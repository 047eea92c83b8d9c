"""What is in a recording, for people and for programs."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from simulators.recording.reader import File, Files
from simulators.recording.selection import Selection
from simulators.recording.shape import Gap
from simulators.recording.survey import Node, Survey


class Datastream(msgspec.Struct, frozen=True):
    """One datastream; times in ms since 1970 UTC."""

    sensor: str
    property: str
    observations: int
    late: int
    first: int | None
    last: int | None


class TermInfo(msgspec.Struct, frozen=True):
    """One term; ``missing``: first and last seq of each range that is not in the recording."""

    term: int
    hello: bool
    batches: int
    repeats: int
    superseded: int
    missing: list[tuple[int, int]]


class NodeInfo(msgspec.Struct, frozen=True):
    """One node."""

    node: str
    area: str | None
    observations: int
    pictures: int
    events: dict[str, int]
    terms: list[TermInfo]
    datastreams: list[Datastream]


class FileInfo(msgspec.Struct, frozen=True):
    """One file. ``closed``: ended in order; else what follows its last whole chunk is lost."""

    file: str
    bytes: int
    library: str
    closed: bool
    end: str | None
    lost_bytes: int
    damaged_chunks: int
    gaps: list[Gap]


class Info(msgspec.Struct, frozen=True):
    """A recording; times in ms since 1970 UTC."""

    root: str
    version: str | None
    start: int | None
    first: int | None
    last: int | None
    messages: int
    bytes: int
    retained: int
    topics: int
    kinds: dict[str, int]
    unreadable: dict[str, int]
    observations: int
    files: list[FileInfo]
    nodes: list[NodeInfo]

    def as_json(self) -> str:
        """One object."""
        return msgspec.json.format(msgspec.json.encode(self)).decode()

    def as_text(self, *, datastreams: bool = False) -> str:
        """For people.

        Args:
            datastreams: Each on a line.
        """
        return "\n".join(_lines(self, datastreams=datastreams))


def look(paths: Sequence[Path]) -> Info:
    """Go through a recording.

    Raises:
        CityNerveError: It is none, or cannot be read.
    """
    files = Files.open(paths)
    survey = Survey.of(files.messages())
    begun = files.files[0].begun
    nodes = [_node(name, node) for name, node in sorted(survey.nodes.items())]
    known = survey.first <= survey.last
    return Info(
        root=files.root,
        version=begun.version if begun else None,
        start=begun.start if begun else None,
        first=survey.first if known else None,
        last=survey.last if known else None,
        messages=sum(survey.messages.values()),
        bytes=survey.size,
        retained=survey.retained,
        topics=len(survey.topics),
        kinds=dict(survey.messages.most_common()),
        unreadable=dict(survey.refused.most_common()),
        observations=sum(node.observations for node in nodes),
        files=[_file(file) for file in files.files],
        nodes=nodes,
    )


def _file(file: File) -> FileInfo:
    return FileInfo(
        file=str(file.path),
        bytes=file.size,
        library=file.library,
        closed=file.closed,
        end=file.end.why if file.end else None,
        lost_bytes=file.lost_bytes,
        damaged_chunks=file.damaged,
        gaps=list(file.gaps),
    )


def _node(name: str, node: Node) -> NodeInfo:
    areas = [term.about.area for _, term in sorted(node.terms.items()) if term.about]
    missing = Selection(node).missing()
    terms = [
        TermInfo(
            term=number,
            hello=term.about is not None,
            batches=len(term.seqs),
            repeats=term.repeats,
            superseded=len(term.seqs) - len(node.taken(number)),
            missing=[(one.first, one.last) for one in missing if one.term == number],
        )
        for number, term in sorted(node.terms.items())
    ]
    datastreams = [
        Datastream(
            sensor,
            prop,
            one.count,
            one.late,
            one.first if one.count else None,
            one.last if one.count else None,
        )
        for (sensor, prop), one in sorted(node.series.items())
    ]
    return NodeInfo(
        node=name,
        area=areas[-1] if areas else None,
        observations=sum(one.observations for one in datastreams),
        pictures=node.pictures,
        events=dict(sorted(node.events.items())),
        terms=terms,
        datastreams=datastreams,
    )


def _lines(info: Info, *, datastreams: bool) -> Iterator[str]:
    span = f"{moment(info.first)} to {moment(info.last)}" if info.first is not None else "nothing"
    length = f" ({duration((info.last or 0) - info.first)})" if info.first is not None else ""
    yield f"span          {span}{length}"
    begun = f", begun {moment(info.start)} by citynerve {info.version}" if info.version else ""
    yield f"root          {info.root}{begun}"
    kinds = ", ".join(f"{count} {kind}" for kind, count in info.kinds.items())
    yield f"messages      {info.messages} on {info.topics} topics, {size(info.bytes)}: {kinds}"
    if info.retained:
        yield f"              {info.retained} of them had been kept by the broker from before"
    unreadable = ", ".join(f"{count} {reason}" for reason, count in info.unreadable.items())
    yield f"unreadable    {unreadable or 'none'}"
    for file in info.files:
        yield from _file_lines(file)
    streams = sum(len(node.datastreams) for node in info.nodes)
    yield (
        f"contents      {len(info.nodes)} nodes, {streams} datastreams,"
        f" {info.observations} observations"
    )
    if info.nodes:
        yield ""
        yield from _table(info.nodes)
    for node in info.nodes:
        yield from _blemishes(node)
    if datastreams:
        yield ""
        yield from _datastreams(info.nodes)


def _file_lines(file: FileInfo) -> Iterator[str]:
    if file.closed:
        state = f"whole ({file.end})" if file.end else "whole"
    else:
        state = f"not closed: cut off; {size(file.lost_bytes)} at its end cannot be read"
    damage = f", {file.damaged_chunks} damaged chunks" if file.damaged_chunks else ""
    yield f"file          {file.file}  {size(file.bytes)}, {state}{damage}"
    for gap in file.gaps:
        yield f"  gap         {moment(gap.start)} for {duration(gap.end - gap.start)}: {gap.why}"


def _table(nodes: Sequence[NodeInfo]) -> Iterator[str]:
    width = max(4, *(len(node.node) for node in nodes))
    yield (
        f"{'node':{width}}  {'observations':>12} {'late':>6} {'events':>6} {'streams':>7}"
        f" {'terms':>5} {'batches':>8} {'repeats':>7}  area"
    )
    for node in nodes:
        late = sum(one.late for one in node.datastreams)
        played = [term for term in node.terms if term.batches]
        yield (
            f"{node.node:{width}}  {node.observations:12d} {late:6d}"
            f" {sum(node.events.values()):6d} {len(node.datastreams):7d} {len(played):5d}"
            f" {sum(t.batches for t in played):8d} {sum(t.repeats for t in played):7d}"
            f"  {node.area or 'not told'}"
        )


def _blemishes(node: NodeInfo) -> Iterator[str]:
    for term in node.terms:
        where = f"{node.node}, term {term.term}"
        if term.batches and not term.hello:
            yield f"{where}: its hello is not in the recording"
        if term.superseded:
            yield f"{where}: {term.superseded} batches were sent again in the next term"
        for first, last in term.missing:
            seqs = f"batch {first}" if first == last else f"batches {first} to {last}"
            yield f"{where}: {seqs} not in the recording: not heard, or given up by the node"


def _datastreams(nodes: Sequence[NodeInfo]) -> Iterator[str]:
    for node in nodes:
        for one in node.datastreams:
            span = f"{moment(one.first)} to {moment(one.last)}" if one.observations else "nothing"
            late = f", {one.late} late" if one.late else ""
            yield (
                f"{node.node} {one.sensor} {one.property}: {one.observations} observations{late},"
                f" {span}"
            )


def moment(ms: int | None) -> str:
    """A moment for people, in UTC; what no calendar has, as a number."""
    if ms is None:
        return "unknown"
    try:
        return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (OverflowError, ValueError, OSError):
        return f"{ms} ms"


def duration(ms: int) -> str:
    """A span for people.

    >>> duration(350), duration(90_000), duration(90_061_000)
    ('0.4 s', '1 min 30 s', '1 d 1 h 1 min')
    """
    if ms < 60_000:  # noqa: PLR2004 - a minute
        return f"{ms / 1000:.1f} s"
    seconds = ms // 1000
    parts = [(seconds // 86_400, "d"), (seconds // 3_600 % 24, "h"), (seconds // 60 % 60, "min")]
    if seconds < 3_600:  # noqa: PLR2004 - an hour
        parts.append((seconds % 60, "s"))
    return " ".join(f"{count} {unit}" for count, unit in parts if count)


def size(count: int) -> str:
    """Bytes for people.

    >>> size(900), size(1_500_000)
    ('900 B', '1.5 MB')
    """
    for unit, name in ((1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "kB")):
        if count >= unit:
            return f"{count / unit:.1f} {name}"
    return f"{count} B"
