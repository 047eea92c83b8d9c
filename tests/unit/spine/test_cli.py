import json
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = {"bytewax", "numpy", "cv2", "onnxruntime", "numba", "psutil", "influxdb_client", "paho"}


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "citynerve", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def imported_by(statement: str) -> set[str]:
    code = f"import sys, json\n{statement}\nprint(json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_help_lists_every_group_and_imports_none_of_their_libraries() -> None:
    done = run("--help")
    assert done.returncode == 0
    for group in ("demo", "edge", "stream", "dashboards", "simulate", "models"):
        assert f"  {group}  " in done.stdout
    calls_help = (
        "from click.testing import CliRunner\nfrom citynerve.cli import root\n"
        "assert CliRunner().invoke(root, ['--help']).exit_code == 0"
    )
    assert imported_by(calls_help) & HEAVY == set()


def test_the_help_of_simulate_lists_its_commands_and_imports_none_of_their_libraries() -> None:
    done = run("simulate", "--help")
    assert done.returncode == 0
    for command in ("city", "camera", "record", "replay", "info"):
        assert f"  {command}  " in done.stdout
    calls_help = (
        "from click.testing import CliRunner\nfrom citynerve.cli import root\n"
        "assert CliRunner().invoke(root, ['simulate', '--help']).exit_code == 0"
    )
    assert imported_by(calls_help) & {*HEAVY, "mcap"} == set()


def test_the_edge_s_configuration_imports_neither_arrays_nor_pictures() -> None:
    modules = imported_by("import edge.sensor.catalog")
    assert (
        modules & {"numpy", "cv2", "onnxruntime", "pandas", "bytewax", "influxdb_client"} == set()
    )


def test_the_version_is_the_package_s() -> None:
    done = run("--version")
    assert done.stdout.strip().endswith("0.1.0")


@pytest.mark.parametrize("arguments", [["no-such-group"], ["--no-such-option"], ["edge", "run"]])
def test_a_wrong_command_line_ends_with_2_and_no_traceback(arguments: list[str]) -> None:
    done = run(*arguments)
    assert done.returncode == 2
    assert done.stderr
    assert "Traceback" not in done.stderr


def test_a_missing_configuration_is_one_message(tmp_path: Path) -> None:
    done = run("edge", "run", "--config", str(tmp_path / "no.toml"))
    assert done.returncode == 2
    assert "no.toml" in done.stderr
    assert "Traceback" not in done.stderr
