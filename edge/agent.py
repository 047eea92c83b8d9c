"""The agent of one node: drivers -> order -> batcher -> spool -> link, in one thread.

Exact restart: whatever is killed when, each reading of a resumable input reaches the stream once in
effect. What a live input gave within its lateness and one batch's span before a kill is lost.
"""

from collections.abc import Callable, Sequence
from random import SystemRandom
from typing import Final

from citynerve import log
from citynerve.clock import Clock, now_ms
from citynerve.errors import CityNerveError
from citynerve.messages import Health, Status
from citynerve.network import Network
from edge.about import check_size, describe, units, versions
from edge.batcher import Batcher, Sealed
from edge.config import NodeConfig
from edge.health import examine
from edge.intake import Intake, check_names
from edge.link import NodeLink, mirror_payload, monotonic_ms
from edge.order import Released
from edge.sensor.driver import Driver, Reading
from edge.spool import Spool
from edge.spool_file import SpoolFullError

POLL_LIMIT: Final = 4_000
IDLE_S: Final = 0.05
STATUS_MS: Final = 10_000
HELD_BACK_BYTES: Final = 8 << 20
"""What may wait for the stream before inputs that can wait are no longer read."""

_MEGABYTE: Final = 1 << 20
_MIRROR_MS: Final = 1_000
_RETRY_MS: Final = 1_000
_GIVEN_UP_AT_ONCE: Final = 16
_KEPT_IN_MEMORY: Final = 64
_log = log.get("edge")


class Agent:
    """One node.

    Args:
        config: Its configuration.
        drivers: Its inputs, not opened yet.
        spool: Its spool; the agent closes it.
        file: The configuration's file, for messages.
        clock: The wall clock, for what is measured when. It may jump.
        ticks: A clock (ms) that does not, for how long things take.
        network: What moves its link's bytes; None: a thread of its own.

    Attributes:
        done: Whether all inputs have ended and all is committed.

    One agent of a process is :meth:`run`. Who drives many calls :meth:`start`, then :meth:`step`
    whenever one is :meth:`due` or its network has something for it, and at the end :meth:`leave`
    and, once all have :attr:`left`, :meth:`close`.

    Raises:
        ConfigError: The drivers' names clash, or there are too many datastreams.
        CityNerveError: A driver cannot be opened.
    """

    def __init__(
        self,
        config: NodeConfig,
        drivers: Sequence[Driver],
        spool: Spool,
        *,
        file: str = "configuration",
        clock: Clock = now_ms,
        ticks: Callable[[], int] = monotonic_ms,
        network: Network | None = None,
    ) -> None:
        check_names(drivers, file)
        check_size(describe(config, drivers), file)
        self._config = config
        self._clock = clock
        self._ticks = ticks
        self._spool = spool
        self._intakes = [Intake(driver, spool, clock) for driver in drivers]
        # Apart, so that on a full disk what can be read again is never given up for what cannot.
        self._live = Batcher(config.send.format)
        self._resumable = Batcher(config.send.format)
        self._waiting_live: list[Sealed] = []
        self._waiting: list[Sealed] = []
        self._held_back_at = min(HELD_BACK_BYTES, config.spool.max_mb * _MEGABYTE // 4)
        self._link = NodeLink(
            config.mqtt,
            node=config.node.id,
            spool=spool,
            about=describe(config, drivers),
            clock=clock,
            rng=SystemRandom(),
            form=config.send.format,
            ticks=ticks,
            network=network,
        )
        self.done = False
        self._units = units(drivers)
        self._mirrored: dict[tuple[str, str], int] = {}
        self._observations = 0
        self._stopping = False
        self._try_again_at = ticks()
        self._status_at = ticks() - STATUS_MS
        self._told: tuple[object, ...] = ()

    def stop(self) -> None:
        """End soon; safe to call from a signal handler."""
        self._stopping = True

    def run(self, *, until_done: bool = False) -> None:
        """Work until :meth:`stop`, or until all inputs have ended and all is committed.

        Raises:
            CityNerveError: With ``until_done``: the first input's failure, after all else is done.
        """
        self.start()
        try:
            while not self._stopping and not (self.done and until_done):
                if not self.step():
                    self._link.wait(IDLE_S)
        finally:
            self.leave()
            self._link.wait_left()
            self.close()
        if until_done and self.failure is not None:
            raise self.failure

    def start(self) -> None:
        """Begin to connect."""
        self._link.start()

    def step(self, *, limit: int = POLL_LIMIT) -> bool:
        """One turn of all stages; whether there is more to do at once.

        Args:
            limit: About how many items are read from each input at the most.
        """
        now = self._ticks()
        busy = self._collect(now, limit)
        self._keep(now)
        self._link.courier.draining = self.ended
        busy = self._link.step() or busy
        self.done = self.ended and not self._spool.batches
        self._report(now)
        return busy

    def due(self) -> int:
        """When (by ``ticks``) the next :meth:`step` is worth while.

        Unless its network has something for it before.
        """
        now, wall = self._ticks(), self._clock()
        span, held_back = self._config.send.batch_ms, self._held_back
        inputs = [one.due(wall) for one in self._intakes if not (one.resumable and held_back)]
        times = [
            self._status_at + STATUS_MS,
            self._link.due(),
            self._live.due(span),
            self._resumable.due(span),
            self._try_again_at if self._waiting or self._waiting_live else None,
            *(at if at is None else now + at - wall for at in inputs),
        ]
        return min(time for time in times if time is not None)

    @property
    def failure(self) -> CityNerveError | None:
        """The failure of the first input that has failed, if any has."""
        return next((one.failure for one in self._intakes if one.failure is not None), None)

    @property
    def left(self) -> bool:
        """Whether the last status has arrived, or nothing can be done for it."""
        return self._link.left

    @property
    def connected(self) -> bool:
        """Whether the broker can be reached just now."""
        return self._link.connected

    @property
    def ended(self) -> bool:
        """Whether all inputs have ended, and what they gave is durable."""
        return (
            all(intake.ended for intake in self._intakes)
            and not self._waiting
            and not self._waiting_live
        )

    @property
    def unsent(self) -> int:
        """Batches that wait for the stream."""
        return self._spool.batches

    @property
    def observations(self) -> int:
        """Those spooled since the process started."""
        return self._observations

    def _collect(self, now: int, limit: int) -> bool:
        """Drivers -> order -> batcher; whether anything came."""
        wall = self._clock()
        held_back = self._held_back
        busy = False
        for intake in self._intakes:
            if intake.resumable and held_back:
                continue
            released = intake.poll(wall, limit)
            busy = busy or intake.busy
            if intake.grown:
                intake.grown = False
                self._describe_again()
            if released:
                batcher = self._resumable if intake.resumable else self._live
                batcher.add(intake.name, released, now)
                self._mirror(released, now)
        return busy

    @property
    def _held_back(self) -> bool:
        """Whether inputs that can wait have to."""
        return bool(self._waiting) or self._spool.bytes >= self._held_back_at

    def _keep(self, now: int) -> None:
        """Batcher -> spool."""
        for batcher in (self._live, self._resumable):
            if batcher.age(now) >= self._config.send.batch_ms:
                batcher.seal()
        self._waiting_live += self._live.collect()
        self._waiting += self._resumable.collect()
        ended = all(intake.ended for intake in self._intakes)
        if ended:
            self._seal()
        if (self._waiting or self._waiting_live or ended) and now >= self._try_again_at:
            self._spool_all(now)

    def _seal(self) -> None:
        self._live.seal()
        self._resumable.seal()
        self._waiting_live += self._live.collect()
        self._waiting += self._resumable.collect()

    def _spool_all(self, now: int) -> None:
        progress = [
            part for intake in self._intakes if (part := intake.progress()) is not None
        ]  # fmt: skip
        batches = [*self._waiting_live, *self._waiting]
        if not batches and not progress:
            return
        try:
            self._spool.append(batches, progress)
        except SpoolFullError:
            self._try_again_at = now + _RETRY_MS
            self._make_room()
            return
        self._observations += sum(sum(batch.sent.values()) for batch in batches)
        self._waiting_live, self._waiting = [], []
        by_name = {part.driver: part for part in progress}
        for intake in self._intakes:
            if intake.name in by_name:
                intake.written(by_name[intake.name])

    def _make_room(self) -> None:
        """The disk is full: what is live cannot wait, so the oldest must go for it."""
        if not self._waiting_live:
            return
        try:
            lost = self._spool.give_up(self._spool.first + _GIVEN_UP_AT_ONCE - 1)
            _log.warning("disk full: oldest batches given up", batches=lost)
            self._spool.append(self._waiting_live)
            self._observations += sum(sum(one.sent.values()) for one in self._waiting_live)
            self._waiting_live = []
        except SpoolFullError:
            while len(self._waiting_live) > _KEPT_IN_MEMORY:
                oldest = self._waiting_live.pop(0)
                self._spool.dropped += sum(oldest.sent.values())

    def _report(self, now: int) -> None:
        """The status, every ten seconds and when something changes that people look at."""
        due = now - self._status_at >= STATUS_MS
        told = (
            self.done,
            self._link.connected,
            self._link.courier.terms.phase,
            self._spool.full,
            len(self._link.problems()),
        )
        if not due and told == self._told:
            return
        self._status_at, self._told = now, told
        self._link.publish_status(self._status(online=True))

    def _status(self, *, online: bool) -> Status:
        return Status(
            node=self._config.node.id,
            online=online,
            sent=self._clock(),
            term=self._link.courier.terms.term,
            health=self._health(),
            versions=versions(),
        )

    def _health(self) -> Health:
        return examine(
            self._intakes,
            self._spool,
            self._link,
            observations=self._observations,
            done=self.done,
        )

    def _describe_again(self) -> None:
        drivers = [intake.driver for intake in self._intakes]
        self._units = units(drivers)
        self._link.describe(describe(self._config, drivers))

    def _mirror(self, released: Sequence[Released], now: int) -> None:
        if not self._config.send.mirror or not self._link.connected:
            return
        last: dict[tuple[str, str], Reading] = {
            (item.sensor, item.property): item for item in released if isinstance(item, Reading)
        }
        for key, reading in last.items():
            if now - self._mirrored.get(key, now - _MIRROR_MS) >= _MIRROR_MS:
                self._mirrored[key] = now
                payload = mirror_payload(reading.t, reading.value, self._units.get(key, "1"))
                self._link.mirror(*key, payload)

    def leave(self) -> None:
        """Keep what is collected, end the inputs, publish the last status."""
        now = self._ticks()
        for intake in self._intakes:
            self._live.add(intake.name, intake.flush(), now)
        self._seal()
        self._spool_all(now)
        if self._waiting_live:
            lost = sum(sum(batch.sent.values()) for batch in self._waiting_live)
            _log.error("disk full at the end: observations lost", observations=lost)
        for intake in self._intakes:
            intake.close()
        self._link.leave(self._status(online=False))

    def close(self) -> None:
        """Say goodbye and let go of the spool; after :meth:`leave`."""
        self._link.stop()
        self._spool.close()
