"""Messages to bytes and back: JSON by default, MessagePack on request.

The first byte tells which: a JSON text starts with ``{`` (or white space), a MessagePack map with
0x80-0x8f, 0xde or 0xdf.
"""

from typing import Final, Literal, TypeVar

import msgspec

from citynerve.errors import ProtocolError
from citynerve.messages import Batch, Hello, HelloMessage

Format = Literal["json", "msgpack"]

MAX_PAYLOAD: Final = 1 << 20
"""Bytes. The contract's largest batch, one with a picture, is half of this."""

# Nesting without end makes msgspec run out of stack in Python's orderly way. A ValidationError is a
# DecodeError too, so it must be caught before these.
_MALFORMED: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_JSON_STARTS: Final = frozenset(b"{ \t\r\n")
_MAP_STARTS: Final = frozenset((*range(0x80, 0x90), 0xDE, 0xDF))

_json_encode = msgspec.json.Encoder().encode
_msgpack_encode = msgspec.msgpack.Encoder().encode
_json_batch = msgspec.json.Decoder(Batch).decode
_json_hello = msgspec.json.Decoder(HelloMessage).decode
_msgpack_batch = msgspec.msgpack.Decoder(Batch).decode
_msgpack_hello = msgspec.msgpack.Decoder(HelloMessage).decode

T = TypeVar("T")


def encode(message: msgspec.Struct, form: Format = "json") -> bytes:
    """A struct of ``citynerve.messages`` as bytes."""
    return _json_encode(message) if form == "json" else _msgpack_encode(message)


def form_of(payload: bytes) -> Format | None:
    """The format that the first byte tells; None for what is neither.

    >>> form_of(b'{"t": 1}'), form_of(bytes([0x81])), form_of(b"on"), form_of(b"")
    ('json', 'msgpack', None, None)
    """
    first = payload[0] if payload else -1
    if first in _JSON_STARTS:
        return "json"
    return "msgpack" if first in _MAP_STARTS else None


def decode(payload: bytes, kind: type[T]) -> T:
    """Bytes of either format as ``kind``.

    Raises:
        ProtocolError: ``json`` (neither format, or malformed) or ``schema`` (well-formed, but not
            this kind of message).
    """
    try:
        if payload[:1] and payload[0] in _MAP_STARTS:
            return msgspec.msgpack.decode(payload, type=kind)
        return msgspec.json.decode(payload, type=kind)
    except msgspec.ValidationError as error:
        raise ProtocolError("schema", str(error)) from error
    except _MALFORMED as error:
        raise ProtocolError("json", str(error)) from error


def decode_observation(payload: bytes) -> Batch | Hello:
    """What a node sent to its ``obs`` topic.

    Raises:
        ProtocolError: ``size`` (over ``MAX_PAYLOAD``), ``json`` or ``schema`` as in :func:`decode`.
    """
    if len(payload) > MAX_PAYLOAD:
        raise ProtocolError("size", f"{len(payload)} bytes, at most {MAX_PAYLOAD}")
    if not payload:
        raise ProtocolError("json", "empty payload")
    first = payload[0]
    as_json = first in _JSON_STARTS
    if not as_json and first not in _MAP_STARTS:
        raise ProtocolError("json", f"neither JSON nor MessagePack: first byte 0x{first:02x}")
    try:
        return _batch_or_hello(payload, as_json=as_json)
    except _MALFORMED as error:
        raise ProtocolError("json", str(error)) from error


def _batch_or_hello(payload: bytes, *, as_json: bool) -> Batch | Hello:
    try:
        return _json_batch(payload) if as_json else _msgpack_batch(payload)
    except msgspec.ValidationError as not_a_batch:
        try:
            return (_json_hello(payload) if as_json else _msgpack_hello(payload)).hello
        except msgspec.ValidationError as not_a_hello:
            # The envelope decides whose complaint helps the sender.
            error = not_a_hello if "`$.hello" in str(not_a_hello) else not_a_batch
            raise ProtocolError("schema", str(error)) from error
