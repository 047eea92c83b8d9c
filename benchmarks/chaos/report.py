"""What is said of two runs: a table for people, a JSON object for programs."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from benchmarks.chaos.compare import Difference
from benchmarks.chaos.run import Run
from benchmarks.chaos.truth import Verdict

_SHOWN = 8


@dataclass(frozen=True, slots=True)
class Report:
    """Two runs of one plan, and what the script says of each. Without ``chaos``: the calm alone."""

    seed: int
    faults: int
    calm: Run
    calm_verdict: Verdict
    chaos: Run | None = None
    chaos_verdict: Verdict | None = None
    differences: Mapping[str, Difference] | None = None

    @property
    def good(self) -> bool:
        """Nothing lost, doubled or different, no defect, and every fault has struck."""
        calm = self.calm_verdict.good and not self.calm.defects
        if self.chaos is None or self.chaos_verdict is None or self.differences is None:
            return calm
        return (
            calm
            and self.chaos_verdict.good
            and not self.chaos.defects
            and not self.chaos.unstruck
            and all(difference.equal for difference in self.differences.values())
        )

    def as_json(self) -> dict[str, Any]:
        """All figures, and the first of each kind of deviation."""
        return {
            "good": self.good,
            "seed": self.seed,
            "faults": self.faults,
            "without_faults": _run_json(self.calm, self.calm_verdict),
            "with_faults": self.chaos
            and self.chaos_verdict
            and _run_json(self.chaos, self.chaos_verdict),
            "measurements": {
                name: {
                    "points": difference.expected,
                    "missing": len(difference.missing),
                    "extra": len(difference.extra),
                    "different": len(difference.different),
                }
                for name, difference in (self.differences or {}).items()
            },
        }

    def as_text(self) -> str:
        """For people."""
        lines = [f"seed {self.seed}"]
        lines += _run_text("without faults", self.calm, self.calm_verdict)
        if self.chaos is not None and self.chaos_verdict is not None:
            lines += _run_text("with faults", self.chaos, self.chaos_verdict)
            struck = sum(self.chaos.struck.values())
            lines.append(f"faults that struck: {struck} of {self.faults}")
            lines += [f"  {n:4d}  {kind}" for kind, n in sorted(self.chaos.struck.items())]
        if self.differences is not None:
            lines += _differences_text(self.differences)
        lines.append("equal, nothing lost, nothing doubled" if self.good else "NOT GOOD")
        return "\n".join(lines)


def _run_json(run: Run, verdict: Verdict) -> dict[str, Any]:
    return {
        "seconds": round(run.seconds, 1),
        "struck": dict(run.struck),
        "unstruck": run.unstruck,
        "starts": run.starts,
        "refused_starts": run.refused_starts,
        "defects": run.defects,
        "observations": verdict.observations,
        "lost": verdict.lost,
        "doubled": verdict.doubled,
        "unexpected": verdict.unexpected,
        "anomalies": dict(verdict.anomalies),
        "problems": verdict.problems[: 4 * _SHOWN],
        "problem_count": len(verdict.problems),
    }


def _run_text(title: str, run: Run, verdict: Verdict) -> list[str]:
    starts = ", ".join(f"{name} {n}" for name, n in run.starts.items())
    kinds = ", ".join(f"{kind} {n}" for kind, n in sorted(verdict.anomalies.items()))
    lines = [
        (
            f"{title}: {run.seconds:.1f} s; {verdict.observations} observations by the script,"
            f" {verdict.lost} lost, {verdict.doubled} doubled, {verdict.unexpected} unexpected"
        ),
        f"  starts: {starts}; refused starts: {run.refused_starts}",
        f"  anomalies: {kinds}",
    ]
    lines += [f"  defect: {defect}" for defect in run.defects]
    lines += [f"  {problem}" for problem in verdict.problems[: 2 * _SHOWN]]
    if len(verdict.problems) > 2 * _SHOWN:
        lines.append(f"  ... and {len(verdict.problems) - 2 * _SHOWN} more")
    return lines


def _differences_text(differences: Mapping[str, Difference]) -> list[str]:
    lines = [f"{'measurement':14} {'points':>8} {'missing':>8} {'extra':>8} {'different':>9}"]
    for name, difference in differences.items():
        lines.append(
            f"{name:14} {difference.expected:8d} {len(difference.missing):8d}"
            f" {len(difference.extra):8d} {len(difference.different):9d}"
        )
        lines += [f"  missing: {key}" for key in difference.missing[:_SHOWN]]
        lines += [f"  extra: {key}" for key in difference.extra[:_SHOWN]]
        lines += [
            f"  different: {key}: {right}, found {wrong}"
            for key, right, wrong in difference.different[:_SHOWN]
        ]
    return lines
