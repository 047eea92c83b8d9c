"""Who may import whom, as docs/architecture.md says."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
MAY_IMPORT = {
    "citynerve": {"citynerve"},
    "citynerve/demo": {"citynerve", "edge", "simulators"},
    "edge": {"citynerve", "edge", "models"},
    "stream": {"citynerve", "stream"},
    "models": {"citynerve", "models"},
    "models/tools": {"citynerve", "edge", "models"},
    "models/training": {"citynerve", "edge", "models", "simulators"},
    "dashboards": {"citynerve", "dashboards"},
    "simulators": {"citynerve", "edge", "simulators"},
}
OURS = {name for name in MAY_IMPORT if "/" not in name}


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def files(package: str) -> list[Path]:
    inner = [ROOT / name for name in MAY_IMPORT if name.startswith(f"{package}/")]
    return [
        path
        for path in sorted((ROOT / package).rglob("*.py"))
        if not any(path.is_relative_to(folder) for folder in inner)
    ]


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_a_package_imports_only_what_it_may(package: str) -> None:
    sources = files(package)
    assert sources
    strangers = {
        f"{path.relative_to(ROOT)} imports {name}"
        for path in sources
        for name in imported(path)
        if (top := name.partition(".")[0]) in OURS and top not in MAY_IMPORT[package]
    }
    assert strangers == set()


def test_bytewax_stays_at_the_edge_of_the_stream() -> None:
    allowed = {"flow.py", "service.py", "steps.py", "store.py", "sources", "sinks"}
    users = {
        path.relative_to(ROOT / "stream").parts[0]
        for path in files("stream")
        if any(name.partition(".")[0] == "bytewax" for name in imported(path))
    }
    assert users <= allowed
