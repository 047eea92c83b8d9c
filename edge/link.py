"""The node's talk with the stream: hello, batches and status out, acknowledgements in."""

import time
from collections.abc import Callable
from contextlib import suppress
from queue import Empty
from random import Random
from typing import TYPE_CHECKING, Final

import msgspec

from citynerve import codec, log
from citynerve.clock import Clock
from citynerve.errors import CityNerveError, ProtocolError
from citynerve.messages import About, Ack, Hello, HelloMessage, Owner, Status
from citynerve.mqtt import Link, Message, MqttConfig, Will
from citynerve.network import Network
from citynerve.topics import Topics
from edge.batcher import Envelope, wrap
from edge.courier import Courier, Dispatch
from edge.spool import Spool
from edge.term import Phase

if TYPE_CHECKING:
    from paho.mqtt.client import MQTTMessageInfo

UNANSWERED: Final = 60_000
"""Milliseconds without any progress, though there is something to say, until that is a problem."""

GOODBYE_S: Final = 2.0
"""Seconds that the last status may take to arrive."""

_PATIENCE: Final = 5_000
_TOLD_AGAIN: Final = 300_000
_BURST: Final = 64
_PARTING: Final = 2_000
_LOOKED_AFTER: Final = 10_000
_log = log.get("link")


def monotonic_ms() -> int:
    """A clock that never goes back, for the protocol's pauses."""
    return time.monotonic_ns() // 1_000_000


class NodeLink:
    """One node's connection.

    Nothing is queued while it is cut off: what has to arrive is in the spool.

    Args:
        mqtt: Where to connect.
        node: Its id.
        spool: What there is to send.
        about: What a hello tells.
        clock: The wall clock, for the ``sent`` of messages.
        rng: Draws terms and jitter.
        form: The format of hellos; batches travel as they were spooled.
        ticks: The protocol's clock.
        network: What moves its bytes; None: a thread of its own.
    """

    def __init__(  # noqa: PLR0913 - its clocks, dice and network are handed in
        self,
        mqtt: MqttConfig,
        *,
        node: str,
        spool: Spool,
        about: About,
        clock: Clock,
        rng: Random,
        form: codec.Format = "json",
        ticks: Callable[[], int] = monotonic_ms,
        network: Network | None = None,
    ) -> None:
        self._config = mqtt
        self._network = network
        self._node = node
        self._spool = spool
        self._clock = clock
        self._form: codec.Format = form
        self._ticks = ticks
        self._topics = Topics(mqtt.root)
        spool.describe(_encode_about(about))
        self._about = spool.about
        self.courier = Courier(spool, spool.ledger, now=ticks(), rng=rng, on_left=self._left_term)
        self.sent = 0
        self.resent = 0
        self.ignored = 0
        """Messages that could not be read."""
        self.reconnects = 0
        self._connects = 0
        self._owner: tuple[str, int] | None = None
        self._parted_at: int | None = None
        self._stashed: Message | None = None
        self._damaged: int | None = None
        self._progress_at = ticks()
        self._first_seen = spool.first
        self._was_open = False
        self._complain_at: int | None = None
        self._link: Link | None = None
        self._last_words: MQTTMessageInfo | None = None

    @property
    def connected(self) -> bool:
        """Whether the broker can be reached just now."""
        return self._link is not None and self._link.connected

    def start(self) -> None:
        """Begin to connect; returns at once.

        Raises:
            ConfigError: The configuration of the connection cannot be used.
        """
        will = Status(node=self._node, online=False, sent=self._clock())
        self._connects = 0
        self._link = Link(
            self._config,
            client_id=f"citynerve-{self._node}",
            subscriptions=[(self._topics.ack(self._node), 1), (self._topics.owner(), 1)],
            will=Will(self._topics.status(self._node), codec.encode(will)),
            network=self._network,
        )
        self._link.start()

    def describe(self, about: About) -> None:
        """What the node tells about itself from now on.

        A change opens a new term, once all is committed that was made before it.
        """
        self._spool.describe(_encode_about(about))

    def step(self) -> bool:
        """Take in what has arrived and send what may be sent; whether anything was done."""
        now = self._ticks()
        self.watch()
        if self._link is None:
            self._return(now)
            return False
        if self._link.counters.connects != self._connects:
            self.reconnects += self._connects > 0
            self._connects = self._link.counters.connects
            self.courier.connected(now)
        self._tell_of_broker(self._link, now)
        heard = self._hear(self._link, now)
        if self._spool.about != self._about:
            self._about = self._spool.about
            self.courier.renew(now)
        if self.courier.terms.phase is Phase.CLONED:
            self._part(self._link, now)
            return heard
        if not self._link.connected:
            return heard
        return self._say_hello(self._link, now) or self._send(self._link, now) or heard

    def due(self) -> int:
        """When :meth:`step` will have something to do, unless a message or a batch comes before.

        What changes the connection counts as a message.
        """
        now = self._ticks()
        times = [now + _LOOKED_AFTER, self.courier.due()]
        if self._parted_at is not None and self._link is not None:
            times.append(self._parted_at + _PARTING)
        elif not self.connected and self._link is not None:
            times = [now + _LOOKED_AFTER, self._complain_at]
        return min(time for time in times if time is not None)

    def watch(self) -> None:
        """Notice whether the stream makes progress with what this node has for it."""
        is_open = self.courier.terms.phase is Phase.OPEN
        moved = self._spool.first != self._first_seen or is_open > self._was_open
        if moved or (is_open and not self._spool.batches):
            self._progress_at = self._ticks()
        self._first_seen, self._was_open = self._spool.first, is_open

    def wait(self, seconds: float) -> None:
        """Wait until a message arrives, at most so long."""
        if self._link is None:
            time.sleep(seconds)
            return
        try:
            self._stashed = self._link.messages.get(timeout=seconds)
        except Empty:
            self._stashed = None

    def publish_status(self, status: Status) -> bool:
        """Publish the retained status; whether there was a connection to do it on."""
        if self._link is None:
            return False
        topic = self._topics.status(self._node)
        return self._link.publish(topic, codec.encode(status), retain=True) is not None

    def mirror(self, sensor: str, prop: str, payload: bytes) -> None:
        """Publish a datastream's last value for other tools; it may be lost."""
        if self._link is not None and self._link.connected:
            self._link.publish(
                self._topics.last(self._node, sensor, prop), payload, qos=0, retain=True
            )

    def leave(self, status: Status) -> None:
        """Publish the last status; :attr:`left` tells when it has arrived."""
        if self._link is not None:
            topic = self._topics.status(self._node)
            self._last_words = self._link.publish(topic, codec.encode(status), retain=True)

    @property
    def left(self) -> bool:
        """Whether the last status has arrived, or nothing can be done for it."""
        try:
            return self._last_words is None or self._last_words.is_published()
        except (RuntimeError, ValueError):
            return True

    def wait_left(self) -> None:
        """Wait until the last status has arrived, for a while; with a thread of its own only."""
        if self._last_words is not None:
            with suppress(RuntimeError, ValueError):
                self._last_words.wait_for_publish(GOODBYE_S)

    def stop(self) -> None:
        """Say goodbye; :meth:`leave` first."""
        if self._link is None:
            return
        if not self.left:
            _log.warning("last status not delivered", url=self._config.safe_url())
        self._link.stop()
        self._link = None

    def problems(self) -> list[str]:
        """What is wrong between this node and the stream."""
        found = []
        terms = self.courier.terms
        if terms.phase is Phase.CLONED:
            minutes = -(-terms.resumes_in(self._ticks()) // 60_000)
            found.append(
                f"another node calls itself {self._node!r}: nothing is sent for {minutes} min; "
                "give one of them another node.id and spool"
            )
        silent = self._ticks() - self._progress_at
        if silent > UNANSWERED and terms.phase is not Phase.CLONED:
            found.append(
                f"the stream has committed nothing for {silent // 60_000} min: does it run?"
            )
        found += [
            f"a stream that this node is not bound to acknowledges: {name!r}"
            for name in terms.foreign
        ]
        if terms.exhausted:
            found.append("no greater term is left: give the node another node.id and spool")
        if self._damaged is not None:
            found.append("a spooled batch could not be read back and was given up")
        return found

    def _tell_of_broker(self, link: Link, now: int) -> None:
        """In the log, since a status does not get anywhere without one."""
        if link.connected:
            if self._complain_at is not None:
                _log.info("broker reached", url=self._config.safe_url())
            self._complain_at = None
        elif self._complain_at is None:
            self._complain_at = now + _PATIENCE
        elif now >= self._complain_at:
            self._complain_at = now + _TOLD_AGAIN
            _log.warning(
                "broker not reached: what is collected waits in the spool",
                url=self._config.safe_url(),
                why=link.last_problem,
            )

    def _hear(self, link: Link, now: int) -> bool:
        heard = False
        while True:
            message, self._stashed = self._stashed, None
            if message is None:
                try:
                    message = link.messages.get_nowait()
                except Empty:
                    return heard
            heard = True
            try:
                self._take(message, now)
            except ProtocolError as error:
                self.ignored += 1
                _log.warning("message ignored", topic=message.topic, why=str(error))
            except CityNerveError as error:
                _log.warning("not made durable: asked again later", why=str(error))

    def _take(self, message: Message, now: int) -> None:
        if message.topic == self._topics.owner():
            if message.payload:
                self._take_owner(codec.decode(message.payload, Owner), now)
            return
        ack = codec.decode(message.payload, Ack)
        before = self.courier.terms.phase
        self.courier.heard(ack, now)
        if before is not Phase.OPEN and self.courier.terms.phase is Phase.OPEN:
            _log.info("term opened", term=ack.term, stream=ack.stream, waiting=self._spool.batches)

    def _take_owner(self, owner: Owner, now: int) -> None:
        bound = self.courier.terms.stream
        if owner.online and bound in (None, owner.store):
            if self._owner != (owner.store, owner.start):
                self.courier.stream_seen(now)
            self._owner = (owner.store, owner.start)

    def _say_hello(self, link: Link, now: int) -> bool:
        term = self.courier.hello_due(now)
        if term is None:
            return False
        about = codec.decode(self._about, About)
        hello = Hello(node=self._node, term=term, about=about, sent=self._clock())
        message = codec.encode(HelloMessage(hello), self._form)
        link.publish(self._topics.obs(self._node), message)
        _log.debug("hello", term=term)
        return True

    def _send(self, link: Link, now: int) -> bool:
        for count in range(_BURST):
            dispatch = self.courier.next(now)
            if dispatch is None:
                return count > 0
            body = self._spool.body(dispatch.batch)
            if body is None:
                return self._give_up_damaged(dispatch)
            if link.publish(self._topics.obs(self._node), self._wrapped(body, dispatch)) is None:
                return count > 0
            self.resent += self.courier.sent(dispatch, now)
            self.sent += 1
        return True

    def _wrapped(self, body: bytes, dispatch: Dispatch) -> bytes:
        return wrap(
            body,
            Envelope(
                self._node,
                dispatch.term,
                dispatch.seq,
                dispatch.oldest,
                self._clock(),
                dispatch.want_ack,
            ),
        )

    def _give_up_damaged(self, dispatch: Dispatch) -> bool:
        # Only the oldest may be left out: the stream takes no other gap.
        if dispatch.batch != self._spool.first:
            return False
        self._damaged = dispatch.batch
        _log.error("batch damaged: given up", batch=dispatch.batch)
        try:
            self._spool.give_up(dispatch.batch)
        except CityNerveError as error:
            _log.warning("not given up yet", why=str(error))
            return False
        return True

    def _left_term(self, reason: str) -> None:
        _log.warning("term left", why=reason)

    def _part(self, link: Link, now: int) -> None:
        """Leave the broker to the clone, once our own complaint has gone out."""
        if self._parted_at is None:
            self._parted_at = now
        elif now - self._parted_at >= _PARTING:
            link.stop()
            self._link = None

    def _return(self, now: int) -> None:
        self.courier.hello_due(now)
        if self.courier.terms.phase is not Phase.CLONED:
            self._parted_at = None
            self.start()


def _encode_about(about: About) -> bytes:
    # One text for one description, so that texts can be compared.
    return msgspec.json.encode(about, order="deterministic")


def mirror_payload(t: int, value: float, unit: str) -> bytes:
    """One scalar as other tools read it."""
    return msgspec.json.encode({"t": t, "v": value, "unit": unit})
