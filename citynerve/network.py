"""What moves an MQTT client's bytes: a thread of its own, or one loop for many of them.

A node, a sink or a tool has one connection, and leaves it to paho's thread. Who has a thousand
connections, or must not hand over between threads, drives them all with :meth:`Polled.poll`.
"""

import random
import selectors
import socket
import threading
import time
from collections.abc import Callable, Hashable, Sequence
from typing import Final, NamedTuple, Protocol

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from citynerve.polled import PolledClient, Received
from citynerve.timers import Timers

Arrived = Callable[[Sequence[Received]], None]
"""Takes what has arrived, in order."""


class Pauses(NamedTuple):
    """Seconds from the loss of a connection to the next attempt.

    They double from a value drawn from ``first`` to one drawn from ``last``, so that many that were
    lost together do not return in step.
    """

    first: tuple[int, int] = (1, 3)
    last: tuple[int, int] = (20, 40)


PATIENT: Final = Pauses()
EAGER: Final = Pauses((0, 1), (4, 12))
"""For the one whom all others wait for."""

_CONNECT_TIMEOUT: Final = 2.0
_GATE: Final = (0.25, 8.0)
_READ_MESSAGES: Final = 1024
_READ_BYTES: Final = 1 << 18
_LOOKS: Final = 4
"""How often a connection is looked after within its keepalive."""
_draw: Final = random.SystemRandom()


class Network(Protocol):
    """Makes a client and keeps its connection up."""

    def client(self, client_id: str, arrived: Arrived) -> paho.Client:
        """A client of this network, not connected; ``arrived`` gets what it receives."""
        ...

    def start(self, client: paho.Client) -> None:
        """Connect it, whose address is set, again and again until :meth:`stop`; does not block."""
        ...

    def accepted(self, client: paho.Client) -> None:
        """The broker has accepted it: the next pause is a short one again."""
        ...

    def wrote(self, client: paho.Client) -> None:
        """It was asked to send something."""
        ...

    def wait(self, event: threading.Event, timeout: float) -> None:
        """Wait until a callback of the client sets the event, at most ``timeout`` seconds."""
        ...

    def stop(self, client: paho.Client) -> None:
        """It has said goodbye: let go of it."""
        ...


class Threaded:
    """paho's own thread for each client."""

    def client(self, client_id: str, arrived: Arrived) -> paho.Client:
        """See :meth:`Network.client`; ``arrived`` is called in the client's thread."""
        client = paho.Client(CallbackAPIVersion.VERSION2, client_id=client_id, protocol=paho.MQTTv5)
        client.on_message = lambda _client, _userdata, message: arrived(
            [(message.topic.encode(), bytes(message.payload), message.retain)]
        )
        self.accepted(client)
        return client

    def start(self, client: paho.Client) -> None:
        """See :meth:`Network.start`."""
        client.loop_start()

    def accepted(self, client: paho.Client) -> None:
        """See :meth:`Network.accepted`."""
        # paho doubles from min to max; drawing both anew keeps a fleet from returning in step.
        client.reconnect_delay_set(_draw.randint(*PATIENT.first), _draw.randint(*PATIENT.last))

    def wrote(self, client: paho.Client) -> None:
        """The thread has been woken."""

    def wait(self, event: threading.Event, timeout: float) -> None:
        """See :meth:`Network.wait`."""
        event.wait(timeout)

    def stop(self, client: paho.Client) -> None:
        """End the thread."""
        client.loop_stop()


class Polled:
    """Many connections, driven by whoever calls :meth:`poll`; of one thread only.

    While the broker cannot be reached, one connection tries for all of them: to be refused, or to
    wait for an answer, costs the caller's time. A connection that was lost waits for a jittered,
    doubling pause of its own, as a machine of its own would.

    Connecting blocks for as long as the TCP connection (and TLS, where it is used) takes to be
    made, at most two seconds.
    """

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._timers = Timers[_Port]()
        self._unsent: set[_Port] = set()
        self._unread: set[_Port] = set()
        self._woken: set[Hashable] = set()
        self._gate_pause, self._gate_until = _GATE[0], 0.0

    def port(
        self, key: Hashable, *, arrived: Arrived | None = None, pauses: Pauses = PATIENT
    ) -> Network:
        """The network of one client.

        Args:
            key: What :meth:`poll` calls it.
            arrived: Gets what it receives, in place of the client's link: a read at a time.
            pauses: Between its attempts to connect.
        """
        return _Port(self, key, arrived, pauses)

    @property
    def drained(self) -> bool:
        """Whether the last :meth:`poll` took all there was to read."""
        return not self._unread

    def poll(
        self, timeout: float, *, messages: int = _READ_MESSAGES, size: int = _READ_BYTES
    ) -> set[Hashable]:
        """Send, receive, connect and keep alive what is due.

        Args:
            timeout: Seconds to wait at most where nothing happens.
            messages: Of each connection, about how many are received at the most; 0: none, so that
                TCP holds the senders back.
            size: The same in bytes.

        Returns:
            The keys of those that received something, or whose connection came or went.
        """
        self._work_timers()
        self._send()
        at_once = self._woken or (self._unread and messages)
        events = self._selector.select(0.0 if at_once else self._until(timeout))
        ready = {key.data for key, mask in events if mask & selectors.EVENT_READ}
        self._unsent.update(key.data for key, mask in events if mask & selectors.EVENT_WRITE)
        if messages:
            ready, self._unread = ready | self._unread, set()
            for port in ready:
                if not port.read(messages, size):
                    self._unread.add(port)
        self._send()
        woken, self._woken = self._woken, set()
        return woken

    def close(self) -> None:
        """Let go of the system's selector; the clients must have been stopped."""
        self._selector.close()

    def schedule(self, port: "_Port", seconds: float | None) -> None:
        """Have ``port.due()`` called after so long, and at no other time; None: never."""
        if seconds is None:
            self._timers.drop(port)
        else:
            self._timers.put(port, time.monotonic() + seconds)

    def opened(self, port: "_Port", sock: socket.socket) -> None:
        """It has a socket."""
        self._selector.register(sock, selectors.EVENT_READ, port)

    def closed(self, port: "_Port", sock: socket.socket) -> None:
        """Its socket is about to be closed."""
        self._selector.unregister(sock)
        self._unsent.discard(port)
        self._unread.discard(port)
        self.wake(port.key)

    def wrote(self, port: "_Port") -> None:
        """It has something to send."""
        self._unsent.add(port)

    def wake(self, key: Hashable) -> None:
        """Something has happened to the client of this key."""
        self._woken.add(key)

    def shut(self) -> float:
        """For how many seconds nobody is to try to connect."""
        return max(0.0, self._gate_until - time.monotonic())

    def refused(self) -> None:
        """The broker could not be reached."""
        self._gate_until = time.monotonic() + self._gate_pause * _draw.uniform(0.5, 1.5)
        self._gate_pause = min(2 * self._gate_pause, _GATE[1])

    def reached(self) -> None:
        """The broker was reached."""
        self._gate_pause, self._gate_until = _GATE[0], 0.0

    def _send(self) -> None:
        for port in tuple(self._unsent):
            port.write()
            # A socket that broke meanwhile has left the set.
            if port in self._unsent:
                self._watch(port, writing=port.made.unsent > 0)

    def _watch(self, port: "_Port", *, writing: bool) -> None:
        sock = port.made.socket()
        if not writing or sock is None:
            self._unsent.discard(port)
        if sock is not None and writing != port.writing:
            port.writing = writing
            events = selectors.EVENT_READ | (selectors.EVENT_WRITE if writing else 0)
            self._selector.modify(sock, events, port)

    def _work_timers(self) -> None:
        for port in self._timers.take(time.monotonic()):
            port.due()

    def _until(self, timeout: float) -> float:
        at = self._timers.next
        return timeout if at is None else max(0.0, min(timeout, at - time.monotonic()))


class _Port:
    """One client of a polled network: see :class:`Network`."""

    def __init__(
        self, loop: Polled, key: Hashable, arrived: Arrived | None, pauses: Pauses
    ) -> None:
        self.key = key
        self._taken_by = arrived
        self._pauses = pauses
        self.writing = False
        self.made: PolledClient
        self._loop = loop
        self._arrived: Arrived
        self._running = False
        self._pause = self._longest = 0.0

    def client(self, client_id: str, arrived: Arrived) -> paho.Client:
        self._arrived = self._taken_by or arrived
        self.made = PolledClient(client_id)
        self.made.connect_timeout = _CONNECT_TIMEOUT
        self.made.on_socket_close = self._closed
        self._draw_pauses()
        return self.made

    def start(self, client: paho.Client) -> None:
        del client
        self._running = True
        self._loop.schedule(self, 0.0)

    def accepted(self, client: paho.Client) -> None:
        del client
        self._draw_pauses()
        self._loop.wake(self.key)

    def wrote(self, client: paho.Client) -> None:
        del client
        self._loop.wrote(self)

    def wait(self, event: threading.Event, timeout: float) -> None:
        deadline = time.monotonic() + timeout
        woken: set[Hashable] = set()
        while not event.is_set() and (left := deadline - time.monotonic()) > 0:
            woken |= self._loop.poll(left)
        for key in woken:
            self._loop.wake(key)

    def stop(self, client: paho.Client) -> None:
        del client
        self._running = False
        self._loop.schedule(self, None)

    def read(self, messages: int, size: int) -> bool:
        """Hand on what has arrived; whether the socket has no more."""
        received, drained = self.made.read(messages, size)
        # What paho itself was told, it may have to answer.
        self._loop.wrote(self)
        if received:
            self._loop.wake(self.key)
            self._arrived(received)
        return drained

    def write(self) -> None:
        """Send what there is, as far as the socket takes it."""
        self.made.write()

    def due(self) -> None:
        """The time has come to look after the connection, or to try for one."""
        if self.made.socket() is not None:
            self.made.loop_misc()
            self._loop.wrote(self)
            self._loop.schedule(self, self.made.keepalive / _LOOKS)
        elif self._running:
            self._connect()

    def _connect(self) -> None:
        shut = self._loop.shut()
        if shut:
            self._loop.schedule(self, shut)
            return
        try:
            self.made.reconnect()
        except OSError:
            self._loop.refused()
            self._loop.schedule(self, self._loop.shut())
            if self.made.on_connect_fail is not None:
                self.made.on_connect_fail(self.made, None)
            return
        self._loop.reached()
        sock = self.made.socket()
        assert isinstance(sock, socket.socket)  # noqa: S101 - no websockets here
        self.writing = False
        self._loop.opened(self, sock)
        self._loop.wrote(self)
        self._loop.schedule(self, self.made.keepalive / _LOOKS)

    def _closed(self, _client: paho.Client, _userdata: object, sock: object) -> None:
        assert isinstance(sock, socket.socket)  # noqa: S101 - no websockets here
        self._loop.closed(self, sock)
        if self._running:
            self._loop.schedule(self, self._pause)
            self._pause = min(2 * self._pause, self._longest)

    def _draw_pauses(self) -> None:
        self._pause = _draw.uniform(*self._pauses.first)
        self._longest = _draw.uniform(*self._pauses.last)
