import os
from pathlib import Path

import pytest

from citynerve.demo import folder
from citynerve.demo.options import SIMULATED_NODES, Options, span, speed
from citynerve.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("90", 90), ("2m", 120), ("1.5h", 5400), ("250ms", 0.25)]
)
def test_spans(text: str, seconds: float) -> None:
    assert span(text) == seconds


@pytest.mark.parametrize("text", ["", "s", "-1s", "1 day", "1e3", "inf", "0", "0.0h"])
def test_what_is_no_span(text: str) -> None:
    with pytest.raises(ValueError, match="no span"):
        span(text)


def test_speeds() -> None:
    assert speed("max") == "max"
    assert speed("0.5") == 0.5


@pytest.mark.parametrize("text", ["0", "-1", "nan", "inf", "fast", ""])
def test_what_is_no_speed(text: str) -> None:
    with pytest.raises(ValueError, match="no speed"):
        speed(text)


@pytest.mark.parametrize(
    ("options", "key"),
    [
        (Options(video=Path("none.mp4"), model="m.onnx"), "--video"),
        (Options(model="m.onnx"), "--model"),
        (Options(replay=[Path("none.csv")]), "--replay"),
        (Options(mapping="traffic"), "--mapping"),
        (Options(replay=[Path(__file__)], mapping="none.toml"), "--mapping"),
        (Options(video=Path(__file__), model="none.onnx"), "--model"),
        (Options(report=Path("none/r.json")), "--report"),
        (Options(report=Path(__file__).parent), "--report"),
        (Options(replay=[Path("n" * 300)]), "--replay"),
        (Options(video=Path(__file__), model="n" * 300), "--model"),
        (Options(nodes=0), "--nodes"),
        (Options(nodes=0, replay=[Path(__file__)]), "--nodes"),
    ],
)
def test_what_cannot_work_names_its_option_and_a_fix(options: Options, key: str) -> None:
    with pytest.raises(ConfigError) as caught:
        options.check()
    assert caught.value.key == key
    assert caught.value.fix


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everything")
def test_a_report_that_may_not_be_written_is_told_before_the_run() -> None:
    for report in (Path("/proc/version"), Path("/usr/report.json")):
        with pytest.raises(ConfigError, match="may not be written"):
            Options(report=report).check()


def test_a_video_needs_a_detector(tmp_path: Path) -> None:
    video = tmp_path / "v.mp4"
    video.touch()
    with pytest.raises(ConfigError, match="detector"):
        Options(video=video).check()


def test_how_many_nodes_are_simulated() -> None:
    footage = Path("v.mp4")
    assert Options().simulated == SIMULATED_NODES
    assert Options(nodes=2).simulated == 2
    assert Options(video=footage, model="m").simulated == 0
    assert Options(video=footage, model="m", nodes=3).simulated == 3
    assert Options(replay=[Path("a.csv")], nodes=3).simulated == 0


def test_a_simulated_city_ends_only_where_it_is_asked_to() -> None:
    assert Options(seconds=20).simulated_readings is None
    assert Options(seconds=20, until_done=True).simulated_readings == 20
    assert Options(until_done=True).simulated_readings == 60


def test_a_run_has_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    made = folder.make(None)
    assert made.parent == tmp_path / "run"
    assert made.is_absolute()


def test_a_folder_that_holds_another_run_is_refused(tmp_path: Path) -> None:
    (tmp_path / "stream").mkdir()
    with pytest.raises(ConfigError, match="holds something already: stream"):
        folder.make(tmp_path)


def test_a_folder_that_cannot_be_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError) as caught:
        folder.make(tmp_path / "file" / "run")
    assert caught.value.key == "--dir"
