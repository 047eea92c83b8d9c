"""One stream as a process: its store, its claim, its connections, its flow, and its end.

The flow runs in a thread of its own. The main thread waits for a signal, for the loss of the claim
or for the flow's failure, and then ends the process: whatever is not committed, the nodes send
again. After a first signal, the flow reads nothing more and is given a moment to let out the
roll-ups that it holds; what it could not, leaves at the next start.
"""

import gc
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, suppress
from datetime import timedelta
from pathlib import Path
from queue import SimpleQueue
from types import FrameType
from typing import Final, NoReturn

from bytewax.recovery import RecoveryConfig
from bytewax.run import cli_main

from citynerve import log
from citynerve.clock import now_ms
from citynerve.errors import USER_ERROR_EXIT, CityNerveError, UnavailableError
from citynerve.influx import Influx, connect
from citynerve.messages import Owner as Claim
from citynerve.messages import Rejected
from citynerve.mqtt import Link, why_unreachable
from citynerve.topics import Topics
from citynerve.version import VERSION
from stream import flow, owner, store
from stream.block import Block
from stream.config import StreamConfig
from stream.lane.lane import Lane
from stream.lane.settings import LaneSettings
from stream.meters import Meters
from stream.reporter import Reporter
from stream.scenario import load_scenarios
from stream.sinks.acks import AckPartition, AckRules, AckSink
from stream.sinks.database import Database
from stream.sinks.events import EventPartition, EventSink
from stream.sinks.evidence import EvidencePartition, EvidenceSink
from stream.sinks.lines import LinesSink
from stream.sinks.outbox import OutboxSink
from stream.sinks.rejections import RejectedPartition, RejectedSink, Rejections
from stream.sources.intake import Intake
from stream.sources.mqtt import MqttSource

INFLUX_TIMEOUT: Final = 10.0
"""Seconds for one request; a write that takes longer is tried again."""

_FAILED: Final = 1
_INTERRUPTED: Final = 130
_PAUSE: Final = 0.5
_REPORT: Final = 0.5
_GOODBYE: Final = 0.5
_LET_OUT: Final = 4.0
_LOOK: Final = 0.05

_log = log.get("stream")


class Signalled(BaseException):
    """A signal asks the process to end; raised in the main thread, which only ever waits."""

    def __init__(self, number: int) -> None:
        self.number = number
        super().__init__(signal.Signals(number).name)

    @property
    def code(self) -> int:
        """The exit code."""
        return _INTERRUPTED if self.number == signal.SIGINT else 0


Ending = SimpleQueue[CityNerveError | None]
"""What ends the process from within: the loss of the claim, or None: the flow has ended."""


class Service:
    """The parts of a running stream, for one configuration and one open store."""

    def __init__(self, config: StreamConfig, opened: store.Store, link: Link) -> None:
        self.config = config
        self.opened = opened
        self.link = link
        self.topics = Topics(config.mqtt.root)
        self.meters = Meters()
        self.rejected = Rejections(self.meters)
        self.ending = threading.Event()
        self.stopping = threading.Event()
        extra = config.scenarios.path
        self.lane_settings = LaneSettings(
            scenarios=load_scenarios(None if extra is None else Path(extra)),
            topics=self.topics,
            raw=config.storage.raw,
            max_skew=config.flow.max_skew_ms,
        )

    def connect_influx(self) -> Influx:
        """A new connection; see :func:`citynerve.influx.connect`."""
        return connect(self.config.influx, INFLUX_TIMEOUT)

    def reporter(self) -> Reporter:
        """Tells the process's figures."""
        return Reporter(
            self.opened.identity.id,
            self.connect_influx,
            self.config.influx.main,
            publisher=self.link,
            topics=self.topics,
            meters=self.meters,
            rejected=self.rejected,
            clock=now_ms,
        )

    def run_flow(self) -> None:
        """Run until something ends it, which is never in order."""
        dataflow = flow.build(self.ends(), self.lane_settings, clock=now_ms, meters=self.meters)
        cli_main(  # type: ignore[no-untyped-call]
            dataflow,
            workers_per_process=self.config.flow.workers,
            epoch_interval=timedelta(milliseconds=self.config.flow.epoch_ms),
            # Without a backup interval of 0, Bytewax keeps every epoch.
            recovery_config=RecoveryConfig(  # type: ignore[no-untyped-call]
                self.opened.recovery, timedelta(0)
            ),
        )

    def ends(self) -> flow.Ends:
        """The flow's source and sinks."""
        influx = self.config.influx
        doubtful = self.opened.identity.start > 1
        return flow.Ends(
            source=MqttSource(self._intake, now_ms),
            lines=LinesSink(self._database, raw=influx.raw, main=influx.main, doubtful=doubtful),
            events=EventSink(self._events),
            evidence=EvidenceSink(self._evidence),
            rejected=RejectedSink(lambda: RejectedPartition(self.rejected)),
            acks=AckSink(self._acks),
            outbox=OutboxSink(
                self._database,
                raw=influx.raw,
                main=influx.main,
                meters=self.meters,
                doubtful=doubtful,
            ),
        )

    def let_out(self) -> None:
        """Read nothing more, and wait until no roll-up is held back: a moment at the most."""
        self.ending.set()
        deadline = time.monotonic() + _LET_OUT
        while self.meters.get("rollup", "held"):
            if time.monotonic() > deadline:
                _log.info("some roll-ups leave at the next start")
                return
            time.sleep(_LOOK)

    def _intake(self) -> Intake:
        client_id = f"citynerve-stream-{self.opened.identity.id}-in-0"
        return Intake(self.config.mqtt, client_id=client_id, meters=self.meters, ending=self.ending)

    def _database(self) -> Database:
        return Database(
            self.connect_influx,
            refused=self._refused_line,
            meters=self.meters,
            stopping=self.stopping,
        )

    def _refused_line(self, line: str, message: str) -> None:
        self.rejected.add(
            Rejected(reason="influx", detail=message, topic="", sent=now_ms(), sample=line)
        )

    def _events(self) -> EventPartition:
        return EventPartition(self.link, self.topics, meters=self.meters, stopping=self.stopping)

    def _evidence(self) -> EvidencePartition:
        return EvidencePartition(self.opened.evidence, meters=self.meters, stopping=self.stopping)

    def _acks(self) -> AckPartition:
        rules = AckRules(
            store=self.opened.identity.id,
            start=self.opened.identity.start,
            delay=self.config.flow.ack_delay_ms,
            epoch=self.config.flow.epoch_ms,
        )
        return AckPartition(self.link, self.topics, rules, meters=self.meters, clock=now_ms)


def run(config: StreamConfig, *, wait: float, take_over: bool) -> int:
    """Run the stream until a signal, or until it cannot go on.

    Args:
        config: All settings.
        wait: Seconds to wait for the broker and for InfluxDB at the start.
        take_over: Claim even over a claim that is still there; see :mod:`stream.owner`.

    Returns:
        The exit code. Threads may still run: end with ``os._exit``.

    Raises:
        CityNerveError: It cannot start.
    """
    _catch_signals()
    try:
        with ExitStack() as stack:
            return _run(stack, config, wait, take_over=take_over)
    except Signalled as signalled:
        # Before the flow began.
        return signalled.code


def _run(stack: ExitStack, config: StreamConfig, wait: float, *, take_over: bool) -> int:
    deadline = time.monotonic() + wait
    opened = stack.enter_context(store.opened(Path(config.store.path)))
    identity = opened.identity
    _log.info("store opened", id=identity.id, start=identity.start, pruned=opened.pruned)
    link = owner.link(config.mqtt, identity.id, identity.start)
    service = Service(config, opened, link)
    # The first message would wait for it otherwise, and every epoch with it.
    Lane.prepare()
    Block.prepare()
    # What stands now stays: the collector need not look through it again and again.
    gc.freeze()
    wait_for_influx(config, deadline)
    connect_link(link, deadline)
    stack.callback(_stop_link, link)

    ending: Ending = SimpleQueue()
    wanted = Claim(store=identity.id, start=identity.start, online=True, version=VERSION)
    holder = owner.Owner(link, wanted, ending.put)
    claimed = holder.claim(take_over=take_over)
    stack.callback(holder.release)
    if claimed.start != identity.start:
        service.opened = store.advance(opened, claimed.start)
    reporter = service.reporter()
    reporter.start()
    stack.callback(reporter.stop, _REPORT)
    stack.callback(service.stopping.set)
    return _until_end(service, ending)


def _until_end(service: Service, ending: Ending) -> int:
    running = ThreadPoolExecutor(1, thread_name_prefix="flow").submit(service.run_flow)
    running.add_done_callback(lambda _: ending.put(None))
    _log.info(
        "stream runs",
        broker=service.config.mqtt.safe_url(),
        influx=service.config.influx.base(),
        store=service.opened.identity.id,
        start=service.opened.identity.start,
    )
    try:
        reason = ending.get()
    except Signalled as signalled:
        _log.info("stream ends", signal=str(signalled))
        with suppress(Signalled):
            service.let_out()
        return signalled.code
    return _failed(running) if reason is None else _lost(reason)


def _lost(reason: CityNerveError) -> int:
    _log.error("stream ends", problem=str(reason))
    return USER_ERROR_EXIT


def _failed(running: Future[None]) -> int:
    failure = running.exception()
    if failure is None:
        _log.error("the flow has ended, which it never should")
        return _FAILED
    cause = _foreseen(failure)
    if cause is not None:
        return _lost(cause)
    _log.error("the flow has failed", exc_info=failure)
    return _FAILED


def _foreseen(failure: BaseException) -> CityNerveError | None:
    """An error of ours among what Bytewax wrapped around it."""
    seen: BaseException | None = failure
    while seen is not None:
        if isinstance(seen, CityNerveError):
            return seen
        seen = seen.__cause__ or seen.__context__
    return None


def wait_for_influx(config: StreamConfig, deadline: float) -> None:
    """Wait until InfluxDB answers and has both databases.

    Args:
        config: All settings.
        deadline: On the monotonic clock, seconds.

    Raises:
        ConfigError: It refuses our credentials.
        UnavailableError: It did not answer in time.
    """

    def prepare() -> None:
        with connect(config.influx, INFLUX_TIMEOUT) as influx:
            influx.ensure(config.storage.retention_days)

    _insist(prepare, deadline)


def connect_link(link: Link, deadline: float) -> None:
    """Connect to the broker.

    Raises:
        ConfigError: It refuses our credentials.
        UnavailableError: It did not answer in time; says why not.
    """
    link.start()
    try:
        _insist(lambda: link.wait_connected(_PAUSE), deadline)
    except UnavailableError as error:
        problem = why_unreachable(link.config) or error.problem
        raise UnavailableError(
            error.what, where=error.where, problem=problem, fix=error.fix
        ) from error


def _stop_link(link: Link) -> None:
    # paho's thread may be in the middle of connecting to a broker that does not answer.
    stopping = threading.Thread(target=link.stop, daemon=True)
    stopping.start()
    stopping.join(_GOODBYE)


def _insist(attempt: Callable[[], None], deadline: float) -> None:
    said = False
    while True:
        try:
            return attempt()
        except UnavailableError as error:
            if time.monotonic() >= deadline:
                raise
            if not said:
                said = True
                seconds = round(deadline - time.monotonic())
                _log.warning("waiting", what=error.what, where=error.where, seconds=seconds)
        time.sleep(min(_PAUSE, max(0.0, deadline - time.monotonic())))


def _catch_signals() -> None:
    def end(number: int, frame: FrameType | None) -> NoReturn:
        del frame
        raise Signalled(number)

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
