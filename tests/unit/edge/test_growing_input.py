"""A live input that finds further datastreams while it runs, as a gateway does."""

from pathlib import Path

from citynerve.messages import PropertyAbout, SensorAbout
from edge.intake import Intake
from edge.order import Late
from edge.sensor.driver import Reading
from edge.spool import Spool
from tests.unit.edge.live_node import START, Scripted

ONE = SensorAbout("one", (PropertyAbout("p", "1"),))
TWO = SensorAbout("two", (PropertyAbout("p", "1"),))


def grown(spool: Spool, *times: int) -> tuple[Intake, list[object]]:
    """An input that at first declares ``one`` only, and then gives readings of ``two``."""
    driver = Scripted(ONE)
    intake = Intake(driver, spool, lambda: START)
    driver.give = lambda now: [Reading("one", "p", now, 1.0)]
    assert len(intake.poll(START, 10)) == 1
    assert not intake.grown
    driver.about = [ONE, TWO]
    driver.give = lambda _: [Reading("two", "p", t, 1.0) for t in times]
    return intake, list(intake.poll(START + 1_000, 10))


def test_the_first_reading_of_a_new_datastream_counts(tmp_path: Path) -> None:
    spool = Spool.open(tmp_path / "spool.db", node="n", max_bytes=1 << 30)
    intake, released = grown(spool, START + 500)
    assert released == [Reading("two", "p", START + 500, 1.0)]
    assert intake.grown
    assert intake.dropped == 0
    spool.close()


def test_what_is_not_declared_is_dropped_and_counted(tmp_path: Path) -> None:
    spool = Spool.open(tmp_path / "spool.db", node="n", max_bytes=1 << 30)
    driver = Scripted(ONE)
    intake = Intake(driver, spool, lambda: START)
    driver.give = lambda now: [Reading("two", "p", now, 1.0)]
    assert intake.poll(START, 10) == []
    assert intake.dropped == 1
    assert not intake.grown
    spool.close()


def test_a_name_that_the_stream_would_refuse_fails_the_input(tmp_path: Path) -> None:
    spool = Spool.open(tmp_path / "spool.db", node="n", max_bytes=1 << 30)
    driver = Scripted(ONE)
    intake = Intake(driver, spool, lambda: START)
    driver.about = [ONE, SensorAbout("Küche 1", ONE.properties)]
    driver.give = lambda now: [Reading("Küche 1", "p", now, 1.0)]
    assert intake.poll(START, 10) == []
    assert "name that is not allowed" in str(intake.failure)
    spool.close()


def test_after_a_restart_a_datastream_that_is_found_again_goes_on(tmp_path: Path) -> None:
    spool = Spool.open(tmp_path / "spool.db", node="n", max_bytes=1 << 30)
    intake, _ = grown(spool, START + 500, START + 600)
    progress = intake.progress()
    assert progress is not None
    spool.append([], [progress])
    again, released = grown(spool, START + 550, START + 700)
    late = Late(Reading("two", "p", START + 550, 1.0))
    assert released == [late, Reading("two", "p", START + 700, 1.0)]
    progress = again.progress()
    assert progress is not None
    assert progress.counts["two", "p"].read == 4
    spool.close()
