"""One demo from start to end."""

import os
import shutil
import signal
import sys
import time
import webbrowser
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from types import FrameType
from typing import Final, Self

from msgspec import structs

from citynerve.demo import account, folder, plan, report, scorecard
from citynerve.demo.chain import CALM, HASTY, Chain, explain, from_environment
from citynerve.demo.manifest import Database, Manifest
from citynerve.demo.options import Options
from citynerve.demo.plan import Plan
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
        self._say(f"logs, data and configuration: {place}")
        began, started = time.monotonic(), datetime.now(UTC).isoformat(timespec="seconds")
        with self._ending, Chain(place, broker=broker, database=database) as chain:
            suffix = f"-{_short(place.name)}" if database else ""
            planned = plan.make(self.options, chain.cameras, suffix)
            chain.settle_city(planned.city.nodes if planned.city else ())
            chain.start_servers()
            manifest = _manifest(chain, planned, started)
            manifest.write(place)
            with Watch(chain.mqtt, chain.influx, map(chain.spool, planned.names)) as watch:
                served = self._serve(chain, watch, planned)
                ended = self._follow(chain, watch, manifest)
                self._stop(chain)
                remarks = watch.remarks(planned.names)
                if broker is not None:
                    watch.clear_retained(planned.names)
            outcome = self._settle(chain, planned, manifest, served=served, ended=ended)
            chain.stop_servers(HASTY if self._ending.asked else CALM)
        outcome.started = started
        outcome.remarks = remarks
        outcome.wall_seconds = round(time.monotonic() - began, 2)
        outcome.processes = report.processes(chain.processes)
        for line in report.lines(outcome):
            self._say(line)
        for path in (place / report.NAME, self.options.report):
            if path is not None:
                report.write(outcome, path)
        return outcome.ok

    def _serve(self, chain: Chain, watch: Watch, planned: Plan) -> bool:
        """Start stream and nodes; whether the stream came to serve before somebody ended it all."""
        until_done = self.options.until_done
        stream = chain.start_stream()
        if planned.city is not None:
            chain.start_city(planned.city.wishes, until_done=until_done)
        for node, tables in planned.own.items():
            if self._ending.asked:
                return False
            chain.start_node(node, tables, until_done=until_done)
        chain.start_view()
        self._say(
            f"MQTT {chain.mqtt.safe_url()}, InfluxDB {chain.influx.base()}, {_named(planned.names)}"
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

    def _follow(self, chain: Chain, watch: Watch, manifest: Manifest) -> bool:
        """Show how it is until it ends; whether all inputs have ended and are committed."""
        nodes_count = len(manifest.spools)
        page: str | None = None
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
            if page is None and (page := chain.address()):
                line.clear()
                self._show(page)
                structs.replace(manifest, view=page).write(chain.folder)
            if line.live:
                line.show(_status(figures, nodes_count, now - began))
            elif now - plain >= _PLAIN_EVERY:
                self._say(_status(figures, nodes_count, now - began))
                plain = now
            if all(node.poll() == 0 for node in chain.nodes):
                line.clear()
                return True
            if now >= deadline and not self._waits_for_inputs:
                break
            time.sleep(_TICK)
        line.clear()
        return False

    def _show(self, page: str) -> None:
        """Open the local view, where there is somebody to see it."""
        self._say(f"look at the city: {page}")
        if not self.options.headless and sys.stdout.isatty():
            webbrowser.open(page)

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
        self, chain: Chain, planned: Plan, manifest: Manifest, *, served: bool, ended: bool
    ) -> report.Report:
        names = planned.names
        card = None
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
                card = scorecard.draw_up(influx, manifest.city, manifest.cameras)
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
            scorecard=card,
            problems=self._problems,
            ok=not self._problems and not sums["lost"] and not sums["doubled"],
            datastreams=datastreams,
        )


def _manifest(chain: Chain, planned: Plan, started: str) -> Manifest:
    config = chain.influx
    return Manifest(
        started=started,
        pid=os.getpid(),
        database=Database(config.base(), config.raw, config.main, config.org, config.ca),
        spools={name: str(chain.spool(name)) for name in planned.names},
        city=planned.city_truth(chain.city),
        cameras=planned.cameras,
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
