from pathlib import Path

import pytest

from citynerve.errors import ConfigError, UnavailableError
from simulators.fleet.run import FILE, NODES, SEED, Run, Wish, settle

NOW = 1_790_000_000_000
HOUR = 3_600_000


def begin(folder: Path, wish: Wish, *, real_time: bool = True, until_done: bool = False) -> Run:
    return settle(folder, wish, real_time=real_time, until_done=until_done, clock=lambda: NOW)


def test_a_run_without_wishes_starts_now_and_has_no_end(tmp_path: Path) -> None:
    run = begin(tmp_path / "new", Wish())
    assert (run.nodes, run.seed, run.start, run.history) == (NODES, SEED, NOW, 0)
    assert run.end is None


def test_faster_than_the_clock_it_ends_now(tmp_path: Path) -> None:
    run = begin(tmp_path, Wish(length=24 * HOUR), real_time=False)
    assert (run.start, run.end) == (NOW - 24 * HOUR, NOW)


def test_until_done_goes_up_to_the_present(tmp_path: Path) -> None:
    past = begin(tmp_path / "a", Wish(start=NOW - HOUR), real_time=False, until_done=True)
    assert past.end == NOW
    history = begin(tmp_path / "b", Wish(history=HOUR), until_done=True)
    assert (history.start, history.end, history.history) == (NOW, NOW, HOUR)


def test_started_again_it_is_the_same_run_whatever_the_clock_says(tmp_path: Path) -> None:
    first = begin(tmp_path, Wish(nodes=7, seed=3, length=HOUR, rate=2.5))
    again = settle(tmp_path, Wish(), real_time=True, until_done=True, clock=lambda: NOW + HOUR)
    assert again == first
    same = Wish(nodes=7, seed=3, length=HOUR)
    assert settle(tmp_path, same, real_time=True, until_done=False, clock=lambda: 0) == first


@pytest.mark.parametrize(
    ("wish", "option"),
    [
        (Wish(nodes=8), "--nodes"),
        (Wish(seed=0), "--seed"),
        (Wish(start=NOW - 1), "--start"),
        (Wish(length=HOUR), "--for"),
        (Wish(history=HOUR), "--history"),
    ],
)
def test_another_run_in_its_folder_is_refused(tmp_path: Path, wish: Wish, option: str) -> None:
    begin(tmp_path, Wish(nodes=7))
    with pytest.raises(ConfigError, match="another run") as caught:
        begin(tmp_path, wish)
    assert caught.value.key == option
    assert caught.value.file == str(tmp_path / FILE)


def test_what_cannot_end_is_not_waited_for(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="never ends"):
        begin(tmp_path, Wish(), until_done=True)
    with pytest.raises(ConfigError, match="in the past"):
        begin(tmp_path, Wish(), real_time=False)
    assert not (tmp_path / FILE).exists()


def test_a_folder_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UnavailableError, match="file"):
        begin(tmp_path / "file" / "run", Wish())
    (tmp_path / FILE).write_text("{")
    with pytest.raises(UnavailableError, match=FILE):
        begin(tmp_path, Wish())
