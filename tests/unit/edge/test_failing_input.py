"""Inputs that fail, in ways foreseen and not, and come back."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from citynerve.errors import UnavailableError
from citynerve.messages import PropertyAbout, SensorAbout
from edge import intake
from edge.intake import BLOCKED_S, RETRY_LAST
from edge.sensor.driver import Item, Reading
from tests.unit.edge.live_node import START, LiveNode, Scripted

FORESEEN = UnavailableError("thermometer", where="/dev/i2c-1", problem="no answer")
FAILURES = [FORESEEN, ValueError("could not convert 'ERR'"), OSError(5, "Input/output error")]
LATE = SensorAbout("s", (PropertyAbout("p", "1", lateness=60_000),))


class Failing(Scripted):
    """Fails while ``error`` is set."""

    error: Exception | None = None
    opened = 0
    closed = 0

    def open(self, origin: int) -> None:
        super().open(origin)
        if self.error is not None:
            raise self.error
        self.opened += 1

    def poll(self, now: int, limit: int) -> Sequence[Item]:
        if self.error is not None:
            raise self.error
        return super().poll(now, limit)

    def close(self) -> None:
        self.closed += 1


def run(node: LiveNode, seconds: int) -> None:
    for _ in range(seconds):
        node.step()
        node.now += 1_000


def stored(node: LiveNode) -> list[int]:
    lines = [line for line in node.lines if line.startswith("observation")]
    return [int(line.rpartition(" ")[2]) // 1_000_000 for line in lines]


@pytest.mark.parametrize("error", FAILURES, ids=lambda error: type(error).__name__)
def test_what_a_failing_sensor_gave_before_is_kept_and_it_is_tried_again(
    tmp_path: Path, error: Exception
) -> None:
    driver = Failing(LATE)
    node = LiveNode(tmp_path, driver)
    driver.give = lambda now: [Reading("s", "p", now, 1.0)]
    run(node, 10)
    driver.error = error
    run(node, 3)
    assert stored(node) == [START + second * 1_000 for second in range(10)]
    assert not node.intake.ended
    assert str(error) in str(node.intake.failure)
    run(node, 60)
    assert (driver.opened, driver.closed) == (1, 1)
    driver.error = None
    run(node, 2 * RETRY_LAST // 1_000)
    assert node.intake.failure is None
    assert driver.opened == driver.closed + 1
    assert len(stored(node)) > 100
    assert node.rejected == {}


@pytest.mark.parametrize(
    "item",
    [
        Reading("s", "p", START, "ERR"),  # type: ignore[arg-type]
        Reading("s", "p", START, 10**400),
    ],
)
def test_a_driver_that_gives_nonsense_fails_by_itself(tmp_path: Path, item: Item) -> None:
    driver = Failing(LATE)
    node = LiveNode(tmp_path, driver)
    driver.give = lambda _: [item]
    run(node, 1)
    assert node.intake.failure is not None
    assert node.intake.dropped == 1


def test_a_driver_that_blocks_is_found_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = 100.0
    monkeypatch.setattr(intake, "monotonic", lambda: clock)
    driver = Failing(LATE)
    node = LiveNode(tmp_path, driver)
    blocks = 0.0

    def give(now: int) -> Sequence[Item]:
        nonlocal clock
        clock += blocks
        return [Reading("s", "p", now, 1.0)]

    driver.give = give
    found: list[float] = []
    for blocks in (0.0, BLOCKED_S / 2, 7.0, 0.0, 59.0, 0.0, 0.0):  # noqa: B007 - give() reads it
        clock += 20 if found else 0
        run(node, 1)
        found.append(node.intake.blocked_s)
    assert found == [0, 0, 7, 7, 59, 59, 59]
    clock += 60
    run(node, 1)
    assert node.intake.blocked_s == 0


def test_a_recording_that_fails_is_not_read_on(tmp_path: Path) -> None:
    driver = Failing(LATE)
    driver.resumable = True
    driver.give = lambda now: [Reading("s", "p", now, 1.0)]
    node = LiveNode(tmp_path, driver)
    run(node, 10)
    driver.error = FORESEEN
    run(node, 100)
    # What waits in the order stage is given again by the next process, from the beginning.
    assert stored(node) == []
    assert node.intake.ended
    assert node.intake.failure is FORESEEN
    assert (driver.opened, driver.closed) == (1, 1)


class Torn(Scripted):
    """Ends with a problem that it forgets when it is closed."""

    said: Sequence[str] = ("3 lines are no rows",)

    def problems(self) -> Sequence[str]:
        return self.said

    def close(self) -> None:
        self.said = ()


def test_what_an_input_could_not_read_is_told_after_its_end(tmp_path: Path) -> None:
    driver = Torn()
    node = LiveNode(tmp_path, driver)
    assert node.intake.problems == ("3 lines are no rows",)
    driver.finished = True
    run(node, 1)
    assert node.intake.ended
    assert node.intake.problems == ("3 lines are no rows",)
