"""Reads a recording when it is due, and hands each node's batches to its player."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from citynerve.errors import ProtocolError
from citynerve.messages import About, Batch
from simulators.recording.items import Items, Turn
from simulators.recording.player import Player
from simulators.recording.reader import Files, Stored
from simulators.recording.selection import Selection
from simulators.recording.survey import Node, Window, read_observation
from simulators.recording.times import Extent, Pace

HELD_BACK_BYTES: Final = 16 << 20
"""What may wait for the stream, of all nodes together, before the recording is read on: enough to
keep the stream busy, little enough that all nodes are at about the same time of the recording."""
HELD_BACK_EACH: Final = 64 << 10
"""And what each of many may have."""

_SLICE_S: Final = 0.02


@dataclass(slots=True)
class Role:
    """One node of the recording and who plays it."""

    node: Node
    abouts: Mapping[int, About]
    items: Items
    player: Player
    selection: Selection = field(init=False)
    term: int = 0

    def begin(self, turn: Turn) -> None:
        """A turn begins."""
        self.selection = Selection(self.node)
        self.items.begin(turn)
        self.term = 0

    def play(self, batch: Batch, at: int) -> None:
        """A batch of the recording is met."""
        for chosen in self.selection.offer(batch, at):
            number = chosen.batch.term
            if number != self.term:
                self.term = number
                about = self.abouts[number]
                self.items.describe(about)
                self.player.describe(about)
            self.player.give(self.items.of(chosen.batch, chosen.at))


@dataclass(frozen=True, slots=True)
class Course:
    """How a recording is played, in time. ``shift``: ms that the first turn's times move by."""

    window: Window
    extent: Extent
    pace: Pace
    shift: int
    loop: bool

    def turn(self, number: int) -> Turn:
        """One turn; without a loop, there is the first only."""
        offset = self.shift + number * self.extent.turn
        return Turn(number, offset, self.extent.last if self.loop else None)


class Feeder:
    """Hands out a recording.

    Args:
        files: The recording.
        roles: Node id, as recorded, to who plays it.
        course: When what is played.
        wake: Called with the name of a player that was given something.
    """

    def __init__(
        self,
        files: Files,
        roles: Mapping[str, Role],
        course: Course,
        wake: Callable[[str], None],
    ) -> None:
        self._files = files
        self._roles = roles
        self._course = course
        self._wake = wake
        self._ahead: Stored | None = None
        self._messages: Iterator[Stored] = iter(())
        self.exhausted = False
        self.position: int | None = None
        """How far the recording is played: when what was played last had arrived, ms."""
        self._begin(0)

    @property
    def turn(self) -> int:
        """Which turn of a loop it is in, from 0."""
        return self._turn.number

    @property
    def players(self) -> Sequence[Player]:
        """All of them."""
        return [role.player for role in self._roles.values()]

    def feed(self, now: int) -> None:
        """Hand out what is due (ms since 1970 UTC), for a moment at the most.

        Raises:
            UnavailableError: The recording cannot be read, or a spool not be written.
        """
        most = max(HELD_BACK_BYTES, HELD_BACK_EACH * len(self._roles))
        if self.exhausted or sum(one.held for one in self.players) >= most:
            return
        fed: set[str] = set()
        until = time.monotonic() + _SLICE_S
        while time.monotonic() < until:
            message = self._ahead or next(self._messages, None)
            self._ahead = None
            if message is None:
                if not self._next_turn():
                    return
                continue
            if not self._play(message, now, fed):
                self._ahead = message
                break
        for name in fed:
            self._wake(name)

    def _play(self, message: Stored, now: int, fed: set[str]) -> bool:
        """Whether the message is dealt with; otherwise it is not due yet."""
        source, at, payload = message
        role = self._roles.get(source.node)
        course = self._course
        if role is None or source.kind != "obs" or not course.window.holds(at):
            return True
        turn = self._turn
        if course.pace.due(turn.number, at) > now:
            return False
        try:
            batch = read_observation(source, payload)
        except ProtocolError:
            # Counted by the survey.
            return True
        if not isinstance(batch, Batch):
            return True
        if course.pace.clear(_newest(batch), at, turn.offset) > now:
            return False
        role.play(batch, at)
        self.position = at
        fed.add(role.player.node)
        return True

    def _begin(self, number: int) -> None:
        self._turn = self._course.turn(number)
        self._messages = self._files.messages()
        self._offered = {name: role.player.offered for name, role in self._roles.items()}
        for role in self._roles.values():
            role.begin(self._turn)

    def _next_turn(self) -> bool:
        """Begin again in a loop; whether there is more."""
        if self._course.loop:
            self._begin(self._turn.number + 1 + self._passed_over())
            return True
        self.exhausted = True
        for player in self.players:
            player.exhaust()
            self._wake(player.node)
        return False

    def _passed_over(self) -> int:
        """How many whole turns an earlier process has played: no need to read them again."""
        sizes = {name: r.player.offered - self._offered[name] for name, r in self._roles.items()}
        counts = [self._roles[name].player.skip // size for name, size in sizes.items() if size]
        turns = min(counts, default=0)
        for name, size in sizes.items():
            self._roles[name].player.skip -= turns * size
        return turns


def _newest(batch: Batch) -> int:
    times = [column.t[-1] for column in batch.obs if column.t and not column.late]
    return max([*times, *(event.t for event in batch.events)], default=0)
