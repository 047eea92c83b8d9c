"""Test vectors of the wire contract: what an implementation in another language must agree with.

Written to ``citynerve/schema/vectors/`` by ``python -m citynerve.schema``. The messages stand here
as plain data and as literal bytes, not as our structs, so that they test these too.
"""

import json
from typing import Any, Final

import msgspec

from citynerve.topics import Topics, shard

_TERM: Final = (1 << 32) | 0x5EED5EED
_T: Final = 1_409_529_600_000

_ABOUT: Final[dict[str, Any]] = {
    "area": "aarhus/midtbyen/norreport",
    "position": {"lat": 56.1618, "lon": 10.2117},
    "sensors": [
        {
            "name": "loop-1",
            "properties": [
                {"name": "speed", "unit": "km/h", "range": [0, 300]},
                {"name": "vehicles", "unit": "1", "lateness": 60000},
            ],
        }
    ],
    "cameras": [{"name": "north", "lines": ["stop-line"], "zones": ["crossing"]}],
    "versions": {"agent": "1.0"},
}
_HELLO: Final[dict[str, Any]] = {"node": "node-0", "term": _TERM, "about": _ABOUT, "sent": _T}
_BATCH: Final[dict[str, Any]] = {
    "node": "node-0",
    "term": _TERM,
    "seq": 1,
    "oldest": 1,
    "sent": _T + 2500,
    "obs": [
        {"s": "loop-1", "p": "speed", "t": [_T, _T + 1000], "v": [48.5, 51]},
        {"s": "loop-1", "p": "vehicles", "t": [_T], "v": [3], "q": [1], "wm": _T + 1000},
    ],
    "want_ack": True,
}


def _batch(**changes: object) -> dict[str, Any]:
    return {**_BATCH, **changes}


def _columns(*columns: dict[str, Any]) -> dict[str, Any]:
    return _batch(obs=list(columns))


def _column(**changes: object) -> dict[str, Any]:
    return {"s": "loop-1", "p": "speed", "t": [_T, _T + 1000], "v": [48.5, 51], **changes}


_VALID: Final[list[tuple[str, str, dict[str, Any]]]] = [
    ("the least hello", "hello", {"hello": {**_HELLO, "about": {"area": "aarhus"}}}),
    ("a hello with sensors and a camera", "hello", {"hello": _HELLO}),
    ("two columns", "batch", _BATCH),
    ("an empty batch", "batch", _batch(obs=[])),
    ("later than the lateness", "batch", _columns(_column(late=True, t=[_T - 9, _T - 5]))),
    ("a watermark alone", "batch", _columns({"s": "loop-1", "p": "speed", "wm": _T + 3_600_000})),
    ("a field of a later version", "batch", _batch(colour="green")),
    ("the second batch, the first given up", "batch", _batch(seq=2, oldest=2)),
    (
        "events of every kind",
        "batch",
        _batch(
            obs=[],
            events=[
                {"type": "crossing", "id": "c-1", "t": _T, "camera": "north", "line": "stop-line"}
                | {"class": "car", "direction": "in", "track": 7, "speed": 31.5},
                {"type": "dwell", "id": "d-1", "t": _T, "camera": "north", "zone": "crossing"}
                | {"class": "person", "track": 8, "seconds": 12.25},
                {"type": "wrong_way", "id": "w-1", "t": _T, "camera": "north", "zone": "crossing"}
                | {"class": "car", "track": 9},
                {"type": "stopped", "id": "s-1", "t": _T, "camera": "north", "zone": "crossing"}
                | {"class": "bus", "track": 10, "seconds": 60},
                {"type": "crowd", "id": "k-1", "t": _T, "camera": "north", "zone": "crossing"}
                | {"value": 41},
            ],
        ),
    ),
    (
        "an acknowledgement",
        "ack",
        {"term": _TERM, "committed": 1, "prev_term": 0, "prev_committed": 0}
        | {"credit": 65536, "retry": 10000, "stream": "0f2a", "start": 3},
    ),
    ("a last will", "status", {"node": "node-0", "online": False, "sent": _T}),
    (
        "a status with health",
        "status",
        {"node": "node-0", "online": True, "sent": _T, "term": _TERM}
        | {"health": {"state": "degraded", "problems": ["the disk is full"], "given_up": 4}},
    ),
    ("a claim", "owner", {"store": "0f2a", "start": 3, "online": True, "version": "0.1.0"}),
    (
        "an anomaly",
        "anomaly",
        {"id": "a-1", "node": "node-0", "sensor": "loop-1", "property": "speed"}
        | {"district": "midtbyen", "kind": "spike", "severity": 0.6, "score": 11.5, "t": _T}
        | {"value": 190, "expected": 48.5, "low": 30, "high": 67},
    ),
    (
        "a refusal",
        "rejected",
        {"reason": "json", "detail": "empty payload", "topic": "city/v1/obs/4/node-0", "sent": _T},
    ),
]

_OBS: Final = Topics().obs("node-0")

_CLOCK: Final = _T + 60_000
_AHEAD: Final = _CLOCK + 3_600_000

# After the second hello above, in one batch: (name, columns, how many values are stored, how many
# are refused for which reason). A column without values counts as one.
_COLUMNS: Final[list[tuple[str, list[dict[str, Any]], int, dict[str, int]]]] = [
    ("in order", [_column()], 2, {}),
    ("on in the next column", [_column(), _column(t=[_T + 1001, _T + 1002])], 4, {}),
    ("no value", [_column(t=[], v=[])], 0, {}),
    ("quality codes", [_column(q=[1, 2])], 2, {}),
    ("an undeclared property", [_column(p="noise")], 0, {"undeclared": 2}),
    ("an undeclared sensor", [_column(s="loop-2")], 0, {"undeclared": 2}),
    ("the others of a batch", [_column(p="noise"), _column()], 2, {"undeclared": 2}),
    ("more values than times", [_column(v=[1, 2, 3])], 0, {"shape": 2}),
    ("fewer codes than values", [_column(q=[1])], 0, {"shape": 2}),
    ("a time twice", [_column(t=[_T, _T])], 0, {"order": 2}),
    ("times that decrease", [_column(t=[_T + 1000, _T])], 0, {"order": 2}),
    ("at the watermark", [_column(), _column()], 2, {"old": 2}),
    (
        "a watermark passes",
        [_column(wm=_T + 5000), _column(t=[_T + 5000, _T + 5001])],
        3,
        {"old": 1},
    ),
    ("late, and said so", [_column(), _column(t=[_T - 9, _T - 5], late=True)], 4, {}),
    ("an hour ahead of the clock", [_column(t=[_T, _AHEAD])], 2, {}),
    ("more than that", [_column(t=[_T, _AHEAD + 1])], 1, {"future": 1}),
    (
        "nothing follows the future",
        [_column(t=[_AHEAD + 1, _AHEAD + 2]), _column()],
        2,
        {"future": 2},
    ),
]

# Refused whole: nothing of it is taken in, and the sender's seq does not move.
_INVALID_TEXT: Final[list[tuple[str, str, str]]] = [
    ("no payload", "json", ""),
    ("no JSON", "json", "hello"),
    ("a cut-off text", "json", '{"node":"node-0","term":'),
    ("not a number", "json", json.dumps(_columns(_column(v=[float("nan"), 51])))),
    ("a list", "json", "[1,2]"),
    ("neither hello nor batch", "schema", "{}"),
    ("a batch without seq", "schema", json.dumps({k: v for k, v in _BATCH.items() if k != "seq"})),
    ("seq 0", "schema", json.dumps(_batch(seq=0))),
    ("term 0", "schema", json.dumps(_batch(term=0))),
    ("a term of 2**52", "schema", json.dumps(_batch(term=1 << 52))),
    ("a time that is text", "schema", json.dumps(_columns(_column(t=["2014-09-01", _T])))),
    ("a time with a fraction", "schema", json.dumps(_columns(_column(t=[_T + 0.5, _T + 1000])))),
    ("a value that is text", "schema", json.dumps(_columns(_column(v=["48.5", 51])))),
    ("a value that is null", "schema", json.dumps(_columns(_column(v=[None, 51])))),
    ("a column without sensor", "schema", json.dumps(_columns({"p": "speed", "t": [], "v": []}))),
    ("an unknown kind of event", "schema", json.dumps(_batch(events=[{"type": "rain"}]))),
    ("a hello without area", "schema", json.dumps({"hello": {**_HELLO, "about": {}}})),
    (
        "a latitude of 91",
        "schema",
        json.dumps(
            {"hello": {**_HELLO, "about": {"area": "a", "position": {"lat": 91, "lon": 0}}}}
        ),
    ),
]
_INVALID_HEX: Final[list[tuple[str, str, bytes]]] = [
    ("neither format", "json", b"\xff\x00\x01"),
    ("JSON text that is not UTF-8", "json", b'{"node":"\xff"}'),
    ("a cut-off MessagePack map", "json", msgspec.msgpack.encode(_BATCH)[:-3]),
    ("MessagePack of another shape", "schema", msgspec.msgpack.encode({"node": 5})),
]


def _valid(name: str, kind: str, message: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": name,
        "schema": kind,
        "message": message,
        "json": json.dumps(message, separators=(",", ":")),
        "msgpack": msgspec.msgpack.encode(message).hex(),
    }


_NODES: Final = ("node-0", "cam-nw-01", "a", "gauge-7", "0", "road-01", "z" * 63)

ALL: Final[dict[str, Any]] = {
    "valid": [_valid(*entry) for entry in _VALID],
    "invalid": [
        *({"name": n, "topic": _OBS, "reason": r, "text": t} for n, r, t in _INVALID_TEXT),
        *({"name": n, "topic": _OBS, "reason": r, "hex": b.hex()} for n, r, b in _INVALID_HEX),
    ],
    "columns": {
        "hello": {"hello": _HELLO},
        "clock": _CLOCK,
        "cases": [
            {"name": name, "columns": columns, "stored": stored, "refused": refused}
            for name, columns, stored, refused in _COLUMNS
        ],
    },
    "shards": [
        {
            "node": node,
            "shard": shard(node),
            "obs": Topics().obs(node),
            "ack": Topics().ack(node),
            "status": Topics().status(node),
        }
        for node in _NODES
    ],
    "names": {
        "node": {
            "valid": ["a", "7", "node-0", "z" * 63],
            "invalid": ["", "-a", "A", "a_b", "a/b", "a b", "å", "a\n", "z" * 64],
        },
        "name": {
            "valid": ["speed", "pm25", "water_level", "loop-1", "0", "z" * 63],
            "invalid": ["", "_x", "-x", "Speed", "a/b", "a.b", "+", "#", "a\n", "z" * 64],
        },
        "area": {
            "valid": ["aarhus", "aarhus/midtbyen", "a/b/c/d/e"],
            "invalid": ["", "/", "a/", "/a", "a//b", "A/b", "a/b c", "a\n"],
        },
    },
}
"""File name (without ending) to content."""
