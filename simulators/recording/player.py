"""One node of a recording, played through the edge's own batches, spool, terms and link."""

from collections.abc import Iterable
from random import SystemRandom
from typing import Final

from citynerve.clock import now_ms
from citynerve.codec import Format
from citynerve.errors import CityNerveError
from citynerve.messages import About, Status
from citynerve.mqtt import MqttConfig
from citynerve.network import Network
from edge.batcher import Batcher, Sealed
from edge.health import examine
from edge.link import NodeLink, monotonic_ms
from edge.order import Released
from edge.spool import Spool

INPUT: Final = "recording"
"""What the spool knows the recording by."""
_STATUS_MS: Final = 10_000
_APPENDED_AT_ONCE: Final = 8
_APPENDED_MS: Final = 500


class Player:
    """Plays one node; driven as an agent of a fleet is.

    Args:
        node: The name it is played under.
        about: What it tells of itself at first.
        spool: Its spool; closed by this.
        skip: Items that an earlier process has made durable already.
        mqtt: Where to connect.
        network: What moves its bytes.
        form: Of its messages.
        batch_ms: How long a batch gathers before it is sent.

    Attributes:
        skip: See above; what is left of it.
        offered: Items that it was given, those passed over among them.
        observations: Readings that this process has made durable.
        ended: Nothing will follow, and all is in the spool.
        delivered: And all of it is committed.
        stays: Whether it then stays online, until it is told to leave.
        failure: None: a player does not fail by itself.
    """

    failure: CityNerveError | None = None

    def __init__(
        self,
        node: str,
        about: About,
        spool: Spool,
        *,
        skip: int,
        mqtt: MqttConfig,
        network: Network,
        form: Format,
        batch_ms: int,
    ) -> None:
        self.node = node
        self.skip = skip
        self.offered = 0
        self.observations = 0
        self.ended = self.delivered = self.stays = False
        self._spool = spool
        self._about = about
        self._batch_ms = batch_ms
        self._batcher = Batcher(form)
        self._waiting: list[Sealed] = []
        self._waiting_since = 0
        self._exhausted = False
        self._status_at = monotonic_ms() - _STATUS_MS
        self._told: tuple[object, ...] = ()
        self._link = NodeLink(
            mqtt,
            node=node,
            spool=spool,
            about=about,
            clock=now_ms,
            rng=SystemRandom(),
            form=form,
            network=network,
        )

    @property
    def done(self) -> bool:
        """Whether it has come to its end."""
        return self.delivered and not self.stays

    @property
    def connected(self) -> bool:
        """Whether the broker can be reached just now."""
        return self._link.connected

    @property
    def unsent(self) -> int:
        """Batches that wait for the stream."""
        return self._spool.batches

    @property
    def held(self) -> int:
        """Bytes that wait for the stream."""
        return self._spool.bytes

    @property
    def left(self) -> bool:
        """Whether the last status has arrived, or nothing can be done for it."""
        return self._link.left

    def problems(self) -> list[str]:
        """What is wrong between this node and the stream."""
        return self._link.problems()

    def describe(self, about: About) -> None:
        """What follows was made under this description.

        Raises:
            UnavailableError: The disk has no room, or cannot be written.
        """
        if about != self._about:
            self._batcher.seal()
            self._append()
            self._about = about
            self._link.describe(about)

    def give(self, items: Iterable[Released]) -> None:
        """Take items of the recording; what is durable already is passed over.

        Raises:
            UnavailableError: The disk has no room, or cannot be written.
        """
        found = list(items)
        self.offered += len(found)
        skipped = min(self.skip, len(found))
        self.skip -= skipped
        now = monotonic_ms()
        self._batcher.add(INPUT, found[skipped:], now)
        self._collect(now)

    def exhaust(self) -> None:
        """Nothing will follow."""
        self._exhausted = True

    def start(self) -> None:
        """Begin to connect."""
        self._link.start()

    def step(self, *, limit: int = 0) -> bool:
        """One turn; whether there is more to do at once.

        Args:
            limit: Of items read; here, nothing is read.
        """
        del limit
        now = monotonic_ms()
        if self._exhausted or self._batcher.age(now) >= self._batch_ms:
            self._batcher.seal()
            self._collect(now)
        if self._waiting and (self._exhausted or now - self._waiting_since >= _APPENDED_MS):
            self._append()
        self.ended = self._exhausted and not self._waiting
        self._link.courier.draining = self.ended
        busy = self._link.step()
        self.delivered = self.ended and not self._spool.batches
        self._report(now)
        return busy

    def due(self) -> int:
        """When the next step is worth while, unless the network or the recording has something."""
        waiting = self._waiting_since + _APPENDED_MS if self._waiting else None
        times = [
            self._status_at + _STATUS_MS,
            self._link.due(),
            self._batcher.due(self._batch_ms),
            waiting,
        ]
        return min(time for time in times if time is not None)

    def leave(self) -> None:
        """Publish the last status. What is not in the spool yet is read again another time."""
        self._link.leave(self._status(online=False))

    def close(self) -> None:
        """Let go of connection and spool."""
        self._link.stop()
        self._spool.close()

    def _collect(self, now: int) -> None:
        sealed = self._batcher.collect()
        if not sealed:
            return
        if not self._waiting:
            self._waiting_since = now
        self._waiting += sealed
        if len(self._waiting) >= _APPENDED_AT_ONCE:
            self._append()

    def _append(self) -> None:
        self._waiting += self._batcher.collect()
        if not self._waiting:
            return
        self._spool.append(self._waiting)
        self.observations += sum(sum(one.sent.values()) for one in self._waiting)
        self._waiting = []

    def _report(self, now: int) -> None:
        told = (self.delivered, self._link.connected, len(self._link.problems()))
        if told == self._told and now - self._status_at < _STATUS_MS:
            return
        self._status_at, self._told = now, told
        self._link.publish_status(self._status(online=True))

    def _status(self, *, online: bool) -> Status:
        return Status(
            node=self.node,
            online=online,
            sent=now_ms(),
            term=self._link.courier.terms.term,
            health=examine(
                [], self._spool, self._link, observations=self.observations, done=self.delivered
            ),
            versions=self._about.versions,
        )
