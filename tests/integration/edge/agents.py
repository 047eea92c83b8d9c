"""Agents as real processes."""

import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, ClassVar

from tests.waiting import PATIENCE_S

ROOT = Path(__file__).parents[3]
DRIVERS = "tests.integration.edge.counting_driver"


def plugin(kind: str, name: str, **options: object) -> dict[str, Any]:
    """A ``[[sensor]]`` table for a driver of ``counting_driver``."""
    return {"driver": "plugin", "object": f"{DRIVERS}:{kind}", "name": name, "options": options}


def configure(folder: Path, url: str, *sensors: dict[str, Any], **tables: object) -> Path:
    """Write a node's file; ``tables`` replaces whole tables."""
    folder.mkdir(parents=True, exist_ok=True)
    config: dict[str, Any] = {
        "node": {"id": "node-0", "area": "aarhus/centrum"},
        "mqtt": {"url": url},
        "sensor": list(sensors),
        "send": {"batch_ms": 100},
        **tables,
    }
    path = folder / "node.toml"
    path.write_text("".join(f"{key} = {_toml(value)}\n" for key, value in config.items()))
    return path


def _toml(value: object) -> str:
    """TOML's inline form; its strings, numbers and booleans are written as JSON's."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {_toml(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return json.dumps(value)


def counts(spool: Path) -> dict[str, tuple[int, ...]]:
    columns = "read, distinct_, repeated, late, sent"
    with contextlib.closing(sqlite3.connect(f"file:{spool}?mode=ro", uri=True)) as db:
        rows = db.execute(f"SELECT sensor, {columns} FROM counts")  # noqa: S608
        return {row[0]: row[1:] for row in rows}


def spooled_readings(spool: Path) -> int:
    """What was ever spooled; the file may still be in the making."""
    try:
        return sum(figures[4] for figures in counts(spool).values())
    except sqlite3.OperationalError:
        return 0


class AgentProcess:
    """``citynerve edge run`` in a process of its own; ``log`` is what it wrote.

    ``options`` are the command's, ``python`` the interpreter's.
    """

    running: ClassVar[list["AgentProcess"]] = []

    def __init__(self, config: Path, *options: str, python: tuple[str, ...] = ()) -> None:
        self.log = config.with_suffix(".log")
        run = ("-m", "citynerve", "edge", "run", "--config", str(config))
        command = [sys.executable, *python, *run]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*command, *options],
                stderr=log,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
                cwd=ROOT,
            )
        self.running.append(self)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def terminate(self) -> float:
        """SIGTERM; the seconds that it took to end."""
        start = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=PATIENCE_S)
        return time.monotonic() - start

    def wait(self, seconds: float = PATIENCE_S) -> int:
        return self.process.wait(timeout=seconds)


def kill_all() -> None:
    """End what a failed test has left."""
    while AgentProcess.running:
        AgentProcess.running.pop().kill()
