"""One input of a node: a driver, its order stage, and its place in the spool."""

from collections.abc import Iterable, Sequence
from time import monotonic
from typing import Final

from citynerve import log
from citynerve.clock import Clock
from citynerve.errors import CityNerveError, ConfigError, UnavailableError
from citynerve.messages import SensorAbout
from citynerve.topics import is_name
from edge.order import Counts, Key, Order, Released
from edge.progress import DriverProgress, Figures
from edge.sensor.driver import Driver, Item, Scheduled
from edge.spool import Spool

GRACE: Final = 5_000
"""Milliseconds that a live sensor's reading may take to reach us, beside its lateness."""
SILENCE: Final = 30_000
"""Milliseconds after which a silent live sensor's watermark is moved on by the clock."""
BELIEVED: Final = 7_200_000
"""Milliseconds ahead of the clock up to which the stream may have believed a time: readings an hour
ahead of its own, marks two. What lay beyond binds nothing."""
BLOCKED_S: Final = 1.0
"""Seconds in one poll from which on a driver is said to block: none is to wait for anything."""
_FRESH_S: Final = 60.0
RETRY_FIRST: Final = 10_000
RETRY_LAST: Final = 300_000
"""Milliseconds until a live input that failed is opened again: doubling, from first to last."""
_ADVANCE: Final = 1_000
_log = log.get("edge")


class Intake:
    """Polls a driver, orders what it gives, and skips what was durable before this process.

    A resumable driver is run again from its origin; as it gives the same items in the same order,
    skipping as many released items as the spool has taken resumes exactly. A live one goes on from
    the times and counts that the spool remembers.

    Args:
        driver: It; opened here.
        spool: Remembers where it stands.
        clock: Gives a first origin.

    Raises:
        ConfigError: It is resumable, and no longer what it was when it was begun.
        CityNerveError: The driver cannot be opened.
    """

    def __init__(self, driver: Driver, spool: Spool, clock: Clock) -> None:
        self.driver = driver
        self.name = driver.name
        self.resumable = driver.resumable
        self.failure: CityNerveError | None = None
        self.busy = False
        """Whether the last poll gave anything, be it that nothing of it was due."""
        self.blocked_s = 0.0
        """For how long a poll held up the node within the last minute; 0: none did."""
        self._blocked_at = 0.0
        self.grown = False
        """Whether it gives datastreams that the node has not described yet."""
        self._ended = False
        self._scheduled = driver if isinstance(driver, Scheduled) else None
        self._left: tuple[str, ...] = ()
        now = clock()
        identity = driver.identity() if driver.resumable else ""
        cursor = spool.progress.cursor(driver.name, now, identity)
        self._skip = cursor.released if driver.resumable else 0
        self._order = Order(lateness(driver.sensors()))
        self._advanced = now
        if not driver.resumable:
            self._go_on(spool.progress.figures(), cursor.dropped)
        self._written: dict[Key, tuple[Counts, int | None]] = {}
        self._written_dropped = cursor.dropped
        self._origin = cursor.origin
        self._opened = True
        self._failed_at = now
        self._pause = 0
        driver.open(cursor.origin)

    @property
    def ended(self) -> bool:
        """Whether nothing will ever follow: the input's end, or a failure."""
        return self._ended

    @property
    def problems(self) -> Sequence[str]:
        """What the driver could not read; after its end, what it then told."""
        return self._left if self._ended else self.driver.problems()

    @property
    def dropped(self) -> int:
        """Items that could not be sent: undeclared, not finite, or with an impossible time."""
        return self._order.dropped

    @property
    def squeezed(self) -> int:
        """Readings released before they were due, for lack of memory."""
        return self._order.squeezed

    def poll(self, now: int, limit: int) -> list[Released]:
        """What is to be spooled now. Never blocks."""
        self.busy = False
        if self._ended or not self._is_open(now):
            return []
        if not self.resumable:
            self._order.believed = now + BELIEVED
        items: Sequence[Item] = ()
        began = monotonic()
        try:
            items = self.driver.poll(now, limit)
            self._time(monotonic() - began)
            if not self.resumable and not self._order.knows(items):
                self._declare()
            released = self._order.take(items)
            finished = self.driver.finished
            if finished:
                self._left = tuple(self.driver.problems())
        except Exception as error:  # noqa: BLE001 - a driver is other people's code, as a rule
            # What it gave just now is no reading, or came with one that is none.
            self._order.dropped += len(items)
            return self._fail(error, now)
        self.busy = len(items) > 0
        if finished:
            released += self._order.flush()
            for problem in self._left:
                _log.warning("input read in part", driver=self.name, problem=problem)
            self._end()
        elif not self.resumable and abs(now - self._advanced) >= _ADVANCE:
            self._advanced = now
            released += self._order.advance(now, grace=GRACE, silence=SILENCE)
        if self._skip:
            skipped = min(self._skip, len(released))
            self._skip -= skipped
            del released[:skipped]
        return released

    def due(self, now: int) -> int | None:
        """When (ms, by the wall clock ``now``) to poll again; None: never.

        A driver that does not tell is asked once a second, as is whatever a clock must move on.
        """
        if self._ended:
            return None
        usual = now + _ADVANCE
        if self._scheduled is None or not self._opened:
            return usual
        told = self._scheduled.next_due(now)
        if self.resumable:
            return told
        return usual if told is None else min(told, usual)

    def flush(self) -> list[Released]:
        """The process ends: what a live driver's order stage still holds.

        A resumable driver's is left: it will be given again.
        """
        return [] if self.resumable or self._ended else self._order.flush()

    def close(self) -> None:
        """Release the driver."""
        if not self._ended:
            self._end()

    def _declare(self) -> None:
        """Take up datastreams that a live driver has found since.

        Raises:
            ConfigError: One has a name that is not allowed: the stream would refuse the node.
        """
        check_names([self.driver], self.name)
        before = len(self._order.counts())
        self._order.declare(lateness(self.driver.sensors()))
        self.grown = self.grown or len(self._order.counts()) > before

    def progress(self) -> DriverProgress | None:
        """The figures that have changed since they were last :meth:`written`, if any."""
        if self._skip:
            return None
        floors = self._order.floors()
        counts = {
            key: figure
            for key, figure in self._order.counts().items()
            if self._written.get(key) != (figure, floors.get(key))
        }
        if not counts and self._order.dropped == self._written_dropped:
            return None
        return DriverProgress(self.name, self._order.dropped, counts, floors)

    def written(self, progress: DriverProgress) -> None:
        """These figures are durable."""
        self._written_dropped = progress.dropped
        for key, figure in progress.counts.items():
            self._written[key] = figure, progress.floors.get(key)

    def totals(self) -> Counts:
        """The figures of all its datastreams together."""
        figures = self._order.counts().values()
        return Counts(
            sum(one.read for one in figures),
            sum(one.repeated for one in figures),
            sum(one.late for one in figures),
        )

    def _go_on(self, figures: dict[Key, Figures], dropped: int) -> None:
        self._order = Order(
            lateness(self.driver.sensors()),
            floors={key: one.floor for key, one in figures.items() if one.floor is not None},
            counts={key: one.counts for key, one in figures.items()},
        )
        self._order.dropped = dropped

    def _end(self) -> None:
        self._ended = True
        self._close()

    def _close(self) -> None:
        if self._opened:
            self._opened = False
            self.driver.close()

    def _time(self, seconds: float) -> None:
        """A driver that blocks holds up the whole node: say so while it is fresh."""
        if seconds >= BLOCKED_S:
            self.blocked_s, self._blocked_at = seconds, monotonic()
            _log.warning("input blocked the node", driver=self.name, seconds=round(seconds, 1))
        elif self.blocked_s and monotonic() - self._blocked_at >= _FRESH_S:
            self.blocked_s = 0.0

    def _fail(self, error: Exception, now: int) -> list[Released]:
        """Go on without it, for a while or for good; what it gave before, if that will not return.

        One input that fails must not end the others: the node would be started again, and fail
        again, and lose each time what its live sensors have in memory.
        """
        _log.error("input failed", driver=self.name, exc_info=error)
        self.failure = (
            error
            if isinstance(error, CityNerveError)
            else UnavailableError(
                "input",
                where=self.name,
                problem=f"{type(error).__name__}: {error}",
                fix="see the traceback in the node's log",
            )
        )
        if self.resumable:
            self._end()
            return []
        self._close()
        self._failed_at = now
        self._pause = min(2 * self._pause, RETRY_LAST) if self._pause else RETRY_FIRST
        return self._order.flush()

    def _is_open(self, now: int) -> bool:
        """Whether the driver can be polled; opens one again that failed a while ago."""
        if self._opened:
            return True
        # A clock that was set back must not keep it closed.
        if abs(now - self._failed_at) < self._pause:
            return False
        try:
            self.driver.open(self._origin)
        except Exception as error:  # noqa: BLE001 - as above
            self._fail(error, now)
            return False
        self._opened = True
        self.failure = None
        return True


def lateness(sensors: Iterable[SensorAbout]) -> dict[Key, int]:
    """Each datastream's lateness, ms."""
    return {(one.name, prop.name): prop.lateness for one in sensors for prop in one.properties}


def check_names(drivers: Sequence[Driver], file: str) -> None:
    """Refuse what would be confused, or refused by the stream, before anything is sent.

    Raises:
        ConfigError: Two drivers share a name or a datastream, or a name is not allowed.
    """
    names: set[str] = set()
    owners: dict[Key, str] = {}
    for driver in drivers:
        if driver.name in names:
            raise ConfigError(
                "two inputs have this name",
                file=file,
                key="sensor.name",
                value=driver.name,
                fix="give each input a name of its own",
            )
        names.add(driver.name)
        for key in lateness(driver.sensors()):
            for part in key:
                if not is_name(part):
                    raise ConfigError(
                        f"input {driver.name!r} gives a name that is not allowed",
                        file=file,
                        value=part,
                        fix="use a-z, 0-9, _ and -, at most 63 characters",
                    )
            if key in owners:
                raise ConfigError(
                    f"inputs {owners[key]!r} and {driver.name!r} give the same datastream",
                    file=file,
                    value="/".join(key),
                    fix="name the sensors apart",
                )
            owners[key] = driver.name
