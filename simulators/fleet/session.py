"""One run of a simulated city from start to end."""

import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from msgspec import json

from citynerve.clock import now_ms
from citynerve.errors import UnavailableError
from citynerve.mqtt import MqttConfig
from citynerve.parameters import Speed
from simulators.fleet import limits
from simulators.fleet.fleet import Fleet
from simulators.fleet.folder import lay_out, members, write_state
from simulators.fleet.run import Wish, settle
from simulators.fleet.state import Gauge, State

_LOOK_S: Final = 1.0
_PLAIN_S: Final = 10.0
_SHOWN: Final = 5

Say = Callable[[str], None]


class Session:
    """One process's part of a run.

    Args:
        folder: The run's; absolute.
        wish: What is asked for.
        mqtt: Where all nodes connect.
        speed: Simulated over real time.
        until_done: End only when all is committed.

    Raises:
        ConfigError: See :func:`simulators.fleet.run.settle`; or the system does not allow so many
            nodes.
        UnavailableError: The folder cannot be written.
    """

    def __init__(
        self, folder: Path, wish: Wish, *, mqtt: MqttConfig, speed: Speed, until_done: bool
    ) -> None:
        self._folder = folder
        self._mqtt = mqtt
        self._run = settle(folder, wish, real_time=speed == 1, until_done=until_done, clock=now_ms)
        limits.allow(self._run.nodes)
        self._gauge = Gauge(self._run, speed)
        self._nodes = lay_out(folder, self._run, speed, mqtt)
        self._fleet = Fleet(
            members(folder, self._nodes, mqtt),
            until_done=until_done,
        )
        self._looked = self._told = float("-inf")

    def stop(self) -> None:
        """End soon; safe to call from a signal handler."""
        self._fleet.stop()

    def run(self, say: Say, report: Path | None = None) -> None:
        """Run it to its end.

        Args:
            say: Writes a line for people.
            report: Receives the last state as JSON.

        Raises:
            UnavailableError: A node broke down, or the report cannot be written.
        """
        run = self._run
        say(f"{run.nodes} nodes of seed {run.seed} in {self._folder}, {self._mqtt.safe_url()}")
        line = _Line(say)
        self._fleet.run(lambda: self._look(line))
        state = self._gauge.read(self._fleet.figures(), running=False)
        write_state(self._folder, state)
        line.end(state)
        if report is not None:
            _write(report, state)
        self._complain()

    def _look(self, line: "_Line") -> None:
        now = time.monotonic()
        if now - self._looked >= _LOOK_S:
            self._looked = now
            state = self._gauge.read(self._fleet.figures(), running=True)
            write_state(self._folder, state)
            line.show(state)

    def _complain(self) -> None:
        failures = self._fleet.failures
        if failures:
            first = [f"{node}: {error}" for node, error in list(failures.items())[:_SHOWN]]
            raise UnavailableError(
                f"{len(failures)} of {self._run.nodes} nodes",
                where=str(self._folder),
                problem="broke down\n  " + "\n  ".join(first),
                fix="see the messages above; start it again on the same folder",
            )


class _Line:
    """The status: one line written over and over on a terminal, else a line now and then."""

    def __init__(self, say: Say) -> None:
        self._say = say
        self._live = sys.stdout.isatty()
        self._said = float("-inf")

    def show(self, state: State) -> None:
        now = time.monotonic()
        if self._live:
            width = shutil.get_terminal_size().columns - 1
            sys.stdout.write(f"\r\x1b[2K{state.line()[:width]}")
            sys.stdout.flush()
        elif now - self._said >= _PLAIN_S:
            self._said = now
            self._say(state.line())

    def end(self, state: State) -> None:
        if self._live:
            sys.stdout.write("\r\x1b[2K")
        self._say(state.line())
        waiting = f": {state.unsent} batches wait in the spools" if state.unsent else ""
        self._say(f"ended{waiting}")


def _write(path: Path, state: State) -> None:
    try:
        path.write_bytes(json.format(json.encode(state), indent=1) + b"\n")
    except OSError as error:
        raise UnavailableError(
            "report",
            where=str(path),
            problem=error.strerror or str(error),
            fix="name a file that can be written with --report",
        ) from error
