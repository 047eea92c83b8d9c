"""What deploy/ offers for copying is accepted by the code that reads it."""

import configparser
import shlex
import shutil
import subprocess
from pathlib import Path

import click
import pytest

from citynerve.cli import root
from edge import config as node
from edge.camera.config import check
from models.labels import CITY_CLASSES
from models.load import catalog
from stream import config as stream

DEPLOY = Path(__file__).parents[3] / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))


def test_node_file_is_valid() -> None:
    loaded = node.load(DEPLOY / "node.toml")
    assert loaded.node.area == "aarhus/midtbyen/norreport"
    assert [type(sensor).__name__ for sensor in loaded.sensor] == ["MachineConfig"]


def test_camera_nodes_file_is_valid() -> None:
    (camera,) = node.load(DEPLOY / "camera-node.toml").camera
    check(camera, CITY_CLASSES)
    assert [line.name for line in camera.lines] == ["crossing"]
    assert camera.model in {name for name, _ in catalog()}


def test_stream_file_is_valid() -> None:
    loaded = stream.read(DEPLOY / "stream.toml", {})
    assert loaded.store.path == "/var/lib/citynerve-stream/store"
    assert loaded.mqtt.address() == ("broker.example.org", 8883)


def _unit(path: Path) -> configparser.RawConfigParser:
    parser = configparser.RawConfigParser(strict=True, comment_prefixes="#")
    parser.read_string(path.read_text(encoding="utf-8"))
    return parser


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.stem)
def test_units_start_a_command_that_exists_with_its_options(path: Path) -> None:
    program, group, name, *options = shlex.split(_unit(path)["Service"]["ExecStart"])
    assert Path(program).name == "citynerve"
    context = click.Context(root)
    commands = root.get_command(context, group)
    assert isinstance(commands, click.Group)
    command = commands.get_command(context, name)
    assert command is not None
    known = {text for parameter in command.params for text in parameter.opts}
    assert {option for option in options if option.startswith("-")} <= known


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.stem)
def test_state_is_kept_where_the_unit_may_write(path: Path) -> None:
    state = f"/var/lib/{_unit(path)['Service']['StateDirectory']}"
    example = {"citynerve-edge": "node.toml", "citynerve-stream": "stream.toml"}[path.stem]
    assert f'path = "{state}/' in (DEPLOY / example).read_text(encoding="utf-8")


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")
@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.stem)
def test_systemd_knows_every_key(path: Path, tmp_path: Path) -> None:
    copy = tmp_path / path.name
    text = path.read_text(encoding="utf-8")
    copy.write_text(text.replace("/opt/citynerve/bin/citynerve", "/bin/true"), encoding="utf-8")
    found = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(copy)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert path.name not in found.stderr
