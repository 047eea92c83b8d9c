"""Whose turn it is in a fleet, with members whose work is scripted."""

from collections.abc import Callable
from functools import partial

from citynerve.errors import CityNerveError, UnavailableError
from citynerve.network import Polled
from edge.link import monotonic_ms
from simulators.fleet.fleet import ABREAST_MS, Fleet

DAY = 86_400_000
Saw = Callable[[], None]


class Node:
    """Has ``work`` items, each due ``every`` ms from ``origin`` on, as a simulated input has."""

    connected = True
    left = True
    unsent = 0

    def __init__(self, origin: int, every: int, work: int) -> None:
        self.origin = origin
        self.every = every
        self.work = work
        self.observations = 0
        self.turns = 0
        self.failure: CityNerveError | None = None
        self.calls: list[str] = []
        self.saw: Saw = lambda: None

    @property
    def reached(self) -> int:
        return self.origin + self.observations * self.every

    @property
    def ended(self) -> bool:
        return self.observations == self.work

    @property
    def done(self) -> bool:
        return self.ended

    def start(self) -> None:
        self.calls.append("start")

    def step(self, *, limit: int) -> bool:
        self.turns += 1
        self.saw()
        now = monotonic_ms()
        for _ in range(min(limit, 10)):
            if self.ended or self.reached > now:
                return False
            self.observations += 1
        return True

    def due(self) -> int:
        return self.reached

    def leave(self) -> None:
        self.calls.append("leave")

    def close(self) -> None:
        self.calls.append("close")


def fleet_of(*nodes: Node) -> Fleet:
    def make(node: Node, _network: Polled) -> Node:
        return node

    members = [(f"node-{number}", partial(make, node)) for number, node in enumerate(nodes)]
    return Fleet(members, until_done=True)


def test_a_member_that_is_not_due_costs_no_turn() -> None:
    busy = Node(monotonic_ms(), 10, 30)
    idle = Node(monotonic_ms() + DAY, 1, 1)
    fleet = fleet_of(busy, idle)
    busy.saw = lambda: fleet.stop() if busy.observations > 20 else None
    fleet.run()
    assert busy.turns > 10
    assert idle.turns == 1
    assert idle.observations == 0
    assert idle.calls == ["start", "leave", "close"]


def test_members_that_are_behind_the_clock_stay_abreast() -> None:
    past = monotonic_ms() - DAY
    quick, slow = Node(past, 60_000, 1440), Node(past, 20_000, 4320)
    fleet = fleet_of(quick, slow)
    apart: list[int] = []

    def compare() -> None:
        if not slow.ended and not quick.ended:
            apart.append(abs(quick.reached - slow.reached))

    quick.saw = slow.saw = compare
    fleet.run()
    assert quick.ended
    assert slow.ended
    # A turn of ten items takes either ahead by ten minutes at most.
    assert max(apart) <= ABREAST_MS + 10 * 60_000 + 1_000


def test_one_that_breaks_down_leaves_and_the_others_go_on() -> None:
    past = monotonic_ms() - DAY
    broken, sound = Node(past, 1000, 50), Node(past, 1000, 5000)

    def breaks() -> None:
        if broken.observations > 20:
            raise UnavailableError("spool", where="here", problem="gone")

    broken.saw = breaks
    fleet = fleet_of(broken, sound)
    fleet.run()
    assert sound.ended
    assert broken.calls == ["start", "leave", "close"]
    assert list(fleet.failures) == ["node-0"]
    figures = fleet.figures()
    assert (figures.finished, figures.failed) == (1, 1)
    assert figures.observations == broken.observations + 5000


def test_an_input_s_failure_is_told_at_the_end() -> None:
    node = Node(monotonic_ms() - DAY, 1000, 5)
    node.failure = UnavailableError("input", where="there", problem="gone")
    fleet = fleet_of(node)
    fleet.run()
    assert fleet.failures == {"node-0": node.failure}


def test_all_leave_before_the_first_is_closed() -> None:
    order: list[str] = []
    nodes = [Node(monotonic_ms() + DAY, 1, 1) for _ in range(3)]
    for node in nodes:
        node.calls = order
    fleet = fleet_of(*nodes)
    turns = iter(range(10))
    fleet.run(lambda: fleet.stop() if next(turns) == 5 else None)
    assert order == ["start"] * 3 + ["leave"] * 3 + ["close"] * 3
