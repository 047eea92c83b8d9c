"""One demo from start to end."""

import shutil
import signal
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from types import FrameType
from typing import Final, Self

from citynerve.demo import account, folder, nodes, report
from citynerve.demo.chain import CALM, HASTY, Chain, explain, from_environment
from citynerve.demo.options import Options
from citynerve.demo.process import Process
from citynerve.demo.watch import Figures, Watch
from citynerve.errors import CityNerveError, UnavailableError
from citynerve.influx import connect

_TICK: Final = 0.25
_ASK_EVERY: Final = 2.0
_PLAIN_EVERY: Final = 10.0
_NAMED: Final = 5
_STREAM_READY: Final = 120.0
_ENDING: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

Say = Callable[[str], None]


class _Ending:
    """Whether somebody wants us to end. The second time, nothing is waited for."""

    def __init__(self) -> None:
        self.asked = False
        self._before: dict[signal.Signals, signal._HANDLER] = {}

    def __enter__(self) -> Self:
        self._before = {number: signal.signal(number, self._ask) for number in _ENDING}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _ask(self, number: int, _frame: FrameType | None) -> None:
        if self.asked:
            raise KeyboardInterrupt(signal.Signals(number).name)
        self.asked = True


class Demo:
    """One run.

    Args:
        options: What was asked for.
        say: Writes a line for people.
    """

    def __init__(self, options: Options, say: Say) -> None:
        self.options = options
        self._say = say
        self._problems: list[str] = []
        self._ending = _Ending()

    def run(self) -> bool:
        """Run it; whether nothing was lost, nothing doubled, and no process died.

        Raises:
            ConfigError: An option, a file or the environment is wrong.
            UnavailableError: A server cannot be started or reached.
        """
        self.options.check()
        place = folder.make(self.options.folder)
        broker, database = from_environment(place.name)
        planned = nodes.plan(self.options, f"-{_short(place.name)}" if database else "")
        self._say(f"logs, data and configuration: {place}")
        began, started = time.monotonic(), datetime.now(UTC)
        with self._ending, Chain(place, broker=broker, database=database) as chain:
            chain.start_servers()
            with Watch(chain.mqtt, chain.influx, map(chain.spool, planned)) as watch:
                served = self._serve(chain, watch, planned)
                ended = self._follow(chain, watch)
                self._stop(chain)
                remarks = watch.remarks(list(planned))
                if broker is not None:
                    watch.clear_retained(list(planned))
            outcome = self._settle(chain, list(planned), served=served, ended=ended)
            chain.stop_servers(HASTY if self._ending.asked else CALM)
        outcome.started = started.isoformat(timespec="seconds")
        outcome.remarks = remarks
        outcome.wall_seconds = round(time.monotonic() - began, 2)
        outcome.processes = report.processes(chain.processes)
        for line in report.lines(outcome):
            self._say(line)
        if self.options.report is not None:
            report.write(outcome, self.options.report)
        return outcome.ok

    def _serve(self, chain: Chain, watch: Watch, planned: dict[str, nodes.Tables]) -> bool:
        """Start stream and nodes; whether the stream came to serve before somebody ended it all."""
        stream = chain.start_stream()
        for node, tables in planned.items():
            if self._ending.asked:
                return False
            chain.start_node(node, tables, until_done=self.options.until_done)
        self._say(
            f"MQTT {chain.mqtt.safe_url()}, InfluxDB {chain.influx.base()}, {_named(list(planned))}"
        )
        deadline = time.monotonic() + _STREAM_READY
        while not watch.serving and not self._ending.asked:
            watch.look()
            self._check(chain)
            if time.monotonic() > deadline:
                raise UnavailableError(
                    "stream", where=str(stream.log), problem=f"not ready: {stream.tail()}"
                )
            time.sleep(_TICK)
        return watch.serving

    def _follow(self, chain: Chain, watch: Watch) -> bool:
        """Show how it is until it ends; whether all inputs have ended and are committed."""
        began = asked = plain = time.monotonic()
        deadline = began + (self.options.seconds or float("inf"))
        line = _StatusLine()
        while not self._ending.asked:
            now = time.monotonic()
            chain.sample()
            self._check(chain)
            if now - asked >= _ASK_EVERY:
                watch.ask()
                asked = now
            figures = watch.look()
            if line.live:
                line.show(_status(figures, len(chain.nodes), now - began))
            elif now - plain >= _PLAIN_EVERY:
                self._say(_status(figures, len(chain.nodes), now - began))
                plain = now
            if all(node.poll() == 0 for node in chain.nodes):
                line.clear()
                return True
            if now >= deadline and not self._waits_for_inputs:
                break
            time.sleep(_TICK)
        line.clear()
        return False

    @property
    def _waits_for_inputs(self) -> bool:
        # Simulated inputs that were given an end are as long as --for says: let them end.
        return self.options.until_done and self.options.simulated > 0

    def _check(self, chain: Chain) -> None:
        """Raise the error of a process that ended over one; end if any died."""
        for process in chain.died():
            error = explain(process)
            if error is not None:
                raise error
            if not self._ending.asked:
                self._say(_death(process))
                self._problems.append(f"{process.name} ended with code {process.code}")
        if self._problems:
            self._ending.asked = True

    def _stop(self, chain: Chain) -> None:
        self._say("ending")
        chain.stop_chain(HASTY if self._ending.asked else CALM)
        for process in chain.processes:
            # One that is asked before it listens to signals ends by the signal itself.
            if process.code not in (None, 0, -signal.SIGTERM) and process.pid in chain.asked:
                self._problems.append(_unwilling(process))

    def _settle(
        self, chain: Chain, names: list[str], *, served: bool, ended: bool
    ) -> report.Report:
        datastreams: list[account.Datastream] = []
        kinds: dict[str, int] = {}
        version = ""
        try:
            # Who is told to end at once may have no spool yet, and so has read nothing.
            made = [name for name in names if served or chain.spool(name).exists()]
            spools = [account.read_spool(chain.spool(name), name) for name in made]
            with connect(chain.influx) as influx:
                version = influx.server.version
                datastreams = account.settle(spools, account.ask(influx, names), ended=ended)
                kinds = report.anomalies(influx, names)
        except CityNerveError as error:
            self._problems.append(f"not accounted for: {error}")
        sums = report.totals(datastreams)
        # Who ends it after a few seconds need not have waited for the first commit.
        if not self._ending.asked and sums["sent"] and not sums["stored"]:
            self._problems.append("nothing of what the nodes hold has reached InfluxDB")
        return report.Report(
            folder=str(chain.folder),
            influxdb=version,
            nodes=names,
            totals=sums,
            anomalies=kinds,
            problems=self._problems,
            ok=not self._problems and not sums["lost"] and not sums["doubled"],
            datastreams=datastreams,
        )


class _StatusLine:
    """One line at the bottom of a terminal, written over and over."""

    def __init__(self) -> None:
        self.live = sys.stdout.isatty()

    def show(self, line: str) -> None:
        width = shutil.get_terminal_size().columns - 1
        sys.stdout.write(f"\r\x1b[2K{line[:width]}")
        sys.stdout.flush()

    def clear(self) -> None:
        if self.live:
            sys.stdout.write("\r\x1b[2K")
            sys.stdout.flush()


def _status(figures: Figures, nodes_count: int, seconds: float) -> str:
    lag = "?" if figures.lag is None else f"{figures.lag:.1f} s"
    return (
        f"{seconds:4.0f} s  nodes {figures.online}/{nodes_count}  batches {figures.batches}"
        f"  stored {figures.stored}  anomalies {figures.anomalies}"
        f"  unacknowledged {figures.unacknowledged}  lag {lag}"
    )


def _death(process: Process) -> str:
    return f"{process.name} ended with code {process.code}; {process.log} ends:\n{process.tail()}"


def _unwilling(process: Process) -> str:
    if process.code == -signal.SIGKILL:
        return f"{process.name} did not end when asked, and was killed"
    return f"{process.name} ended with code {process.code} when asked to end"


def _named(nodes: Sequence[str]) -> str:
    """How many there are, and what they are called as far as a line holds it.

    >>> _named(["a"]), _named(["a", "b", "c", "d", "e", "f", "g"])
    ('1 node: a', '7 nodes: a, b, c, d, e ...')
    """
    number = "1 node" if len(nodes) == 1 else f"{len(nodes)} nodes"
    return f"{number}: {', '.join(nodes[:_NAMED])}{' ...' if len(nodes) > _NAMED else ''}"


def _short(name: str) -> str:
    """A run's folder name as the end of a node's id."""
    return "".join(c for c in name.lower() if c.isalnum())[-12:]
