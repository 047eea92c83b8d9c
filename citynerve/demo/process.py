"""A child process with its log, its resource usage, and a sure end."""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

from citynerve.errors import UnavailableError

_POLL: Final = 0.02
_TAIL: Final = 2000


@dataclass(frozen=True, slots=True)
class Usage:
    """What a process has used: seconds of CPU, and bytes of resident memory at the most."""

    cpu: float
    memory: int


class Process:
    """One child. The kernel kills it when we die, so that nothing is left behind.

    Args:
        name: For people, logs and reports.
        command: Program and arguments.
        log: Receives its standard output and error, appended.
        env: Added to our environment.
    """

    def __init__(
        self, name: str, command: Sequence[str], *, log: Path, env: Mapping[str, str] | None = None
    ) -> None:
        self.name = name
        self.log = log
        self.code: int | None = None
        self._started = time.monotonic()
        self._usage = Usage(0.0, 0)
        with log.open("ab") as sink:
            self._popen = subprocess.Popen(
                [*_guard(), *command],
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
                env={**os.environ, **(env or {})},
                # Ctrl-C on the terminal reaches us alone: the order of the end is ours to choose.
                start_new_session=True,
            )
        self.pid = self._popen.pid

    def poll(self) -> int | None:
        """Its exit code (negative: the signal that ended it), or None while it runs."""
        if self.code is None:
            pid, status, used = os.wait4(self.pid, os.WNOHANG)
            if pid:
                self.code = self._popen.returncode = os.waitstatus_to_exitcode(status)
                self._usage = Usage(used.ru_utime + used.ru_stime, self._usage.memory)
        return self.code

    def usage(self) -> Usage:
        """Up to now, or up to its end. Memory is as of the last call while it ran.

        Not ``ru_maxrss``: that also counts what we held ourselves when we started it.
        """
        if self.poll() is None:
            self._usage = _look(self.pid, self._usage)
        return self._usage

    def signal(self, number: signal.Signals) -> None:
        """Send a signal; nothing if it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def wait(self, timeout: float) -> int | None:
        """Wait for its end; None if it still runs after ``timeout`` seconds."""
        deadline = time.monotonic() + timeout
        while self.poll() is None and time.monotonic() < deadline:
            time.sleep(_POLL)
        return self.code

    def stop(self, timeout: float = 5.0) -> int:
        """Ask it to end (SIGTERM), and kill it if it has not after ``timeout`` seconds."""
        self.usage()
        self.signal(signal.SIGTERM)
        if self.wait(timeout) is None:
            self.kill()
        assert self.code is not None  # noqa: S101 - kill() waits for the end
        return self.code

    def kill(self) -> None:
        """End it at once (SIGKILL), and wait for that."""
        self.usage()
        self.signal(signal.SIGKILL)
        while self.poll() is None:
            time.sleep(_POLL)

    def wait_ready(self, ready: Callable[[], bool], timeout: float) -> None:
        """Wait until ``ready()``.

        Raises:
            UnavailableError: It ended before, or is not ready after ``timeout`` seconds.
        """
        deadline = time.monotonic() + timeout
        while not ready():
            if self.poll() is not None:
                raise self._failed(f"ended with code {self.code}")
            if time.monotonic() > deadline:
                self.kill()
                raise self._failed(f"not ready after {timeout:.0f} s")
            time.sleep(_POLL)

    def serves(self, port: int) -> bool:
        """Whether it is this process, and no other, that listens on a TCP port."""
        try:
            open_sockets = psutil.Process(self.pid).net_connections("tcp")
        except psutil.Error:
            return False
        return any(
            one.status == psutil.CONN_LISTEN and one.laddr and one.laddr.port == port
            for one in open_sockets
        )

    def tail(self) -> str:
        """The end of its log."""
        text = self.log.read_bytes()[-_TAIL:].decode(errors="replace").strip()
        return "\n".join(text.splitlines()[-5:])

    def _failed(self, problem: str) -> UnavailableError:
        return UnavailableError(
            self.name, where=str(self.log), problem=f"{problem}; its last words:\n{self.tail()}"
        )


def _guard() -> list[str]:
    """A prefix that makes the kernel kill the child when its parent dies; execs, keeps the pid."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "KILL", "--"] if setpriv else []


def _look(pid: int, last: Usage) -> Usage:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
        status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    except OSError:
        return last
    # The second field, the program's name, may hold spaces and brackets of its own.
    fields = stat.rpartition(")")[2].split()
    cpu = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    peak = [int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:")]
    return Usage(cpu, max(last.memory, peak[0] * 1024 if peak else 0))


def free_port() -> int:
    """A loopback TCP port that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def listens(port: int) -> bool:
    """Whether somebody accepts connections on this loopback port."""
    with socket.socket() as probe:
        probe.settimeout(1.0)
        return probe.connect_ex(("127.0.0.1", port)) == 0
