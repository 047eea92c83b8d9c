"""What a recording looks like inside: names, schemas and marks that writer and reader share.

MCAP (https://mcap.dev/spec): a channel for each topic and message encoding, messages in chunks.
``log_time`` is when a message arrived, ``publish_time`` its ``sent``; both in ns since 1970 UTC.
Times of our own metadata are ms, as text.
"""

from typing import Any, Final

import msgspec

from citynerve.schema import schema
from citynerve.topics import Topics

PROFILE: Final = "citynerve"
FORMAT: Final = 1
"""Version of all that stands in this module; a reader refuses a greater one."""

RECORDING: Final = "citynerve.recording"
GAP: Final = "citynerve.gap"
END: Final = "citynerve.end"
"""Names of our metadata records: at the start, at each gap, and at an orderly end."""

MARK: Final = "citynerve.mark"
"""Key in a channel's metadata; without it, its messages arrived while we listened."""
LIVE: Final = ""
RETAINED: Final = "retained"
"""The broker had kept the message from before we (re)connected."""
CARRIED: Final = "carried"
"""A hello from an earlier part, so that this part can be played without it."""

NS: Final = 1_000_000
"""Nanoseconds in a millisecond."""

JSON_SCHEMA: Final = "jsonschema"
"""MCAP's word for the encoding of our schemas."""


_KINDS: Final = {
    ("obs", 3): "obs",
    ("ack", 3): "ack",
    ("status", 2): "status",
    ("rejected", 1): "rejected",
}
"""First level below the root, and number of levels, to kind."""


class Begun(msgspec.Struct, frozen=True):
    """The metadata at the start of a part. ``start``: ms since 1970 UTC, of the whole recording."""

    root: str
    version: str
    start: int
    part: int
    topics: str
    broker: str
    format: int = FORMAT


class Gap(msgspec.Struct, frozen=True):
    """A span (ms since 1970 UTC) in which nothing was heard, and why."""

    start: int
    end: int
    why: str


class End(msgspec.Struct, frozen=True):
    """The metadata at an orderly end of a part; counts are of this part."""

    end: int
    messages: int
    bytes: int
    unreadable: int
    why: str


def as_metadata(value: msgspec.Struct) -> dict[str, str]:
    """One of these structs as MCAP metadata, whose values are text."""
    return {name: str(one) for name, one in msgspec.structs.asdict(value).items()}


def kind_of(topics: Topics, topic: str) -> str | None:
    """The kind of message that a topic carries, named as its schema; None for any other."""
    levels = topics.split(topic)
    match levels:
        case ["stream", "owner"]:
            return "owner"
        case ["event", "anomaly", _, _]:
            return "anomaly"
        case [first, *_]:
            return _KINDS.get((first, len(levels)))
        case _:
            return None


def schema_of(kind: str) -> bytes:
    """The JSON Schema of a kind; ``obs`` is either of what a node sends to its topic."""
    return msgspec.json.encode(_observation() if kind == "obs" else schema(kind))


def _observation() -> dict[str, Any]:
    hello, batch = schema("hello"), schema("batch")
    return {
        "$schema": batch["$schema"],
        "$id": "urn:citynerve:v1:obs",
        "type": "object",
        "oneOf": [{"$ref": hello["$ref"]}, {"$ref": batch["$ref"]}],
        "$defs": {**hello["$defs"], **batch["$defs"]},
    }
