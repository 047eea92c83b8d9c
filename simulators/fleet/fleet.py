"""Drives many agents from one thread: each gets its turn when it is due, or hears something."""

import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import Final

from msgspec import Struct

from citynerve import log
from citynerve.errors import CityNerveError
from citynerve.network import Polled
from citynerve.timers import Timers
from edge.link import GOODBYE_S, monotonic_ms
from simulators.fleet.member import Member

ITEMS: Final = 500
"""What an agent reads at most in one turn, so that the others' turns come."""

ABREAST_MS: Final = 300_000
"""Agents that are behind the clock have their turns when they are this little ahead of the last."""

_AT_LEAST_MS: Final = 1_000
"""How often an agent that is behind has a turn in any case, for its timers."""
_LOOKED_UP_S: Final = 0.25
"""How soon a signal, or the caller's wish to end, is noticed."""
_log = log.get("fleet")

Start = Callable[[Polled], Member]
"""Makes one agent, on a port of this network."""


class Figures(Struct, frozen=True, kw_only=True):
    """How a fleet is.

    Attributes:
        nodes: All.
        started: Those that run, or have run.
        connected: Those that reach the broker just now.
        finished: Those that have come to their end.
        failed: Those that broke down; the log says why.
        observations: Spooled by this process.
        unsent: Batches that wait for the stream, in all spools that were opened.
        late: By how much (ms) a node's turn came late at the most, since the figures before.
    """

    nodes: int
    started: int
    connected: int
    finished: int
    failed: int
    observations: int
    unsent: int
    late: int


class Fleet:
    """The agents of one city.

    Args:
        members: Node id -> what makes its agent. They are started one after another, while those
            that are started work already.
        until_done: Whether an agent has come to its end only when all it holds is committed; else
            when its inputs have ended.
    """

    def __init__(self, members: Iterable[tuple[str, Start]], *, until_done: bool) -> None:
        self._pending = deque(members)
        self._nodes = len(self._pending)
        self._until_done = until_done
        self._network = Polled()
        self._agents: dict[str, Member] = {}
        self._due = Timers[str]()
        self._behind = Timers[str]()
        self._leaving: dict[str, float] = {}
        self._finished = 0
        self._spooled = 0
        self._unsent = 0
        self._late = 0
        self._stopping = False
        self.failures: dict[str, Exception] = {}
        """Node id -> what it broke down of."""

    def stop(self) -> None:
        """End soon; safe to call from a signal handler."""
        self._stopping = True

    def figures(self) -> Figures:
        """How it is now."""
        agents = self._agents.values()
        late, self._late = self._late, 0
        return Figures(
            nodes=self._nodes,
            started=self._nodes - len(self._pending),
            connected=sum(agent.connected for agent in agents),
            finished=self._finished,
            failed=len(self.failures),
            observations=self._spooled + sum(agent.observations for agent in agents),
            unsent=self._unsent + sum(agent.unsent for agent in agents),
            late=late,
        )

    def run(self, look: Callable[[], None] = lambda: None) -> None:
        """Work until all agents have come to their end, or until :meth:`stop`.

        Args:
            look: Called between turns, some times a second.

        Raises:
            CityNerveError: An agent could not be made.
        """
        try:
            while not self._stopping and (self._pending or self._agents):
                self._turn()
                look()
        finally:
            self._pending.clear()
            self._end()

    def _turn(self) -> None:
        if self._pending:
            node, start = self._pending.popleft()
            agent = start(self._network)
            agent.start()
            self._agents[node] = agent
            self._step(node)
        awake = set(map(str, self._network.poll(self._pause())))
        now = monotonic_ms()
        self._late = max(self._late, round(now - (self._due.next or now)))
        awake.update(self._due.take(now))
        # A world that they share is computed once for all that are abreast; the first to be started
        # do not hurry ahead of the last.
        if not self._pending and (last := self._behind.next) is not None:
            awake.update(self._behind.take(last + ABREAST_MS))
        for node in awake:
            # Who has just left is still known to the network.
            if node in self._agents and node not in self._leaving:
                self._step(node)
        self._part()

    def _pause(self) -> float:
        """Seconds that nobody has anything to do."""
        if self._pending or self._behind:
            return 0.0
        at = self._due.next
        idle = _LOOKED_UP_S if at is None else (at - monotonic_ms()) / 1000
        return max(0.0, min(idle, _LOOKED_UP_S))

    def _step(self, node: str) -> None:
        agent = self._agents[node]
        try:
            # Who is ahead of others that are behind has a turn for its timers and messages only.
            busy = agent.step(limit=0 if node in self._behind else ITEMS)
            if self._ended(agent):
                self._leave(node)
            else:
                self._schedule(node, busy=busy)
        except Exception as error:  # noqa: BLE001 - one node's breakdown is not the others'
            self._fail(node, error)

    def _schedule(self, node: str, *, busy: bool) -> None:
        now = monotonic_ms()
        at = self._agents[node].due()
        if busy or at <= now:
            self._behind.put(node, min(at, now))
            at = now + _AT_LEAST_MS
        else:
            self._behind.drop(node)
        self._due.put(node, at)

    def _ended(self, agent: Member) -> bool:
        return agent.done if self._until_done else agent.ended

    def _leave(self, node: str) -> None:
        """It keeps what it has and says its last words; :meth:`_part` closes it."""
        self._due.drop(node)
        self._behind.drop(node)
        self._leaving[node] = time.monotonic() + GOODBYE_S
        self._agents[node].leave()

    def _part(self) -> None:
        """Let go of those whose last words have arrived, or will not."""
        now = time.monotonic()
        for node, until in list(self._leaving.items()):
            agent = self._agents[node]
            if agent.left or now >= until:
                self._close(node)
                self._finished += node not in self.failures

    def _close(self, node: str) -> None:
        self._leaving.pop(node, None)
        self._due.drop(node)
        self._behind.drop(node)
        agent = self._agents.pop(node)
        self._spooled += agent.observations
        self._unsent += agent.unsent
        if isinstance(agent.failure, CityNerveError):
            self.failures.setdefault(node, agent.failure)
        agent.close()

    def _fail(self, node: str, error: Exception) -> None:
        _log.error("node broke down", node=node, exc_info=error)
        self.failures[node] = error
        try:
            self._leave(node)
        except CityNerveError as again:
            _log.warning("node not left in order", node=node, why=str(again))

    def _end(self) -> None:
        """All at once: what is collected is kept, last words are said, then all is closed."""
        for node in [node for node in self._agents if node not in self._leaving]:
            try:
                self._leave(node)
            except CityNerveError as error:
                self._fail(node, error)
        deadline = time.monotonic() + GOODBYE_S
        while (
            not all(agent.left for agent in self._agents.values())
            and (left := deadline - time.monotonic()) > 0
        ):
            self._network.poll(left)
        for node in list(self._agents):
            self._close(node)
        self._network.close()
