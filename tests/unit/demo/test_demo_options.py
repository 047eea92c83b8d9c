import os
from pathlib import Path

import pytest

from citynerve.demo import folder
from citynerve.demo.options import SCENES, SIMULATED_NODES, Options
from citynerve.errors import ConfigError


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


def test_how_long_a_simulated_city_lasts_that_is_to_end_by_itself() -> None:
    assert Options(seconds=20, until_done=True).simulated_seconds == 20
    assert Options(until_done=True).simulated_seconds == 60


def test_simulated_cameras_stand_beside_a_city_that_nobody_has_sized() -> None:
    assert Options().scenes == SCENES
    assert Options(nodes=10).scenes == {}
    assert Options(video=Path("v.mp4"), model="m").scenes == {}
    assert Options(replay=[Path("a.csv")]).scenes == {}


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
