"""Demos as a user runs them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.running import Running, Start


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts demos, and ends those that still run after the test."""
    running: list[Running] = []

    def begin(*arguments: str, name: str = "run", **env: str) -> Running:
        running.append(Running(tmp_path / name, *arguments, **env))
        return running[-1]

    yield begin
    for demo in running:
        demo.end()
