"""One process of the chain: started, killed, started again, never lost sight of."""

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from citynerve.demo.process import Process

ROOT: Final = Path(__file__).parents[2]
_STOP_S: Final = 20.0


class Managed:
    """A command of citynerve's under a name; its log is appended to over all its lives.

    Args:
        name: For reports.
        arguments: Of ``citynerve``.
        log: Where its standard output and error go.
        prefix: A command that runs the one that follows it, in place of itself.
    """

    def __init__(
        self, name: str, arguments: Sequence[str], log: Path, *, prefix: Sequence[str] = ()
    ) -> None:
        self.name = name
        self.log = log
        self.starts = 0
        self.started_at = 0.0
        self.wanted = False
        self._command = [*prefix, sys.executable, "-m", "citynerve", *arguments]
        self._process: Process | None = None

    @property
    def alive(self) -> bool:
        """Whether it runs now."""
        return self._process is not None and self._process.poll() is None

    @property
    def exit_code(self) -> int | None:
        """How its last life ended; None while it runs or before it ran. Negative: the signal."""
        return None if self._process is None else self._process.poll()

    @property
    def pid(self) -> int:
        """The id of its last life's process."""
        assert self._process is not None, f"{self.name} never ran"
        return self._process.pid

    def start(self) -> None:
        """Start it; it must not run."""
        assert not self.alive, f"{self.name} runs already"
        self.starts += 1
        self.started_at = time.monotonic()
        self.wanted = True
        # The harness's own driver must be importable in the node.
        self._process = Process(
            self.name, self._command, log=self.log, env={"PYTHONPATH": str(ROOT)}
        )

    def kill(self) -> bool:
        """``kill -9``; whether it was alive until then."""
        self.wanted = False
        if self._process is None or not self.alive:
            return False
        self._process.kill()
        return True

    def stop(self) -> int | None:
        """Ask it to end; its exit code (negative: it had to be killed), None if it never ran."""
        self.wanted = False
        return None if self._process is None else self._process.stop(_STOP_S)

    def wait(self, timeout: float) -> int | None:
        """Its exit code once it has ended by itself; None after ``timeout`` seconds."""
        return None if self._process is None else self._process.wait(timeout)

    def wait_said(self, words: str, timeout: float) -> None:
        """Wait until its log holds these words.

        Raises:
            UnavailableError: It ended before, or has not said them after ``timeout`` seconds.
        """
        assert self._process is not None, f"{self.name} never ran"
        self._process.wait_ready(lambda: words.encode() in self.log.read_bytes(), timeout)

    def tail(self, lines: int = 30) -> str:
        """The end of its log."""
        if not self.log.exists():
            return ""
        text = self.log.read_bytes()[-30_000:].decode(errors="replace")
        return "\n".join(text.splitlines()[-lines:])
