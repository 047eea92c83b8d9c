"""Plays a recording as the nodes that are in it, through the real protocol.

Each node has a spool in the replay's folder, so that a replay that is killed goes on where it was
when it is started again, and each reading reaches the stream once in effect.
"""

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from queue import Empty
from typing import Final, cast

from citynerve import codec
from citynerve.clock import Clock, now_ms
from citynerve.errors import ConfigError, ProtocolError, RefusedError
from citynerve.messages import Status
from citynerve.mqtt import Link, MqttConfig
from citynerve.network import Polled
from citynerve.parameters import Speed
from citynerve.topics import Topics
from edge.spool import Spool
from edge.spool_file import Footprint
from simulators.fleet import limits
from simulators.fleet.fleet import Figures, Fleet
from simulators.recording.casting import Cast, Globs, Names, Part
from simulators.recording.casting import cast as cast_nodes
from simulators.recording.feeder import Course, Feeder, Role
from simulators.recording.folder import Folder, State, identity
from simulators.recording.items import Items
from simulators.recording.player import INPUT, Player
from simulators.recording.reader import Files
from simulators.recording.survey import Survey, Window
from simulators.recording.times import Extent, Pace, Times, extent, shift

_MAX_BYTES: Final = 1 << 40  # a recording waits to be read, rather than that any of it is given up
_SMALL: Final = Footprint(ballast=256 << 10, log_pages=64, cache_kib=64)
_BATCH_MS: Final = 1_000
# At full speed batches fill by themselves; small ones would only cost more.
_BATCH_MS_AT_MAX: Final = 10_000
_CONNECT_S: Final = 10.0
_STATUSES_S: Final = 0.5


@dataclass(frozen=True, slots=True)
class Wish:
    """What the command line asks for.

    Attributes:
        paths: MCAP files, or folders of them.
        mqtt: The broker to play to.
        speed: Recorded over real time.
        window: What of the recording, by its clock.
        nodes: Patterns of node ids; empty: all.
        properties: Patterns of properties and types of events; empty: all.
        loop: Begin again at the end, times going on.
        times: Whether they stay or move to the present.
        rename: See :class:`simulators.recording.casting.Names`.
        area: Where nodes stand of which the recording does not say it.
        folder: Of the replay; None: one of its own below ``run``, removed at the end.
        until_done: End when all is committed.
        anew: Forget what an interrupted replay left in the folder.
    """

    paths: Sequence[Path]
    mqtt: MqttConfig
    speed: Speed = 1.0
    window: Window = field(default_factory=Window)
    nodes: Sequence[str] = ()
    properties: Sequence[str] = ()
    loop: bool = False
    times: Times = "kept"
    rename: Sequence[str] = ()
    area: str | None = None
    folder: Path | None = None
    until_done: bool = False
    anew: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a replay.

    Attributes:
        figures: Of its nodes, at the end.
        left_out: Recorded readings and events that the stream had refused, by reason.
        repeats: Batches that stand in the recording more than once.
        superseded: Batches of an ended term that the node sent again in the next.
        committed: Whether all of it is.
        failures: Node id -> what it broke down of.
    """

    figures: Figures
    left_out: Mapping[str, int]
    repeats: int
    superseded: int
    committed: bool
    failures: Mapping[str, Exception]


class Replay:
    """One replay. :meth:`run` it; :meth:`stop` ends it in order from a signal handler.

    Attributes:
        survey: What the recording holds.
        cast: Who is played.
        resumed: Whether it goes on from an earlier process.

    Raises:
        CityNerveError: The recording cannot be played, or the folder not be used.
    """

    def __init__(self, wish: Wish, *, clock: Clock = now_ms) -> None:
        self._wish = wish
        self._clock = clock
        self.files = Files.open(wish.paths)
        self.survey = Survey.of(self.files.messages(), wish.window)
        self._wanted = Globs(wish.properties)
        self.cast: Cast = cast_nodes(
            self.survey,
            nodes=Globs(wish.nodes),
            properties=self._wanted,
            names=Names(wish.rename),
            area=wish.area,
        )
        limits.allow(len(self.cast.parts))
        self.extent: Extent = extent(self.survey, [part.node for part in self.cast.parts])
        self._identity = self._digest()
        self._check_loop()
        self.folder = Folder.open(self._place(), self._identity, anew=wish.anew)
        self.resumed = self.folder.state is not None
        self._left_out: Counter[str] = Counter()
        self._roles: dict[str, Role] = {}
        self._feeder: Feeder | None = None
        self._network: Polled | None = None
        self._fleet = Fleet(
            [(part.name, partial(self._start, part)) for part in self.cast.parts],
            until_done=True,
        )

    def figures(self) -> Figures:
        """How its nodes are now."""
        return self._fleet.figures()

    @property
    def problems(self) -> list[str]:
        """What is wrong between its nodes and the stream, each kind once."""
        found = [problem for role in self._roles.values() for problem in role.player.problems()]
        return list(dict.fromkeys(found))

    @property
    def feeder(self) -> Feeder | None:
        """How far it is; None while nodes are started."""
        return self._feeder

    def stop(self) -> None:
        """End soon."""
        self._fleet.stop()

    def run(self, tell: Callable[["Replay"], None] = lambda _: None) -> Outcome:
        """Play until all is committed, or until told to stop.

        Args:
            tell: Called often, to show how it is.

        Raises:
            CityNerveError: There is no broker at the start, one of its nodes runs already, or the
                disk has no room.
        """
        try:
            if not self.resumed:
                self._look_for_others()
                self._begin()
            self._fleet.run(partial(self._turn, tell))
            outcome = self._outcome()
            state = self.folder.state
            if outcome.committed and state is not None:
                state.done = True
                self.folder.keep(state)
        finally:
            self.folder.close()
        if outcome.committed and self._wish.folder is None:
            self.folder.remove()
        return outcome

    def _turn(self, tell: Callable[["Replay"], None]) -> None:
        if self._fleet.failures:
            # Without one of its nodes it cannot be completed; the others' spools are kept.
            self._fleet.stop()
            return
        if self._feeder is None and len(self._roles) == len(self.cast.parts):
            self._feeder = self._make_feeder()
        if self._feeder is not None:
            self._feeder.feed(self._clock())
        tell(self)

    def _start(self, part: Part, network: Polled) -> Player:
        """One node's player, on a port of the network."""
        self._network = network
        state = self._state()
        spool = Spool.open(
            self.folder.path / f"{part.name}.db",
            node=part.name,
            max_bytes=_MAX_BYTES,
            footprint=_SMALL,
        )
        skip = spool.progress.cursor(INPUT, state.origin, self._identity).released
        player = Player(
            part.name,
            next(iter(part.abouts.values())),
            spool,
            skip=skip,
            mqtt=self._wish.mqtt,
            network=network.port(part.name),
            form=cast("codec.Format", part.form),
            batch_ms=_BATCH_MS_AT_MAX if self._wish.speed == "max" else _BATCH_MS,
        )
        player.stays = not self._wish.until_done
        items = Items(self._wanted, part.prefix, self._left_out)
        self._roles[part.node] = Role(self.survey.nodes[part.node], part.abouts, items, player)
        return player

    def _make_feeder(self) -> Feeder:
        state, wish = self._state(), self._wish
        course = Course(
            wish.window,
            self.extent,
            Pace(self.extent, wish.speed, state.origin),
            state.shift,
            wish.loop,
        )
        network = self._network
        assert network is not None  # noqa: S101 - the fleet has started its members on it
        return Feeder(self.files, self._roles, course, network.wake)

    def _begin(self) -> None:
        now = self._clock()
        moved = shift(self.extent, self._wish.times, self._wish.speed, now)
        self.folder.keep(State(self._identity, now, moved))

    def _state(self) -> State:
        state = self.folder.state
        assert state is not None  # noqa: S101 - kept before anything starts
        return state

    def _outcome(self) -> Outcome:
        players = [role.player for role in self._roles.values()]
        everyone = len(players) == len(self.cast.parts)
        nodes = [self.survey.nodes[part.node] for part in self.cast.parts]
        terms = [term for node in nodes for term in node.terms.values()]
        return Outcome(
            self.figures(),
            dict(self._left_out),
            sum(term.repeats for term in terms),
            sum(len(term.seqs) for term in terms) - sum(part.batches for part in self.cast.parts),
            everyone and all(player.delivered for player in players) and not self._fleet.failures,
            self._fleet.failures,
        )

    def _digest(self) -> str:
        wish = self._wish
        settings = [
            [wish.mqtt.safe_url(), wish.mqtt.root],
            list(wish.window),
            sorted(wish.nodes),
            sorted(wish.properties),
            [wish.loop, wish.times],
            sorted(wish.rename),
            wish.area,
        ]
        return identity([file.path for file in self.files.files], settings)

    def _place(self) -> Path:
        if self._wish.folder is not None:
            return self._wish.folder
        return Path("run") / f"replay-{self._identity[:12]}"

    def _check_loop(self) -> None:
        wish = self._wish
        if wish.loop and wish.times == "now" and wish.speed != 1.0:
            raise ConfigError(
                "a loop whose times move to the present keeps step with the clock",
                file="command line",
                key="--speed",
                value=wish.speed,
                fix="leave --speed out, or --loop, or --times now",
            )

    def _look_for_others(self) -> None:
        """Refuse to play a node that runs: the stream would take us for its clone.

        Raises:
            RefusedError: One does.
            UnavailableError: There is no broker.
        """
        topics = Topics(self._wish.mqtt.root)
        link = Link(
            self._wish.mqtt,
            client_id=f"citynerve-replay-{self._identity[:12]}",
            subscriptions=[(topics.status_filter(), 1)],
        )
        link.start()
        try:
            link.wait_connected(_CONNECT_S)
            online = _online(link, topics)
        finally:
            link.stop()
        running = sorted(online & {part.name for part in self.cast.parts})
        if running:
            raise RefusedError(
                f"node {running[0]!r}" + (f" and {len(running) - 1} others" * (len(running) > 1)),
                holder="a node that is online",
                fix="end it first, or play under other names: --rename lab-",
            )


def _online(link: Link, topics: Topics) -> set[str]:
    """The nodes that the broker's retained statuses call online."""
    found: set[str] = set()
    quiet_at = time.monotonic() + _STATUSES_S
    while (left := quiet_at - time.monotonic()) > 0:
        try:
            message = link.messages.get(timeout=left)
        except Empty:
            break
        quiet_at = time.monotonic() + _STATUSES_S
        try:
            if message.retained and codec.decode(message.payload, Status).online:
                found.add(topics.split(message.topic)[-1])
        except ProtocolError:
            continue
    return found
