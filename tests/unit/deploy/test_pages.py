"""What README.md and docs/ tell people to type and open is there."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from citynerve.cli import root
from citynerve.demo.cli import DefaultGroup
from edge.sensor import mapping

ROOT = Path(__file__).parents[3]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def _blocks(page: Path, language: str) -> list[str]:
    text = page.read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def _commands() -> Iterator[tuple[str, list[str]]]:
    for page in PAGES:
        lines = [line for block in _blocks(page, "sh") for line in block.splitlines()]
        lines += re.findall(r"`((?:/opt/citynerve/bin/)?citynerve [a-z][^`]*)`", page.read_text())
        for line in lines:
            words = shlex.split(line, comments=True)
            if words and Path(words[0]).name == "citynerve":
                yield f"{page.name}: {line}", words[1:]


def _resolve(words: list[str]) -> tuple[click.Command, list[str]]:
    command: click.Command = root
    context = click.Context(root)
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        found = command.get_command(context, words[0])
        assert found is not None, f"no command {words[0]!r}"
        command, words = found, words[1:]
    if isinstance(command, DefaultGroup):
        command = command.commands[command.default]
    return command, words


@pytest.mark.parametrize(("line", "words"), [pytest.param(*one, id=one[0]) for one in _commands()])
def test_a_command_and_its_options_exist(line: str, words: list[str]) -> None:
    command, rest = _resolve(words)
    known = {text for parameter in command.params for text in parameter.opts} | {"--help"}
    unknown = {word.partition("=")[0] for word in rest if word.startswith("--")} - known
    assert unknown == set(), line


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    missing = [link for link in links if "://" not in link and not (page.parent / link).exists()]
    assert missing == []


def test_paths_in_the_architecture_exist() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    packages = "citynerve|edge|stream|models|dashboards|simulators"
    named = set(re.findall(rf"`((?:{packages})/[\w/.]*)`", text))
    topics = {"stream/owner"}
    assert [path for path in sorted(named - topics) if not (ROOT / path).exists()] == []


def test_the_mapping_in_the_readme_is_one(tmp_path: Path) -> None:
    (example,) = _blocks(ROOT / "README.md", "toml")
    (tmp_path / "my.toml").write_text(example, encoding="utf-8")
    assert [one.name for one in mapping.load(tmp_path / "my.toml").about()] == ["pm25"]
