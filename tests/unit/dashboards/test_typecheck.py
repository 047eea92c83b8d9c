"""The boards against Grafana's own TypeScript types; skipped where those are not installed."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from dashboards import boards

FOLDER = Path(boards.__file__).parent / "typecheck"
NODE = shutil.which("node")

pytestmark = pytest.mark.skipif(
    NODE is None or not (FOLDER / "node_modules").is_dir(),
    reason="needs node and 'npm ci' in dashboards/typecheck",
)


def check(folder: Path) -> subprocess.CompletedProcess[str]:
    assert NODE is not None
    command = [NODE, str(FOLDER / "check.mjs"), str(folder)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_boards_fit_grafanas_schema() -> None:
    result = check(boards.FOLDER)
    assert result.returncode == 0, result.stdout
    assert f"{len(boards.BUILDERS)} boards fit" in result.stdout


def _no_such_key(board: dict[str, Any]) -> None:
    board["titel"] = "x"


def _no_such_option(board: dict[str, Any]) -> None:
    board["panels"][0]["options"]["colorMode"] = "valu"


def _no_such_field_setting(board: dict[str, Any]) -> None:
    board["panels"][4]["fieldConfig"]["defaults"]["custom"]["lineWidht"] = 1


def _wrong_type(board: dict[str, Any]) -> None:
    board["panels"][1]["gridPos"]["w"] = "6"


def _annotation_without_a_query(board: dict[str, Any]) -> None:
    del board["annotations"]["list"][0]["target"]["query"]


def test_a_spoilt_board_does_not(tmp_path: Path) -> None:
    # All in one go: the compiler takes seconds to start.
    spoilt = {
        spoil.__name__: spoil
        for spoil in (
            _no_such_key,
            _no_such_option,
            _no_such_field_setting,
            _wrong_type,
            _annotation_without_a_query,
        )
    }
    for name, spoil in spoilt.items():
        board = boards.load()["datastream"]
        spoil(board)
        (tmp_path / f"{name}.json").write_text(json.dumps(board))
    result = check(tmp_path)
    assert result.returncode == 1
    assert set(re.findall(r"/(\w+)\.ts\(", result.stdout)) == set(spoilt)
