import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citynerve.demo import city as demo_city
from citynerve.demo import nodes
from citynerve.demo.options import SCENES, Options
from citynerve.errors import ConfigError
from citynerve.topics import is_node
from edge.config import load
from simulators import city

PICTURES = Path("pictures")


def files(folder: Path, *names: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).write_text("timestamp,value\n2024-01-01T00:00:00Z,1\n")
    return folder


def paths(tables: dict[str, Any]) -> list[str]:
    return [Path(path).name for path in tables["sensor"][0]["paths"]]


def test_a_replayed_path_is_a_node(tmp_path: Path) -> None:
    traffic = files(tmp_path / "Traffic Data", "a.csv", "b.csv", "notes.txt")
    one = files(tmp_path, "weather.csv") / "weather.csv"
    planned = nodes.plan(Options(replay=[traffic, one], speed="max"), PICTURES, None)
    assert {node: paths(tables) for node, tables in planned.items()} == {
        "traffic-data": ["a.csv", "b.csv"],
        "weather": ["weather.csv"],
    }


def test_equal_names_stay_apart_and_runs_in_one_database_too(tmp_path: Path) -> None:
    replay = [files(tmp_path / part, "data.csv") / "data.csv" for part in ("a", "b")]
    assert list(nodes.plan(Options(replay=replay), PICTURES, None, suffix="-x1")) == [
        "data-x1",
        "data-x1-2",
    ]


@given(sizes=st.lists(st.integers(1, 9), min_size=1, max_size=4), wanted=st.integers(1, 12))
def test_files_are_spread_over_the_nodes_and_each_is_read_once(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[int], wanted: int
) -> None:
    root = tmp_path_factory.mktemp("replay")
    replay = [
        files(root / f"set{i}", *(f"{i}-{j}.csv" for j in range(size)))
        for i, size in enumerate(sizes)
    ]
    planned = nodes.plan(Options(replay=replay, nodes=wanted), PICTURES, None)
    assert len(planned) == max(len(sizes), min(wanted, sum(sizes)))
    read = sorted(name for tables in planned.values() for name in paths(tables))
    assert read == sorted(f"{i}-{j}.csv" for i, size in enumerate(sizes) for j in range(size))


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no recorded files") as caught:
        nodes.plan(Options(replay=[tmp_path]), PICTURES, None)
    assert caught.value.key == "--replay"


def test_every_planned_node_has_a_configuration_that_an_agent_takes(tmp_path: Path) -> None:
    replay = [files(tmp_path / 'a "quoted" å folder', "x.csv")]
    usual = Options()
    planned = nodes.plan(Options(replay=replay), PICTURES, None)
    planned |= nodes.plan(usual, PICTURES, demo_city.plan(usual))
    assert len(planned) == 1 + len(SCENES)
    for node, tables in planned.items():
        assert is_node(node)
        path = tmp_path / f"{node}.toml"
        path.write_text(city.toml(tables), encoding="utf-8")
        assert tomllib.loads(path.read_text(encoding="utf-8")) == tables
        assert load(path).node.id == node


def test_footage_becomes_a_camera_that_an_agent_takes(tmp_path: Path) -> None:
    video = tmp_path / "a clip.mp4"
    video.touch()
    for until_done in (False, True):
        options = Options(video=video, model="picodet-s", speed=2.0, until_done=until_done)
        ((node, tables),) = nodes.plan(options, PICTURES, None).items()
        path = tmp_path / "node.toml"
        path.write_text(city.toml(tables), encoding="utf-8")
        (camera,) = load(path).camera
        assert node == "camera"
        assert (camera.source, camera.model, camera.speed) == (str(video), "picodet-s", 2.0)
        assert camera.loop is not until_done
