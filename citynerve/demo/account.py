"""Where every reading went: the nodes' own counts against what InfluxDB answers.

The nodes say, in the table ``counts`` of their spools, what they read and what they sent; what
still stands in a spool at the end is ``unsent``. InfluxDB says how many points are ``stored`` and,
for each window length, how many readings its closed windows have counted.

A datastream has *lost* what its node handed over and InfluxDB does not hold. Equal points overwrite
each other, so a reading that was taken in twice does not show there; it does in the windows, which
would have counted it twice. So *doubled* is what the windows have counted beyond what they may:
every distinct reading once, but for late ones and those outside the physical range. When the
inputs have ended and all windows are closed, what is missing there is lost, too.
"""

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import msgspec

from citynerve.errors import UnavailableError
from citynerve.influx import Influx, Series
from citynerve.influx.query import text
from citynerve.messages import BAD, Column


class Key(NamedTuple):
    """One datastream."""

    node: str
    sensor: str
    property: str


class Datastream(msgspec.Struct, kw_only=True):
    """One datastream's account; see the module's text."""

    node: str
    sensor: str
    property: str
    read: int
    distinct: int
    repeated: int
    late: int
    sent: int
    unsent: int
    stored: int
    bad: int
    windows: dict[str, int]
    lost: int
    doubled: int


class Counted(NamedTuple):
    """A node's own figures of one datastream."""

    read: int
    distinct: int
    repeated: int
    late: int
    sent: int


class _Body(msgspec.Struct):
    obs: list[Column] = []


_decode_json = msgspec.json.Decoder(_Body).decode
_decode_msgpack = msgspec.msgpack.Decoder(_Body).decode


class Spooled(NamedTuple):
    """What one spool says."""

    counts: dict[Key, Counted]
    unsent: dict[Key, int]


def read_spool(path: Path, node: str) -> Spooled:
    """What a node has counted, and what it still holds.

    Raises:
        UnavailableError: There is no spool, or it cannot be read.
    """
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as spool:
            rows = spool.execute(
                "SELECT sensor, property, read, distinct_, repeated, late, sent FROM counts"
            ).fetchall()
            bodies = [body for (body,) in spool.execute("SELECT body FROM batch")]
    except sqlite3.Error as error:
        raise UnavailableError("spool", where=str(path), problem=str(error)) from error
    counts = {Key(node, row[0], row[1]): Counted(*row[2:]) for row in rows}
    return Spooled(counts, _count(node, bodies))


def waiting(path: Path) -> int:
    """How many batches wait in a spool that may be in use; 0 where there is none yet."""
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as spool:
            # The ids have no gaps; to count the rows would read them all.
            (held,) = spool.execute("SELECT max(id) - min(id) + 1 FROM batch").fetchone()
    except sqlite3.Error:
        return 0
    return int(held or 0)


def _count(node: str, bodies: Iterable[bytes]) -> dict[Key, int]:
    unsent: defaultdict[Key, int] = defaultdict(int)
    for body in bodies:
        decoded = _decode_json(body) if body[:1] == b"{" else _decode_msgpack(body)
        for column in decoded.obs:
            unsent[Key(node, column.s, column.p)] += len(column.t)
    return dict(unsent)


class Stored(NamedTuple):
    """What InfluxDB holds: points, points out of range, and readings counted by each window."""

    points: dict[Key, int]
    bad: dict[Key, int]
    windows: dict[str, dict[Key, int]]


def of_nodes(nodes: Iterable[str]) -> str:
    """The InfluxQL condition that selects these nodes."""
    return " OR ".join(f"node = {text(node)}" for node in nodes)


def ask(influx: Influx, nodes: Iterable[str]) -> Stored:
    """Count what is stored of these nodes.

    Raises:
        UnavailableError: InfluxDB does not answer.
        ConfigError: InfluxDB refuses the queries.
    """
    where = of_nodes(nodes)
    raw, main = influx.config.raw, influx.config.main
    grouped = "GROUP BY node, sensor, property"
    points = f"SELECT count(value) FROM observation WHERE ({where})"  # noqa: S608 - quoted
    windows = f"SELECT sum(count) FROM aggregate WHERE ({where})"  # noqa: S608 - quoted
    by_window: dict[str, dict[Key, int]] = defaultdict(dict)
    for database in (raw, main):
        for series in influx.query(database, f'{windows} {grouped}, "window"'):
            # A sliding window ("10m/1m") counts each reading several times.
            if "/" not in series.tags["window"]:
                by_window[series.tags["window"]] |= _first([series])
    return Stored(
        _first(influx.query(raw, f"{points} {grouped}")),
        _first(influx.query(raw, f"{points} AND quality >= {BAD} {grouped}")),
        by_window,
    )


def _first(found: Iterable[Series]) -> dict[Key, int]:
    return {
        Key(s.tags["node"], s.tags["sensor"], s.tags["property"]): int(s.values[0][1])
        for s in found
    }


def settle(spools: Iterable[Spooled], stored: Stored, *, ended: bool) -> list[Datastream]:
    """Bring both sides together.

    Args:
        spools: What the nodes say.
        stored: What InfluxDB says.
        ended: All inputs have ended: nothing may be on its way, and all windows are closed.
    """
    counts: dict[Key, Counted] = {}
    unsent: dict[Key, int] = {}
    for spool in spools:
        counts |= spool.counts
        unsent |= spool.unsent
    keys = sorted({*counts, *stored.points})
    return [
        _datastream(key, counts.get(key, Counted(0, 0, 0, 0, 0)), unsent, stored, ended=ended)
        for key in keys
    ]


def _datastream(
    key: Key, counted: Counted, unsent: Mapping[Key, int], stored: Stored, *, ended: bool
) -> Datastream:
    points, bad, waiting = stored.points.get(key, 0), stored.bad.get(key, 0), unsent.get(key, 0)
    windows = {name: sums[key] for name, sums in stored.windows.items() if key in sums}
    due = counted.distinct if ended else counted.sent - waiting
    for_windows = counted.sent - counted.late - bad
    lost = max(0, due - points)
    if ended and windows:
        lost = max(lost, for_windows - min(windows.values()))
    doubled = max(0, points - counted.sent, max(windows.values(), default=0) - for_windows)
    return Datastream(
        node=key.node,
        sensor=key.sensor,
        property=key.property,
        **counted._asdict(),
        unsent=waiting,
        stored=points,
        bad=bad,
        windows=windows,
        lost=lost,
        doubled=doubled,
    )
