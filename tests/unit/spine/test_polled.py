"""Packets are found in the byte stream wherever it is cut."""

import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from citynerve.polled import PolledClient, Received

CONNACK = bytes([0x20, 3, 0, 0, 0])
PINGRESP = bytes([0xD0, 0])


@dataclass
class Message:
    topic: str
    payload: bytes
    packet_id: int
    properties: bytes
    retained: bool = False

    def packet(self) -> bytes:
        """As MQTT 5 has it, written from the standard (3.3)."""
        name = self.topic.encode()
        body = struct.pack("!H", len(name)) + name
        if self.packet_id:
            body += struct.pack("!H", self.packet_id)
        body += varint(len(self.properties)) + self.properties + self.payload
        first = (0x32 if self.packet_id else 0x30) | self.retained
        return bytes([first]) + varint(len(body)) + body


def varint(number: int) -> bytes:
    out = bytearray()
    while True:
        number, digit = divmod(number, 128)
        out.append(digit + (128 if number else 0))
        if not number:
            return bytes(out)


user_property = st.integers(0, 200).map(
    lambda n: b"\x26" + struct.pack("!H", n) + b"k" * n + struct.pack("!H", 1) + b"v"
)
messages = st.builds(
    Message,
    topic=st.sampled_from(["city/v1/obs/4/node-0", "a", "ø/" * 60]),
    payload=st.one_of(st.binary(max_size=300), st.integers(0, 40_000).map(lambda n: b"x" * n)),
    packet_id=st.integers(0, 65535),
    properties=st.one_of(st.just(b""), user_property),
    retained=st.booleans(),
)


@pytest.fixture(scope="module")
def connected() -> Iterator[tuple[PolledClient, socket.socket]]:
    """A client, and the broker's end of its connection, after the handshake."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        client = PolledClient("test")
        client.connect_async(*server.getsockname())
        client.reconnect()
        client.write()
        broker, _ = server.accept()
        assert broker.recv(1000)[0] == 0x10
        broker.sendall(CONNACK)
        while not client.is_connected():
            client.read(1, 1)
        yield client, broker
        broker.close()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(messages, min_size=1, max_size=12), st.data())
def test_any_cut_of_the_stream_gives_the_messages(
    connected: tuple[PolledClient, socket.socket], sent: list[Message], data: st.DataObject
) -> None:
    client, broker = connected
    stream = b"".join(message.packet() + PINGRESP * (len(message.payload) % 2) for message in sent)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    got: list[Received] = []
    for begin, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        broker.sendall(stream[begin:end])
        got += client.read(5, 1 << 20)[0]
    while len(got) < len(sent):
        got += client.read(5, 1 << 20)[0]
    assert got == [(one.topic.encode(), one.payload, one.retained) for one in sent]
    client.write()
    expected = b"".join(b"\x40\x02" + struct.pack("!H", m.packet_id) for m in sent if m.packet_id)
    received = b""
    while len(received) < len(expected):
        received += broker.recv(len(expected) - len(received))
    assert received == expected


def test_the_end_of_a_connection_in_the_middle_of_a_packet_is_noticed() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        client = PolledClient("test")
        client.connect_async(*server.getsockname())
        client.reconnect()
        client.write()
        broker, _ = server.accept()
        broker.sendall(CONNACK + Message("a", b"x" * 1000, 1, b"").packet()[:500])
        broker.shutdown(socket.SHUT_WR)
        while client.socket() is not None:
            assert client.read(10, 1 << 20)[0] == []
        broker.close()
        client.reconnect()
        client.write()
        again, _ = server.accept()
        again.sendall(CONNACK + Message("a", b"whole", 0, b"").packet())
        got: list[Received] = []
        while not got:
            got = client.read(10, 1 << 20)[0]
        assert got == [(b"a", b"whole", False)]
        again.close()
