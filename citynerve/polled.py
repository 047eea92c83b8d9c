"""paho without its thread: a client that is polled, and fast enough for a whole city."""

from typing import Final

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

_READ: Final = 1 << 18
_PUBLISH: Final = 0x30
_RETAINED: Final = 0x01
_QOS: Final = 0x06
_DISCONNECT: Final = 0xE0
_PUBACK: Final = b"\x40\x02"
_CONTINUED: Final = 0x80
"""Set in every byte but the last of an MQTT length."""

Received = tuple[bytes, bytes, bool]
"""Topic, payload, and whether the broker had kept it from before we subscribed."""


class PolledClient(paho.Client):
    """A paho client that is polled, and that reads and writes through buffers of its own.

    paho asks its socket for single bytes and makes several objects of each message, which takes
    most of a busy stream's time. So whole PUBLISH packets are taken out of the buffer before paho
    sees them, and paho keeps the connection: it gets every other packet, complete. The two methods
    that this overrides belong to paho's inside: tests run them against a real broker, with and
    without TLS.
    """

    def __init__(self, client_id: str) -> None:
        self._incoming = bytearray()
        self._at = 0
        self._outgoing = bytearray()
        super().__init__(CallbackAPIVersion.VERSION2, client_id=client_id, protocol=paho.MQTTv5)
        self.on_socket_open = self._opened

    def read(self, messages: int, size: int) -> tuple[list[Received], bool]:
        """Messages that have arrived.

        Args:
            messages: About how many at the most.
            size: About how many bytes at the most.

        Returns:
            The messages, and whether the socket has no more.
        """
        got: list[Received] = []
        while len(got) < messages and size > 0 and self.socket() is not None:
            frame = self._frame()
            if frame is None:
                if not self._fill():
                    return got, True
            elif self._incoming[self._at] & 0xF0 == _PUBLISH:
                got.append(self._publish_packet(*frame))
                size -= frame[1] - self._at
                self._at = frame[1]
            else:
                self.loop_read()
        return got, self.socket() is None

    @property
    def unsent(self) -> int:
        """Bytes that the socket has not taken yet."""
        return len(self._outgoing)

    def write(self) -> None:
        """Send what was written since the last call, as far as the socket takes it."""
        # What paho was asked for in a callback waits for this; the rest was written at once.
        while self.want_write() and self.socket() is not None:
            self.loop_write()
        self._push()

    def _push(self) -> None:
        while self._outgoing and self.socket() is not None:
            try:
                sent = super()._sock_send(self._outgoing)
            except BlockingIOError:
                return
            except OSError:
                # The next read meets the broken connection too, and paho cleans up there.
                self._outgoing.clear()
                return
            del self._outgoing[:sent]

    def _opened(self, _client: paho.Client, _userdata: object, _socket: object) -> None:
        self._incoming.clear()
        self._at = 0
        self._outgoing.clear()

    def _frame(self) -> tuple[int, int] | None:
        """Where the body of the next packet begins and ends; None while it is not complete."""
        buffer, at = self._incoming, self._at + 1
        size, shift, available = 0, 0, len(buffer)
        while at < available:
            digit = buffer[at]
            at += 1
            size |= (digit & 0x7F) << shift
            if digit < _CONTINUED:
                return (at, at + size) if at + size <= available else None
            shift += 7
        return None

    def _publish_packet(self, at: int, end: int) -> Received:
        """What a PUBLISH brings; its PUBACK is written, its properties are not for us."""
        buffer = self._incoming
        topic_end = at + 2 + (buffer[at] << 8 | buffer[at + 1])
        topic = bytes(buffer[at + 2 : topic_end])
        if buffer[self._at] & _QOS:
            self._outgoing += _PUBACK + buffer[topic_end : topic_end + 2]
            topic_end += 2
        size = shift = 0
        while True:
            digit = buffer[topic_end]
            topic_end += 1
            size |= (digit & 0x7F) << shift
            if digit < _CONTINUED:
                break
            shift += 7
        retained = bool(buffer[self._at] & _RETAINED)
        return topic, bytes(buffer[topic_end + size : end]), retained

    def _fill(self) -> bool:
        """Read from the socket; False where it has nothing."""
        try:
            data = super()._sock_recv(_READ)
        except BlockingIOError:
            return False
        except OSError:
            data = b""
        if not data:
            # It is over. paho meets the same and cleans up.
            self._opened(self, None, None)
            self.loop_read()
            return False
        del self._incoming[: self._at]
        self._at = 0
        self._incoming += data
        return True

    def _sock_recv(self, bufsize: int) -> bytes:
        if self._at >= len(self._incoming):
            return super()._sock_recv(bufsize)
        start = self._at
        self._at = min(start + bufsize, len(self._incoming))
        return bytes(self._incoming[start : self._at])

    def _sock_send(self, buf: bytes | bytearray) -> int:
        self._outgoing += buf
        if buf[0] == _DISCONNECT:
            # paho closes the socket as soon as this is written.
            self._push()
        return len(buf)
