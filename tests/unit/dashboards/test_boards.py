import json
import re
from collections import Counter
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from click.testing import CliRunner

from citynerve.errors import ConfigError
from dashboards import boards
from dashboards.cli import dashboards as command
from dashboards.links import TITLES
from dashboards.sources import SOURCES

BOARDS = boards.load()


def test_committed_boards_are_current() -> None:
    boards.check()


def test_check_names_a_stale_and_a_left_over_file(tmp_path: Path) -> None:
    boards.write(tmp_path)
    boards.check(tmp_path)
    board = json.loads((tmp_path / "datastream.json").read_text())
    board["title"] = "by hand"
    (tmp_path / "datastream.json").write_text(json.dumps(board))
    (tmp_path / "old.json").write_text("{}")
    with pytest.raises(ConfigError, match=r"datastream\.json, old\.json"):
        boards.check(tmp_path)


def test_write_touches_only_what_differs(tmp_path: Path) -> None:
    assert len(boards.write(tmp_path)) == len(boards.BUILDERS)
    assert boards.write(tmp_path) == []
    (tmp_path / "city-now.json").unlink()
    assert boards.write(tmp_path) == [tmp_path / "city-now.json"]


def test_command_builds_and_checks(tmp_path: Path) -> None:
    run = CliRunner().invoke
    assert "wrote" in run(command, ["build", "--out", str(tmp_path)]).output
    assert "nothing to do" in run(command, ["build", "--out", str(tmp_path)]).output
    assert run(command, ["build", "--check", "--out", str(tmp_path)]).exit_code == 0
    (tmp_path / "city-now.json").write_text("{}")
    result = run(command, ["build", "--check", "--out", str(tmp_path)])
    assert isinstance(result.exception, ConfigError)


def test_a_missing_board_is_explained(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="dashboards build"):
        boards.load(tmp_path)


@pytest.mark.parametrize("board", BOARDS.values(), ids=list(BOARDS))
def test_panels_do_not_overlap_and_fill_whole_rows(board: dict[str, Any]) -> None:
    cells = Counter(
        (x, y)
        for place in (panel["gridPos"] for panel in board["panels"])
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    )
    height = 1 + max(y for _, y in cells)
    assert set(cells) == {(x, y) for x in range(24) for y in range(height)}
    assert set(cells.values()) == {1}


@pytest.mark.parametrize("board", BOARDS.values(), ids=list(BOARDS))
def test_panels_have_their_own_id_and_title_and_say_what_they_show(board: dict[str, Any]) -> None:
    for one, other in combinations(board["panels"], 2):
        assert one["id"] != other["id"]
        assert one["title"] != other["title"]
    assert all(panel["description"] for panel in board["panels"])


def test_every_reference_to_a_data_source_is_one_that_is_provisioned() -> None:
    known = {source.uid for source in SOURCES} | {"-- Mixed --"}
    uids = {ref["uid"] for board in BOARDS.values() for ref in _references(board)}
    assert uids == known


def test_links_lead_to_boards_that_exist() -> None:
    variables = {
        board["uid"]: {variable["name"] for variable in board["templating"].get("list", [])}
        for board in BOARDS.values()
    }
    assert list(variables) == list(TITLES)
    for board in BOARDS.values():
        found = [urlsplit(url) for url in _urls(board)]
        assert {url.path for url in found} >= {f"/d/{uid}" for uid in TITLES if uid != board["uid"]}
        for url in found:
            given = {name for name in parse_qs(url.query) if name.startswith("var-")}
            assert given <= {f"var-{name}" for name in variables[url.path.removeprefix("/d/")]}


def test_links_and_titles_name_fields_and_variables_that_are_there() -> None:
    for board in BOARDS.values():
        chosen = {variable["name"] for variable in board["templating"].get("list", [])}
        for url in _urls(board):
            assert set(re.findall(r"\$\{(\w+)\}", url)) - {"__url_time_range"} <= chosen
        for panel in board["panels"]:
            assert set(re.findall(r"\$(\w+)", f"{panel['title']} {panel['description']}")) <= chosen
            asked = " ".join(target["query"] for target in panel["targets"])
            for field in re.findall(
                r"\$\{__(?:data\.fields|field\.labels)\.(\w+)\}", json.dumps(panel)
            ):
                assert f'"{field}"' in asked, f"{board['title']}, {panel['title']}: {field}"


def _urls(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        if "url" in node:
            yield node["url"]
        for inner in node.values():
            yield from _urls(inner)
    elif isinstance(node, list):
        for inner in node:
            yield from _urls(inner)


def _references(node: object) -> Iterator[dict[str, str]]:
    if isinstance(node, dict):
        if "datasource" in node:
            yield node["datasource"]
        for inner in node.values():
            yield from _references(inner)
    elif isinstance(node, list):
        for inner in node:
            yield from _references(inner)
