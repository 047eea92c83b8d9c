"""One trial: an input without and with faults, and the two databases compared."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

from benchmarks.chaos.chain import Plan
from benchmarks.chaos.compare import compare
from benchmarks.chaos.faults import schedule
from benchmarks.chaos.report import Report
from benchmarks.chaos.run import play
from benchmarks.chaos.truth import judge

PACE: Final = 120.0
"""Phenomenon time each real time with faults: two minutes a second."""
CALM_PACE: Final = 1200.0
SECONDS_A_FAULT: Final = 3.0
LEAST_SECONDS: Final = 30.0
PATIENCE: Final = 180.0
KINDS: Final = frozenset({"flatline", "gap", "range", "spike"})
"""Of anomaly; the script gives cause for each."""


def trial(
    folder: Path,
    *,
    seed: int,
    faults: int,
    nodes: int,
    workers: int = 1,
    influxd: str | None = None,
    faultless: bool = False,
    tell: Callable[[str], None] = print,
) -> Report:
    """Play the seed's input without and, unless ``faultless``, with faults in ``folder``.

    Args:
        folder: Must not hold an earlier run.
        seed: Of input and faults.
        faults: How many; the input's length follows from it.
        nodes: Edge nodes.
        workers: Of the stream.
        influxd: The program of an InfluxDB 1.x; by default the one on PATH.
        faultless: Only the run without faults, held against the script.
        tell: Gets a sentence at each stage.
    """
    span = int(max(LEAST_SECONDS, faults * SECONDS_A_FAULT) * PACE * 1000)
    calm_plan = Plan(seed, nodes, span, CALM_PACE, workers, influxd)
    scripts = calm_plan.scripts()
    tell(f"without faults, about {calm_plan.seconds:.0f} s, in {folder / 'calm'}")
    calm = play(folder / "calm", calm_plan, patience=PATIENCE)
    calm_verdict = judge(calm.dump, scripts)
    calm_verdict.problems += [
        f"no {kind} among the anomalies: nothing to compare"
        for kind in sorted(KINDS - calm_verdict.anomalies.keys())
    ]
    if faultless:
        return Report(seed, 0, calm, calm_verdict)
    plan = replace(calm_plan, pace=PACE)
    tell(f"with {faults} faults, about {plan.seconds:.0f} s, in {folder / 'chaos'}")
    planned = schedule(seed, faults, plan.seconds, nodes)
    chaos = play(folder / "chaos", plan, planned, patience=PATIENCE + 2 * faults, calm=calm.dump)
    return Report(
        seed,
        faults,
        calm,
        calm_verdict,
        chaos,
        judge(chaos.dump, scripts),
        compare(calm.dump, chaos.dump),
    )
