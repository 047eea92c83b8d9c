"""The catalogues: every text of the boards and of the view's own has its Chinese."""

import ast
import json
import re
from pathlib import Path

import pytest

from dashboards import boards
from dashboards.view import draw, locale, page, reducers, spans
from dashboards.view.locale import texts

HELD = json.loads((locale.FOLDER / "zh.json").read_text(encoding="utf-8"))["texts"]
CALLS = {"tr", "_tr", "say"}


def own_texts() -> set[str]:
    """What the view's code translates, by its source."""
    found = {label for _, _, label in spans.PRESETS}
    found |= {reducers.label(calc) for calc in ("mean", "min", "max", "sum", "lastNotNull", "last")}
    folders = [Path(str(module.__file__)).parent for module in (draw, page)]
    for path in (path for folder in folders for path in folder.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and node.args:
                name = getattr(node.func, "attr", None) or getattr(node.func, "id", None)
                first = node.args[0]
                if name in CALLS and isinstance(first, ast.Constant):
                    found.add(str(first.value))
    return found


@pytest.mark.parametrize("stem", boards.BUILDERS)
def test_every_text_of_a_board_is_in_the_catalogue(stem: str) -> None:
    assert texts.of_board(boards.load()[stem]) - set(HELD) == set()


def test_every_text_of_the_view_is_in_the_catalogue() -> None:
    assert len(own_texts()) > 50
    assert own_texts() - set(HELD) == set()


def test_a_translation_keeps_what_is_put_into_it() -> None:
    for english, chinese in HELD.items():
        for put in (r"(?<!\$)\{\w+\}", r"\$\{?(\w+)\}?"):
            before = sorted(re.findall(put, english, re.ASCII))
            assert sorted(re.findall(put, chinese, re.ASCII)) == before, english


def test_numbers_in_words_are_translated_and_the_unknown_stays() -> None:
    chinese = locale.translator("zh")
    assert chinese("5 minutes ago") == "5 分钟前"
    assert chinese("142 km/h, expected 30 to 60 at this hour") == (
        "142 km/h\uff0c此时段预期 30 到 60"
    )
    assert chinese("road-01") == "road-01"
    assert locale.translator("en")("Nodes") == "Nodes"


def test_texts_are_found_wherever_they_stand_in_a_board() -> None:
    board = {
        "title": "B",
        "panels": [
            {
                "title": "P",
                "targets": [{"alias": "plain"}, {"alias": "$col"}],
                "fieldConfig": {
                    "defaults": {
                        "mappings": [{"options": {"1": {"text": "on", "color": "#fff"}}}],
                        "links": [{"title": "L", "url": "/"}],
                    },
                    "overrides": [{"properties": [{"id": "displayName", "value": "D"}]}],
                },
                "transformations": [{"options": {"renameByName": {"a": "R"}}}],
                "options": {"layers": [{"name": "Y", "type": "markers"}]},
            }
        ],
        "annotations": {"list": [{"name": "A"}]},
        "templating": {"list": [{"name": "v", "label": "V", "current": {"text": "no"}}]},
    }
    assert texts.of_board(board) == {"B", "P", "plain", "on", "L", "D", "R", "Y", "A", "V"}


def test_the_readers_language_is_found_out() -> None:
    assert locale.accepted("zh-CN,zh;q=0.9,en;q=0.8") == "zh"
    assert locale.accepted("de;q=x, fr") == "en"
