"""A live input over a restart: what the stream has been promised stays promised."""

from pathlib import Path

from edge.intake import GRACE, SILENCE, Intake
from edge.order import Late
from edge.sensor.driver import Mark, Reading
from edge.spool import Spool
from tests.unit.edge.live_node import START, Scripted


def test_a_mark_that_the_clock_made_holds_after_a_restart(tmp_path: Path) -> None:
    spool = Spool.open(tmp_path / "spool.db", node="n", max_bytes=1 << 30)
    driver = Scripted()
    driver.give = lambda _: [Reading("s", "p", START, 1.0)]
    intake = Intake(driver, spool, lambda: START)
    assert len(intake.poll(START, 10)) == 1
    progress = intake.progress()
    assert progress is not None
    spool.append([], [progress])
    intake.written(progress)
    assert intake.progress() is None

    driver.give = lambda _: []
    now = START + SILENCE + GRACE
    assert intake.poll(now, 10) == [Mark("s", "p", now - GRACE)]
    progress = intake.progress()
    assert progress is not None
    spool.append([], [progress])

    driver.give = lambda _: [Reading("s", "p", now - GRACE - 1, 2.0)]
    again = Intake(driver, spool, lambda: now)
    assert again.poll(now + 1, 10) == [Late(Reading("s", "p", now - GRACE - 1, 2.0))]
    spool.close()
