"""How large a simulated city one machine runs, through the whole chain.

``python -m benchmarks.city [--json] [--only live|day] [--nodes N] [--seconds N] [--interval SPAN]``

``live``: 1,000 nodes in real time on one core, with broker, stream and InfluxDB on the others; the
fleet's share of its core over a minute after all have connected. ``day``: a simulated day of 100
nodes as fast as it goes, until all is committed, and where every reading went.
"""

import argparse
import json
import os
import tempfile
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import psutil

from benchmarks import day as days
from citynerve.demo import account
from citynerve.demo.chain import Chain
from citynerve.demo.process import Process
from citynerve.influx import connect
from simulators.fleet import folder

_LIVE: Final = 1000
_DAY: Final = 100
_GOALS: Final = {"live": 1.0, "day": 180.0}
_WARM: Final = 15.0
_PATIENCE: Final = 300.0
_MEGABYTE: Final = 1e6


class Live(NamedTuple):
    """One run in real time.

    ``share``: CPU seconds of the fleet for a second of the clock; ``others``: the same of broker,
    stream and InfluxDB. ``ready``: seconds until all nodes had connected. ``late``: by how much
    (ms) a node's turn came late at the worst in each second: the median and the worst of these.
    """

    nodes: int
    seconds: float
    ready: float
    share: float
    others: dict[str, float]
    rate: float
    late: tuple[int, int]
    memory: float
    disk: float
    unsent: int


class Day(NamedTuple):
    """One simulated day. ``cpu``: seconds, by process; ``observations``: as the nodes sent them."""

    nodes: int
    seconds: float
    observations: int
    stored: int
    lost: int
    doubled: int
    cpu: dict[str, float]
    memory: float


class _Run:
    """The chain with one fleet on it."""

    def __init__(self, chain: Chain, *options: str, until_done: bool = False) -> None:
        self.chain = chain
        self.place = chain.city
        self.process = chain.start_city(options, until_done=until_done)

    def state(self) -> dict[str, Any]:
        """How the fleet says it is."""
        path = self.place / folder.STATE
        return dict(json.loads(path.read_bytes())) if path.exists() else {}

    def cpu(self) -> dict[str, float]:
        return {process.name: process.usage().cpu for process in self.chain.processes}

    def check(self) -> None:
        for process in self.chain.processes:
            assert process.poll() in {None, 0}, f"{process.name}: {process.tail()}"


def _only(processes: Iterable[Process], cores: list[int]) -> None:
    for process in processes:
        for thread in psutil.Process(process.pid).threads():
            os.sched_setaffinity(thread.id, cores)


def live(place: Path, nodes: int, seconds: float, options: Sequence[str] = ()) -> Live:
    """Real time, the fleet alone on the first core."""
    cores = sorted(os.sched_getaffinity(0))
    with days.centre(place) as chain:
        _only(chain.processes, cores[1:] or cores)
        run = _Run(chain, "--nodes", str(nodes), *options)
        _only([run.process], cores[:1])
        began = time.monotonic()
        while run.state().get("connected", 0) < nodes:
            run.check()
            assert time.monotonic() < began + _PATIENCE, run.process.tail()
            time.sleep(0.1)
        ready = time.monotonic() - began
        time.sleep(_WARM)
        before, first, since = run.cpu(), run.state(), time.monotonic()
        late = []
        while time.monotonic() < since + seconds:
            time.sleep(1)
            run.check()
            late.append(int(run.state()["late"]))
        last, spent = run.state(), time.monotonic() - since
        share = {name: (cpu - before[name]) / spent for name, cpu in run.cpu().items()}
        disk = sum(path.stat().st_blocks * 512 for path in run.place.rglob("*") if path.is_file())
        assert run.process.stop(60) == 0, run.process.tail()
        late.sort()
        return Live(
            nodes=nodes,
            seconds=spent,
            ready=ready,
            share=share.pop("city"),
            others=share,
            rate=(last["observations"] - first["observations"]) / spent,
            late=(late[len(late) // 2], late[-1]),
            memory=last["memory"] / _MEGABYTE,
            disk=disk / _MEGABYTE,
            unsent=last["unsent"],
        )


def day(place: Path, nodes: int) -> Day:
    """A day as fast as it goes, and the account of it."""
    with days.centre(place) as chain:
        options = ("--speed", "max", "--for", "24h", "--nodes", str(nodes))
        run = _Run(chain, *options, until_done=True)
        seconds = days.finish(run.process, chain)
        cpu = run.cpu()
        names = sorted(path.parent.name for path in run.place.glob(f"*/{folder.SPOOL}"))
        spools = [account.read_spool(run.place / name / folder.SPOOL, name) for name in names]
        with connect(chain.influx) as influx:
            settled = account.settle(spools, account.ask(influx, names), ended=True)
        return Day(
            nodes=len(names),
            seconds=seconds,
            observations=sum(one.sent for one in settled),
            stored=sum(one.stored for one in settled),
            lost=sum(one.lost for one in settled),
            doubled=sum(one.doubled for one in settled),
            cpu=cpu,
            memory=run.state()["memory"] / _MEGABYTE,
        )


def _show_live(one: Live) -> None:
    others = ", ".join(f"{name} {share:.0%}" for name, share in one.others.items())
    median, worst = one.late
    print(f"{one.nodes} nodes in real time, over {one.seconds:.0f} s")
    print(f"  fleet                {one.share:8.1%} of one core (goal: below {_GOALS['live']:.0%})")
    print(f"  others               {others}")
    print(f"  all connected after  {one.ready:8.1f} s")
    print(f"  observations         {one.rate:8.1f} /s")
    print(f"  a turn came late by  {median:8} ms at the worst of a second, median; {worst} ms ever")
    print(f"  memory of the fleet  {one.memory:8.1f} MB, {one.memory / one.nodes:.2f} a node")
    print(f"  disk                 {one.disk:8.1f} MB, {one.disk / one.nodes:.2f} a node")
    print(f"  unsent batches       {one.unsent:8} at the end")


def _show_day(one: Day) -> None:
    figures = {
        "observations": f"{one.observations:8,}, stored {one.stored:,}",
        "lost, doubled": f"{one.lost:8}, {one.doubled}",
        "CPU": days.cpu(one.cpu),
        "memory of the fleet": f"{one.memory:8.1f} MB",
    }
    days.show(f"a simulated day of {one.nodes} nodes", one.seconds, _GOALS["day"], figures)


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--json", action="store_true", help="one JSON object on the last line")
    parser.add_argument("--only", choices=["live", "day"])
    parser.add_argument("--nodes", type=int, help=f"default: {_LIVE} live, {_DAY} for a day")
    parser.add_argument("--interval", help="between readings, such as 1s; default: as usual")
    parser.add_argument("--seconds", type=float, default=60.0, help="of the live measurement")
    given = parser.parse_args()
    results: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as name:
        if given.only in {None, "live"}:
            every = ("--interval", given.interval) if given.interval else ()
            one = live(Path(name) / "live", given.nodes or _LIVE, given.seconds, every)
            _show_live(one)
            results["live"] = one._asdict()
        if given.only in {None, "day"}:
            other = day(Path(name) / "day", given.nodes or _DAY)
            _show_day(other)
            results["day"] = other._asdict()
    if given.json:
        print(json.dumps(results))


if __name__ == "__main__":
    main()
