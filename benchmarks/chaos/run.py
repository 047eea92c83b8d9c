"""One run of a chain from start to dump, with or without faults."""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from benchmarks.chaos.chain import Chain, Plan
from benchmarks.chaos.dump import Dump, dump, query
from benchmarks.chaos.faults import Fault
from benchmarks.chaos.proxy import Switchboard
from benchmarks.chaos.strikes import Strikes
from benchmarks.chaos.truth import MAIN, RAW

_TURN_S: Final = 0.02
_SETTLE_S: Final = 60.0


@dataclass(slots=True)
class Run:
    """What came of a run. ``seconds``: from the first start to the last node's end."""

    dump: Dump = field(default_factory=dict)
    seconds: float = 0.0
    struck: Counter[str] = field(default_factory=Counter)
    unstruck: int = 0
    starts: dict[str, int] = field(default_factory=dict)
    refused_starts: int = 0
    defects: list[str] = field(default_factory=list)
    log: list[str] = field(default_factory=list)


def play(
    folder: Path,
    plan: Plan,
    faults: Sequence[Fault] = (),
    *,
    patience: float,
    calm: Dump | None = None,
) -> Run:
    """Play the plan's input through a chain in ``folder``, with these faults, and dump InfluxDB.

    Args:
        folder: For configurations, logs and data; must be new.
        plan: The input.
        faults: What falls on the chain while it plays.
        patience: Seconds beyond the input's own time; what is not committed then is a defect.
        calm: What a run without faults gave, to know when all is written that follows the commit.
    """
    run = Run()
    with Switchboard() as board, Chain(folder, plan, board) as chain:
        began = time.monotonic()
        chain.start()
        strikes = Strikes(chain, faults)
        deadline = began + plan.seconds + patience
        ended = wait_until(lambda: _turn(chain, strikes), deadline)
        run.seconds = time.monotonic() - began
        if not ended:
            run.defects.append(_stuck(chain, patience))
        run.dump = close(chain, calm)
        run.struck, run.unstruck, run.log = strikes.struck, strikes.unstruck, strikes.log
        run.starts = {process.name: process.starts for process in (chain.stream, *chain.nodes)}
        run.refused_starts = chain.refused_starts
        run.defects += chain.defects
    (folder / "faults.log").write_text("\n".join(run.log) + "\n", encoding="utf-8")
    return run


def close(chain: Chain, calm: Dump | None = None) -> Dump:
    """End the stream in order once all is written, and dump what InfluxDB holds.

    Roll-ups leave after the commit, and what a late request may have overwritten is written again
    half a minute later: both are given a minute, and what is not right then, is wrong.

    A stream that does not end by itself, with code 0, is noted among the chain's defects.
    """
    wait_until(lambda: _settled(chain, calm), time.monotonic() + _SETTLE_S)
    code = chain.stream.stop()
    if code != 0:
        chain.defects.append(f"the stream ended with {code} at SIGTERM:\n{chain.stream.tail()}")
    return dump(chain.influx.port, (RAW, MAIN))


def wait_until(condition: Callable[[], bool], deadline: float) -> bool:
    """Ask every few ms until it is so; False where it is not by ``deadline`` (monotonic, s)."""
    while not (met := condition()) and time.monotonic() < deadline:
        time.sleep(_TURN_S)
    return met


def _turn(chain: Chain, strikes: Strikes) -> bool:
    strikes.turn()
    chain.watch()
    # Faults that found nothing to strike before the last node ended never will.
    return chain.done and (strikes.over or strikes.only_waiting)


def _settled(chain: Chain, calm: Dump | None) -> bool:
    """Whether roll-ups have caught up with aggregates, and anomalies with those of the calm run."""
    city = "SELECT sum(count) FROM rollup WHERE district = '_city' GROUP BY property, \"window\""
    parts = 'SELECT sum(count) FROM aggregate GROUP BY property, "window"'
    port = chain.influx.port
    if _sums(port, city) != _sums(port, parts):
        return False
    anomalies = dump(port, (RAW, MAIN), only="anomaly").get("anomaly")
    return calm is None or anomalies == calm.get("anomaly")


def _sums(port: int, text: str) -> dict[str, float]:
    return {
        str(series["tags"]): series["values"][0][1]
        for database in (RAW, MAIN)
        for series in query("127.0.0.1", port, database, text)
    }


def _stuck(chain: Chain, patience: float) -> str:
    left = [node for node in chain.nodes if node.exit_code != 0]
    tails = [f"{p.name}:\n{p.tail(12)}" for p in (chain.stream, *left)]
    return f"{len(left)} nodes were not done {patience:.0f} s after the input:\n" + "\n".join(tails)
