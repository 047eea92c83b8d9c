"""A recording that is no longer the one that the spool's cursor counts in."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from citynerve.clock import now_ms
from citynerve.errors import ConfigError
from edge.batcher import Batcher
from edge.intake import Intake
from edge.order import Released
from edge.sensor.driver import Reading
from edge.sensor.replay import Replay, ReplayConfig
from edge.spool import Spool

MAPPING = """
[time]
column = "t"
[sensor]
name = "s"
[properties.p]
column = "v"
unit = "1"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "mapping.toml").write_text(MAPPING)
    write(tmp_path, range(10))
    return tmp_path


@pytest.fixture
def spool(folder: Path) -> Iterator[Spool]:
    one = Spool.open(folder / "spool.db", node="node-0", max_bytes=1 << 30)
    yield one
    one.close()


def write(folder: Path, seconds: range, *, value: float = 1.0) -> None:
    rows = "".join(f"2026-01-01T00:00:{second:02d},{value}\n" for second in seconds)
    (folder / "data.csv").write_text(f"t,v\n{rows}")


def intake(folder: Path, spool: Spool, **changes: str | float) -> Intake:
    config = ReplayConfig(
        paths=["data.csv"], mapping=str(changes.pop("mapping", "mapping.toml")), speed="max"
    )
    return Intake(Replay(config, folder), spool, now_ms)


def read(one: Intake, spool: Spool, limit: int = 1000) -> list[Released]:
    """What one poll gives, made durable."""
    released = one.poll(now_ms(), limit)
    batcher = Batcher()
    batcher.add(one.name, released, 0)
    batcher.seal()
    spool.append(batcher.collect())
    return released


def test_the_same_input_goes_on_where_it_was(folder: Path, spool: Spool) -> None:
    assert len(read(intake(folder, spool), spool, 4)) == 4
    rest = read(intake(folder, spool), spool)
    assert sum(isinstance(item, Reading) for item in rest) == 6


@pytest.mark.parametrize("change", ["appended", "shortened", "corrected"])
def test_an_input_that_has_changed_is_refused_and_told(
    folder: Path, spool: Spool, change: str
) -> None:
    read(intake(folder, spool), spool)
    match change:
        case "appended":
            write(folder, range(20))
        case "shortened":
            write(folder, range(5))
        case "corrected":
            write(folder, range(10), value=2.0)
    with pytest.raises(ConfigError, match="is no longer the input that was begun") as caught:
        intake(folder, spool)
    assert (caught.value.key, caught.value.value) == ("sensor.name", "replay")
    assert "edge forget" in str(caught.value.fix)


def test_another_mapping_makes_another_input(folder: Path, spool: Spool) -> None:
    read(intake(folder, spool), spool)
    (folder / "mapping.toml").write_text('lateness = "3s"\n' + MAPPING)
    with pytest.raises(ConfigError, match="is no longer the input"):
        intake(folder, spool)


def test_an_input_that_nothing_was_taken_of_may_change(folder: Path, spool: Spool) -> None:
    intake(folder, spool)
    write(folder, range(20))
    assert sum(isinstance(item, Reading) for item in read(intake(folder, spool), spool)) == 20


def test_forgotten_it_is_read_from_its_beginning(folder: Path, spool: Spool) -> None:
    read(intake(folder, spool), spool)
    write(folder, range(20))
    assert spool.progress.forget("replay")
    assert not spool.progress.forget("replay")
    assert sum(isinstance(item, Reading) for item in read(intake(folder, spool), spool)) == 20
