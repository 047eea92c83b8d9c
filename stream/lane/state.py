"""A lane's state as bytes, with a version.

What seldom changes (names and descriptions of nodes) is encoded apart, so that it can be kept from
one snapshot to the next; the rest are the arrays' own bytes.
"""

from typing import Final, TypeVar

import msgspec
import numpy as np
from msgspec import Struct

from citynerve.errors import RefusedError
from citynerve.messages import About
from stream.lane.admission import NodeTerm
from stream.lane.nodes import Registry
from stream.lane.windows import STATE, Records
from stream.scenario import Scenarios

VERSION: Final = 2
"""Of everything below, the windows' records and the detectors' included: raise it with any change
of them, and teach :func:`decode` to read the one before."""

SEVERAL_DETECTORS: Final = 2
"""The version from which on ``detectors`` holds them as one; before, the light one stood alone."""

_OLDEST: Final = 1


T = TypeVar("T")


class _Version(Struct):
    version: int


class _Node(Struct, array_like=True):
    name: str
    about: About
    known: list[tuple[str, str]]
    rows: list[int]


class Frozen(Struct):
    """A lane's state: ``names`` are encoded nodes, ``terms`` four int64 for each of them."""

    version: int
    shard: str
    names: bytes
    terms: bytes
    windows: bytes
    detectors: dict[str, bytes]


_encode = msgspec.msgpack.Encoder().encode
_decode_names = msgspec.msgpack.Decoder(list[_Node]).decode


def encode_names(registry: Registry) -> bytes:
    """Names, descriptions and rows of all nodes."""
    return _encode(
        [
            _Node(node.name, node.about, [*node.known], [*node.known.values()])
            for node in registry.nodes.values()
        ]
    )


def encode(
    shard: str, names: bytes, registry: Registry, windows: Records, detectors: dict[str, bytes]
) -> bytes:
    """The whole state; a copy, nothing in it changes any more."""
    terms = np.array(
        [
            (node.term.term, node.term.committed, node.term.prev_term, node.term.prev_committed)
            for node in registry.nodes.values()
        ],
        np.int64,
    )
    return _encode(
        Frozen(VERSION, shard, names, terms.tobytes(), windows.tobytes(), dict(detectors))
    )


def decode(state: bytes, shard: str) -> Frozen:
    """The parts of :func:`encode`'s bytes.

    Raises:
        RefusedError: They are another version's, or another shard's.
    """
    version = _parse(state, _Version).version
    if not _OLDEST <= version <= VERSION:
        raise RefusedError(
            "recovery store",
            holder=f"a version of CityNerve that writes lane states of version {version}; "
            f"this one reads {_OLDEST} to {VERSION}",
            fix="run the version of CityNerve that wrote it",
        )
    frozen = _parse(state, Frozen)
    if frozen.shard != shard:
        raise RefusedError("lane's state", holder=f"shard {frozen.shard}, not {shard}")
    return frozen


def _parse(state: bytes, kind: type[T]) -> T:
    try:
        return msgspec.msgpack.decode(state, type=kind)
    except msgspec.DecodeError as error:
        raise RefusedError(
            "recovery store",
            holder=f"something that is no lane's state ({error})",
            fix="name another store, or move this one away",
        ) from error


def restore_registry(frozen: Frozen, scenarios: Scenarios) -> tuple[Registry, Records]:
    """Nodes with their terms and rows, and the rows' windows."""
    registry = Registry(scenarios)
    terms = np.frombuffer(frozen.terms, np.int64).reshape(-1, 4).tolist()
    order: list[int] = []
    for node, numbers in zip(_decode_names(frozen.names), terms, strict=True):
        registry.restore(node.name, node.about, NodeTerm(*numbers), node.known)
        order += node.rows
    registry.place_rows(order)
    return registry, np.frombuffer(frozen.windows, STATE).copy()
