"""The simulated city as a function of time, computed in blocks.

A block is some minutes of all datastreams at once. What it needs of the one before is carried; a
block that was given away is computed anew from the nearest state that is kept. So any order of
asking gives the same, and memory is bounded however long a city runs.
"""

from collections import OrderedDict
from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np

from simulators.city.calendar import HOUR
from simulators.city.faults import GIVEN, NONE, OUT, SILENT, Faults, Held
from simulators.city.hashing import Floats, Ints
from simulators.city.incidents import Event, Wanted
from simulators.city.model import Fields, Model, State
from simulators.city.plan import Plan, plan
from simulators.city.properties import PROPERTIES
from simulators.city.sampling import Intervals, instants, measured
from simulators.city.schedule import Schedule
from simulators.city.sites import Bools, sites
from simulators.city.traffic import STEP
from simulators.city.truth import Incident, Record

BLOCK_STEPS: Final = 60
_KEPT_BLOCKS: Final = 32
_KEPT_STATES: Final = 128
_SETTLED: Final = {"vehicles": 0.02, "air": 0.005, "parked": 2e-4, "ground": 0.01, "river": 0.005}
"""How little an incident's run may differ from the other when it is given up: far below what
counts as touched."""


class Readings(NamedTuple):
    """One property in one block; (rows, readings).

    ``comes``: as a value, or why not (``simulators.city.faults``).
    """

    times: Ints
    values: Floats
    comes: Ints


Block = dict[str, Readings]
"""By property."""


class Settings(NamedTuple):
    """What a world follows from; equal ones make equal worlds.

    Attributes:
        nodes: How many.
        seed: Of everything.
        start: Live time's start, ms since 1970 UTC.
        history: Time before it that is simulated, too, ms.
        end: No reading at or after; None: without end.
        history_interval: ms between two readings of the history; None: each property's own.
        interval: The same of live time.
        quiet: No incident is drawn within so many ms from the beginning.
        rate: Incidents a day; None: as suits the city's size.
        wanted: Incidents that are asked for.
        without: Ids of incidents that do not happen, whoever wanted them.
        suffix: Ends each node's id.
    """

    nodes: int
    seed: int
    start: int
    history: int = 0
    end: int | None = None
    history_interval: int | None = None
    interval: int | None = None
    quiet: int = 24 * HOUR
    rate: float | None = None
    wanted: tuple[Wanted, ...] = ()
    without: frozenset[str] = frozenset()
    suffix: str = ""


class _Carried(NamedTuple):
    """The world between two blocks: the model's state, whom its further runs are without."""

    state: State
    without: tuple[str, ...]
    held: dict[str, float]


class World:
    """One simulated city.

    Args:
        settings: See there.
        block_steps: Steps of a block; no figure depends on it.

    Attributes:
        plan: The city.
        sites: Its datastreams by property, in rows.
        first: Before the first reading, ms.
        block: The length of a block, ms.

    Raises:
        ConfigError: The settings ask for what the city does not have.
    """

    def __init__(self, settings: Settings, *, block_steps: int = BLOCK_STEPS) -> None:
        self.settings = settings
        self.plan: Plan = plan(settings.nodes, settings.seed, settings.suffix)
        self.sites = sites(self.plan)
        self.first = settings.start - settings.history
        self.block = block_steps * STEP
        self._origin = self.first - self.first % STEP
        self._intervals = Intervals(
            settings.start, self.first, settings.end, settings.history_interval, settings.interval
        )
        rate = settings.rate if settings.rate is not None else 4.0 + 0.1 * settings.nodes
        self._schedule = Schedule(
            self.plan,
            start=settings.start,
            quiet_until=self.first + settings.quiet,
            rate=rate,
            wanted=settings.wanted,
            without=settings.without,
        )
        self._model = Model(self.plan, self.sites)
        self._faults = Faults(self.plan)
        self._record = Record(self.plan, self._intervals)
        self._blocks: OrderedDict[int, Block] = OrderedDict()
        self._states = {0: _Carried(self._model.start(self._origin), (), {})}
        self._recent: OrderedDict[int, _Carried] = OrderedDict()
        self._spacing = 1
        self._told = 0

    @property
    def reached(self) -> int:
        """Up to when the truth is known, ms."""
        return self._origin + self._told * self.block

    def index(self, t: int) -> int:
        """The number of the block that holds a time, ms."""
        return (t - self._origin) // self.block

    def begins(self, index: int) -> int:
        """When a block begins, ms."""
        return self._origin + index * self.block

    def at(self, index: int) -> Block:
        """A block by its number, from 0."""
        found = self._blocks.get(index)
        if found is None:
            return self._compute(index)
        self._blocks.move_to_end(index)
        return found

    def truth(self, until: int | None = None) -> list[Incident]:
        """All incidents that have begun, with what they have touched up to :attr:`reached`.

        Args:
            until: Compute at least up to here first, ms.
        """
        if until is not None and until > self.reached:
            self.at(self.index(until - 1))
        return self._record.incidents()

    def _compute(self, wanted: int) -> Block:
        """The block, from the nearest state before it."""
        index = max(known for known in (*self._states, *self._recent) if known <= wanted)
        carried = self._recent.get(index) or self._states[index]
        while True:
            carried, block = self._advance(index, carried)
            index += 1
            self._keep(index, carried)
            if index > wanted:
                break
        self._blocks[wanted] = block
        if len(self._blocks) > _KEPT_BLOCKS:
            self._blocks.popitem(last=False)
        return block

    def _keep(self, index: int, carried: _Carried) -> None:
        """Keep the state before a block: of late all, and some for ever, ever farther apart."""
        self._recent[index] = carried
        if len(self._recent) > _KEPT_BLOCKS:
            self._recent.popitem(last=False)
        if index % self._spacing == 0:
            self._states[index] = carried
        if len(self._states) > _KEPT_STATES:
            self._spacing *= 2
            self._states = {
                at: state for at, state in self._states.items() if at % self._spacing == 0
            }

    def _advance(self, index: int, carried: _Carried) -> tuple[_Carried, Block]:
        low, high = self.begins(index), self.begins(index + 1)
        events = self._schedule.between(low, high)
        times = np.arange(low, high, STEP)
        begun = [event.id for event in events if event.model and event.id not in carried.without]
        without = (*carried.without, *begun)
        state = _widened(carried.state, len(without) + 1)
        state, fields = self._model.run(state, times, events, list(without))
        tell = index >= self._told
        if tell:
            self._told = index + 1
            for event in events:
                self._record.begin(event)
        held = {name: value for name, value in carried.held.items()
                if any(event.id == name for event in events)}  # fmt: skip
        block = self._readings(low, high, fields, events, without, held, tell=tell)
        over = {event.id for event in events if event.end >= high}
        kept = [run for run, name in enumerate(without, 1) if name in over or _differs(state, run)]
        state = State(*(part[[0, *kept]] for part in state))
        return _Carried(state, tuple(without[run - 1] for run in kept), held), block

    def _readings(
        self,
        low: int,
        high: int,
        fields: Fields,
        events: list[Event],
        without: tuple[str, ...],
        held: Held,
        *,
        tell: bool,
    ) -> Block:
        block: Block = {}
        for name, values in fields.items():
            about, rows = PROPERTIES[name], self.sites[name]
            times, there = instants(rows, self._intervals.spans(low, high, about.interval))
            step = np.clip((times - low) // STEP, 0, values.shape[1] - 1)
            row = np.arange(len(rows))[:, None]
            true = values[0][step, row]
            told = measured(name, about, rows, true, times)
            comes = np.where(there, GIVEN, NONE)
            right = told.copy()
            for event in events:
                struck = self._faults.rows(name, rows, event)
                if not len(struck):
                    continue
                before = comes.copy(), told.copy()
                self._faults.apply(name, about, rows, event, struck, (times, told, comes), held)
                if tell:
                    gone = (before[0] == GIVEN) & ((comes == SILENT) | (comes == OUT))
                    self._record.silent(event.id, name, rows, times, gone)
                    off = told - before[1]
                    self._record.differs(
                        event.id, name, rows, times, off, self._matters(name, event, off, comes)
                    )
            if tell:
                # What a stuck sensor shows is nobody else's doing.
                own = (comes == GIVEN) & ~self._stuck(name, events, times, right.shape)
                for run, event_id in enumerate(without, 1):
                    if np.abs(values[0] - values[run]).max() > about.threshold:
                        off = true - values[run][step, row]
                        where = own & (np.abs(off) > about.threshold)
                        self._record.differs(event_id, name, rows, times, off, where)
            block[name] = Readings(times, told, comes)
        return block

    def _matters(self, name: str, event: Event, off: Floats, comes: Ints) -> Bools:
        """Where a sensor's fault is to be seen: a slow one only once it has gone far enough."""
        least = PROPERTIES[name].threshold if event.kind in {"drift", "battery"} else 0.0
        return np.asarray((np.abs(off) > least) & (comes == GIVEN))

    def _stuck(self, name: str, events: list[Event], times: Ints, shape: tuple[int, ...]) -> Bools:
        stuck = np.zeros(shape, bool)
        for event in events:
            if event.kind == "stuck":
                for row in self._faults.rows(name, self.sites[name], event).tolist():
                    stuck[row] |= (times[row] >= event.start) & (times[row] < event.end)
        return stuck


@lru_cache(maxsize=4)
def shared(settings: Settings) -> World:
    """The one world of these settings in this process: all its nodes' drivers read from it."""
    return World(settings)


def _widened(state: State, runs: int) -> State:
    """New runs begin as the first is: up to now nothing differed."""
    more = runs - len(state.vehicles)
    if not more:
        return state
    return State(*(np.concatenate([part, np.repeat(part[:1], more, axis=0)]) for part in state))


def _differs(state: State, run: int) -> bool:
    return any(
        np.abs(part[run] - part[0]).max(initial=0.0) > least
        for part, least in zip(state, map(_SETTLED.__getitem__, state._fields), strict=True)
    )
