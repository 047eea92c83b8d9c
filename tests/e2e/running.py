"""A demo that runs, and what it may leave behind."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tests.waiting import PATIENCE_S, until


class Running:
    """A demo that runs."""

    def __init__(self, folder: Path, *arguments: str, **env: str) -> None:
        self.folder = folder
        self.output = folder.parent / f"{folder.name}.txt"
        command = [sys.executable, "-m", "citynerve", "demo", "--dir", str(folder), *arguments]
        with self.output.open("wb") as sink:
            self._popen = subprocess.Popen(
                command, stdout=sink, stderr=subprocess.STDOUT, env={**os.environ, **env}
            )

    def wait(self, timeout: float = PATIENCE_S) -> int:
        return self._popen.wait(timeout)

    def text(self) -> str:
        return self.output.read_text(encoding="utf-8")

    def wait_for(self, path: str) -> None:
        """Wait until a file of the run exists."""
        until(lambda: (self.folder / path).exists() or self._ended, path)
        assert not self._ended, self.text()

    def signal(self, number: signal.Signals) -> None:
        self._popen.send_signal(number)

    @property
    def _ended(self) -> bool:
        return self._popen.poll() is not None

    def end(self) -> None:
        if not self._ended:
            self._popen.kill()
            self._popen.wait()


Start = Callable[..., Running]


def left_behind(folder: Path) -> list[str]:
    """The command lines of processes that work in a run's folder."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue
            if str(folder) in command:
                found.append(command)
    return found


def assert_nothing_left(folder: Path) -> None:
    # What the kernel kills for us may take a moment to be gone.
    until(lambda: not left_behind(folder), "nothing is left behind")


def pid_of(demo: Running, process: str) -> int:
    config = str(demo.folder / process / "config.toml")

    def find() -> int | None:
        for entry in Path("/proc").iterdir():
            try:
                if entry.name.isdigit() and config in (entry / "cmdline").read_text():
                    return int(entry.name)
            except OSError:
                continue
        return None

    found = until(find, f"a process of {config}")
    assert found is not None
    return found
