"""The load of the stream's benchmark: many nodes on a few raw sockets, in a process of its own.

It speaks the real protocol (hello, windows of unacknowledged bytes, acknowledgements), but every
PUBLISH is encoded before the clock starts, so that the loader is not what is measured.
"""

import json
import selectors
import socket
import struct
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from math import sin
from typing import Final, NamedTuple

from citynerve.codec import decode, encode
from citynerve.messages import (
    About,
    Ack,
    Batch,
    Column,
    Hello,
    HelloMessage,
    PropertyAbout,
    SensorAbout,
)
from citynerve.topics import Topics

T0: Final = 1_700_000_000_000 - 1_700_000_000_000 % 600_000
TERM: Final = 1 << 32 | 1
_TOPICS: Final = Topics()
_CONNECTIONS: Final = 4
_CHUNK: Final = 16 << 10
_HELLO_EVERY: Final = 2.0
_CONNECT, _CONNACK, _PUBLISH, _SUBSCRIBE = 0x10, 0x20, 0x30, 0x82


class Shape(NamedTuple):
    """Of the load: each message has ``columns`` datastreams with ``times`` readings each."""

    nodes: int
    datastreams: int
    columns: int
    times: int
    messages: int

    @property
    def readings(self) -> int:
        """In all."""
        return self.nodes * self.messages * self.columns * self.times


@dataclass(slots=True)
class _Node:
    name: str
    hello: bytes
    packets: list[bytes]
    ends: list[int]
    sent: int = 0
    committed: int = 0
    credit: int = 64 << 10
    opened: bool = False

    def next_chunk(self) -> list[bytes]:
        """Packets that its window allows, about a chunk of them."""
        if not self.opened:
            return []
        base = self.ends[self.committed - 1] if self.committed else 0
        start = self.sent
        begun = self.ends[start - 1] if start else 0
        limit = min(base + self.credit, begun + _CHUNK)
        while self.sent < len(self.packets) and self.ends[self.sent] <= limit:
            self.sent += 1
        return self.packets[start : self.sent]


@dataclass(slots=True)
class _Connection:
    sock: socket.socket
    nodes: list[_Node]
    incoming: bytearray = field(default_factory=bytearray)
    outgoing: bytearray = field(default_factory=bytearray)
    turn: int = 0


def _length(size: int) -> bytes:
    out = bytearray()
    while True:
        size, digit = divmod(size, 128)
        out.append(digit | 0x80 if size else digit)
        if not size:
            return bytes(out)


def _packet(kind: int, body: bytes) -> bytes:
    return bytes([kind]) + _length(len(body)) + body


def _text(text: str) -> bytes:
    data = text.encode()
    return struct.pack("!H", len(data)) + data


def publish_packet(topic: str, payload: bytes, packet_id: int) -> bytes:
    """A PUBLISH of MQTT 3.1.1 at QoS 1."""
    head = _text(topic) + struct.pack("!H", packet_id % 65535 + 1)
    return _packet(_PUBLISH | 0x02, head + payload)


def _make_node(number: int, shape: Shape) -> _Node:
    name = f"load-{number}"
    properties = tuple(PropertyAbout(name=f"p{d}", unit="1") for d in range(shape.datastreams))
    area = f"town/d{number % 10}/street"
    about = About(area=area, sensors=(SensorAbout(name="s", properties=properties),))
    hello = encode(HelloMessage(Hello(node=name, term=TERM, about=about, sent=T0)))
    topic = _TOPICS.obs(name)
    packets, ends, end = [], [], 0
    for seq, columns in enumerate(_columns(number, shape), 1):
        batch = Batch(node=name, term=TERM, seq=seq, oldest=1, sent=T0, obs=columns, want_ack=True)
        packets.append(publish_packet(topic, encode(batch), number * 7919 + seq))
        end += len(packets[-1])
        ends.append(end)
    return _Node(name, publish_packet(topic, hello, number), packets, ends)


def _columns(number: int, shape: Shape) -> Iterator[list[Column]]:
    """One reading a second and datastream; the datastreams take turns."""
    per_turn = shape.datastreams // shape.columns
    for message in range(shape.messages):
        turn, part = divmod(message, per_turn)
        start = turn * shape.times
        times = [T0 + 1000 * (start + i) for i in range(shape.times)]
        yield [
            Column(
                s="s",
                p=f"p{d}",
                t=times,
                v=[_value(number, d, start + i) for i in range(shape.times)],
            )
            for d in range(part * shape.columns, (part + 1) * shape.columns)
        ]


def _value(number: int, datastream: int, second: int) -> float:
    noise = (number * 7919 + datastream * 104729 + second * 1299709) % 1000 / 500
    return round(20 + 5 * sin(second / 600) + noise, 2)


def connect(port: int, number: int, nodes: list[_Node]) -> _Connection:
    """A connection to a broker of this machine, which hears the acknowledgements of ``nodes``."""
    sock = socket.create_connection(("127.0.0.1", port))
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    body = _text("MQTT") + bytes([4, 2]) + struct.pack("!H", 600) + _text(f"loader-{number}")
    sock.sendall(_packet(_CONNECT, body))
    filters = b"".join(_text(_TOPICS.ack(node.name)) + b"\1" for node in nodes)
    if filters:
        sock.sendall(_packet(_SUBSCRIBE, struct.pack("!H", 1) + filters))
    sock.settimeout(0)
    return _Connection(sock, nodes)


def _packets(connection: _Connection) -> Iterator[tuple[int, bytes]]:
    buffer, at = connection.incoming, 0
    while at + 2 <= len(buffer):
        size, shift, head = 0, 0, at + 1
        while head < len(buffer):
            digit = buffer[head]
            size |= (digit & 0x7F) << shift
            shift += 7
            head += 1
            if not digit & 0x80:
                break
        else:
            break
        if head + size > len(buffer):
            break
        if buffer[at] & 0xF0 == _PUBLISH:
            yield buffer[at], bytes(buffer[head : head + size])
        at = head + size
    del buffer[:at]


def _read(connection: _Connection, nodes: dict[str, _Node]) -> None:
    try:
        data = connection.sock.recv(1 << 18)
    except BlockingIOError:
        return
    assert data, "the broker has closed the connection"
    connection.incoming += data
    for head, body in _packets(connection):
        size = struct.unpack_from("!H", body)[0]
        payload = body[2 + size + (2 if head & 0x06 else 0) :]
        if head & 0x06:
            connection.outgoing += b"\x40\x02" + body[2 + size : 4 + size]
        node = nodes[body[2 : 2 + size].decode().rpartition("/")[2]]
        ack = decode(payload, Ack)
        if ack.term == TERM:
            node.opened = True
            node.committed = max(node.committed, ack.committed)
            node.credit = ack.credit


def _fill(connection: _Connection) -> None:
    for _ in range(len(connection.nodes)):
        if len(connection.outgoing) > 1 << 18:
            return
        node = connection.nodes[connection.turn]
        connection.turn = (connection.turn + 1) % len(connection.nodes)
        connection.outgoing += b"".join(node.next_chunk())


def _write(connection: _Connection) -> None:
    try:
        sent = connection.sock.send(connection.outgoing)
    except BlockingIOError:
        return
    del connection.outgoing[:sent]


def load(port: int, shape: Shape, go: Iterator[str]) -> None:
    """Encode, wait for the word, then send until all is acknowledged."""
    nodes = [_make_node(number, shape) for number in range(shape.nodes)]
    by_name = {node.name: node for node in nodes}
    print(json.dumps({"encoded": sum(node.ends[-1] for node in nodes)}), flush=True)
    next(go)
    connections = [connect(port, n, nodes[n::_CONNECTIONS]) for n in range(_CONNECTIONS)]
    selector = selectors.DefaultSelector()
    for connection in connections:
        selector.register(connection.sock, selectors.EVENT_READ, connection)
    hello_at = 0.0
    while any(node.committed < len(node.packets) for node in nodes):
        if time.monotonic() - hello_at > _HELLO_EVERY:
            hello_at = time.monotonic()
            for connection in connections:
                connection.outgoing += b"".join(n.hello for n in connection.nodes if not n.opened)
        for connection in connections:
            _fill(connection)
            if connection.outgoing:
                _write(connection)
        busy = any(connection.outgoing for connection in connections)
        for key, _ in selector.select(0.0005 if busy else 0.005):
            _read(key.data, by_name)
    print(json.dumps({"acknowledged": shape.readings, "cpu": time.process_time()}), flush=True)


if __name__ == "__main__":
    load(int(sys.argv[1]), Shape(*json.loads(sys.argv[2])), iter(sys.stdin))
