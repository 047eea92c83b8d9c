"""CSV and NDJSON played as one node: the edge's own driver and mappings, moved and chosen in time.

The clock of such files is that of their rows; without a loop they end as the driver ends them, with
a mark an hour after the last time of each datastream.
"""

import re
import time
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from msgspec import structs

from citynerve.clock import now_ms
from citynerve.errors import ConfigError
from citynerve.messages import CameraAbout, SensorAbout
from edge.agent import Agent
from edge.config import NodeConfig, NodeTable, SpoolTable
from edge.sensor.driver import Item, Mark, Reading
from edge.sensor.replay import Replay, ReplayConfig
from edge.spool import Spool
from simulators.recording.casting import Globs, Names
from simulators.recording.folder import Folder, State, identity
from simulators.recording.replay import Wish
from simulators.recording.times import Extent, Pace, shift

if TYPE_CHECKING:
    from edge.order import Key

_AFTER_THE_END: Final = 3_600_000  # ms, as ``edge.sensor.replay`` marks the end of its files
_READ: Final = 4_000
_NOT_IN_IDS: Final = re.compile(r"[^a-z0-9]+")


class Played:
    """A driver that chooses among another's rows, moves them and sets their pace. Resumable.

    Args:
        inner: Gives all rows at once, always the same.
        wish: What is asked for.
    """

    resumable = True

    def __init__(self, inner: Replay, wish: Wish) -> None:
        self.name = inner.name
        self.finished = False
        self._inner = inner
        self._wish = wish
        self._wanted = Globs(wish.properties)
        self._extent: Extent | None = None
        self._rows: deque[Reading] = deque()
        self._begin(0)

    def sensors(self) -> Sequence[SensorAbout]:
        """Those of the files, with the properties that are chosen.

        Raises:
            ConfigError: None is.
        """
        chosen = [
            structs.replace(
                one, properties=tuple(prop for prop in one.properties if self._wanted(prop.name))
            )
            for one in self._inner.sensors()
        ]
        if not any(one.properties for one in chosen):
            raise ConfigError(
                "none of the files' properties is chosen",
                file="command line",
                key="--property",
                value=list(self._wish.properties),
                fix="leave it out, or name properties as `citynerve edge check` shows them",
            )
        return chosen

    def cameras(self) -> Sequence[CameraAbout]:
        """None."""
        return []

    def identity(self) -> str:
        """What the items follow from."""
        wish = self._wish
        moved = [wish.times, wish.speed] if wish.times == "now" else []
        settings = [self._inner.identity(), wish.window, sorted(wish.properties), wish.loop, moved]
        return identity([], settings)

    def open(self, origin: int) -> None:
        """Begin anew; with ``times`` of ``now``, all moves follow from ``origin``."""
        wish = self._wish
        if self._extent is None:
            self._extent = self._measure()
        self._shift = shift(self._extent, wish.times, wish.speed, origin)
        self._pace = Pace(self._extent, wish.speed, origin)
        self._inner.open(origin)
        self._begin(0)
        self.finished = False

    def next_due(self, now: int) -> int | None:
        """When (ms) there is something to poll for; None: never."""
        if self.finished:
            return None
        return max(now, self._due(self._rows[0].t)) if self._rows else now

    def poll(self, now: int, limit: int) -> Sequence[Item]:
        """What is due at ``now`` (ms)."""
        items: list[Item] = []
        while not self.finished and len(items) < limit:
            if not self._rows and not self._read(now):
                items += self._turned(now)
                continue
            row = self._rows[0]
            if self._due(row.t) > now:
                break
            self._rows.popleft()
            key = row.sensor, row.property
            self._last[key] = max(row.t, self._last.get(key, row.t))
            items.append(row._replace(t=row.t + self._offset))
        return items

    def problems(self) -> Sequence[str]:
        """What could not be read."""
        return self._inner.problems()

    def close(self) -> None:
        """Close the files."""
        self._inner.close()

    def _begin(self, turn: int) -> None:
        self._turn = turn
        self._last: dict[Key, int] = {}
        self._rows.clear()

    @property
    def _offset(self) -> int:
        extent = self._extent
        return self._shift + (self._turn * extent.turn if extent else 0)

    def _due(self, t: int) -> int:
        return max(self._pace.due(self._turn, t), self._pace.clear(t, t, self._offset))

    def _read(self, now: int) -> bool:
        """Fetch rows; False at the end of the files."""
        while not self._rows and not self._inner.finished:
            self._rows.extend(self._chosen(self._inner.poll(now, _READ)))
        return bool(self._rows)

    def _turned(self, now: int) -> list[Item]:
        """The files have ended: begin again, or end."""
        if self._wish.loop:
            self._inner.close()
            self._inner.open(now)
            self._begin(self._turn + 1)
            return []
        self.finished = True
        return [Mark(*key, t + self._offset + _AFTER_THE_END) for key, t in self._last.items()]

    def _chosen(self, items: Sequence[Item]) -> list[Reading]:
        window = self._wish.window
        return [
            item
            for item in items
            if isinstance(item, Reading) and window.holds(item.t) and self._wanted(item.property)
        ]

    def _measure(self) -> Extent:
        """One pass over the files.

        Raises:
            ConfigError: Nothing of them is chosen.
        """
        first: dict[Key, int] = {}
        last: dict[Key, int] = {}
        counts: dict[Key, int] = {}
        self._inner.open(0)
        while not self._inner.finished:
            for one in self._chosen(self._inner.poll(0, _READ)):
                key = one.sensor, one.property
                first[key] = min(one.t, first.get(key, one.t))
                last[key] = max(one.t, last.get(key, one.t))
                counts[key] = counts.get(key, 0) + 1
        self._inner.close()
        if not counts:
            raise ConfigError(
                "no row of the files is chosen",
                file="command line",
                key="--from, --until, --property",
                fix="choose a span and properties that are in them",
            )
        lively = [
            (last[key] - first[key]) // (count - 1) for key, count in counts.items() if count > 1
        ]
        begin, end = min(first.values()), max(last.values())
        return Extent(begin, end, begin, end, max(1, min(lively, default=1)))


def play(
    wish: Wish,
    mapping: str | None,
    echo: Callable[[str], None],
    on_signals: Callable[[Callable[[], None]], None],
) -> None:
    """Play files as one node, until all is committed or until told to stop.

    Args:
        wish: What is asked for.
        mapping: How columns are read; None: found by each file's columns.
        echo: Tells people.
        on_signals: Given what ends it in order.

    Raises:
        CityNerveError: The files cannot be played, or the folder not be used.
    """
    if wish.nodes:
        raise ConfigError(
            "chooses among the nodes of an MCAP recording",
            file="command line",
            key="--node",
            fix="leave it out; --property chooses what is observed",
        )
    node = Names(wish.rename).of(_id(wish.paths[0]))
    config = ReplayConfig(paths=[str(path) for path in wish.paths], mapping=mapping, speed="max")
    driver = Played(Replay(config, Path()), wish)
    known = identity([], [driver.identity(), node, wish.mqtt.safe_url(), wish.mqtt.root])
    place = wish.folder or Path("run") / f"replay-{known[:12]}"
    folder = Folder.open(place, known, anew=wish.anew)
    try:
        if folder.state is None:
            folder.keep(State(known, now_ms(), 0))
        else:
            echo(f"goes on with the replay that was interrupted in {place}")
        agent = _agent(wish, node, driver, place)
        on_signals(agent.stop)
        echo(f"node {node}: {', '.join(str(path) for path in wish.paths)}")
        began = time.monotonic()
        agent.run(until_done=wish.until_done)
        if agent.done and folder.state is not None:
            folder.state.done = True
            folder.keep(folder.state)
    finally:
        folder.close()
    for problem in driver.problems():
        echo(problem)
    echo(f"played {agent.observations} observations in {time.monotonic() - began:.1f} s")
    if not agent.done:
        echo(f"not all is committed: the same command goes on with what waits in {place}")
        return
    echo("all of it is committed")
    if wish.folder is None:
        folder.remove()


def _agent(wish: Wish, node: str, driver: Played, place: Path) -> Agent:
    config = NodeConfig(
        node=NodeTable(id=node, area=wish.area or f"replay/{node}"),
        mqtt=wish.mqtt,
        spool=SpoolTable(path=f"{node}.db"),
    )
    spool = Spool.open(place / config.spool.path, node=node, max_bytes=config.spool.max_mb << 20)
    try:
        return Agent(config, [driver], spool, file="command line")
    except BaseException:
        spool.close()
        raise


def _id(path: Path) -> str:
    """A node's name after a file's or folder's."""
    return _NOT_IN_IDS.sub("-", path.resolve().stem.lower()).strip("-")[:63].strip("-") or "replay"
