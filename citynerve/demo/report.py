"""What a demo leaves behind: one JSON file for programs, a few lines for people."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import msgspec

from citynerve.demo import scorecard
from citynerve.demo.account import Datastream, of_nodes
from citynerve.demo.process import Process
from citynerve.demo.score import Scorecard
from citynerve.errors import UnavailableError
from citynerve.influx import Influx

NAME = "report.json"
"""In the run's folder."""

_MIB = 1 << 20
_SHOWN = 10
_FIGURES = (
    "read",
    "distinct",
    "repeated",
    "late",
    "sent",
    "unsent",
    "stored",
    "lost",
    "doubled",
)


class ProcessReport(msgspec.Struct, frozen=True):
    """One process: its exit code, CPU seconds, and peak resident memory in MiB."""

    name: str
    pid: int
    code: int | None
    cpu_seconds: float
    peak_memory_mib: float


class Report(msgspec.Struct, kw_only=True):
    """A whole run.

    ``totals`` sums the datastreams. ``remarks``: what nodes could not read, and what the stream
    refused of them. ``ok`` is what the exit code says.
    """

    started: str = ""
    wall_seconds: float = 0.0
    folder: str
    influxdb: str
    nodes: list[str]
    totals: dict[str, int]
    anomalies: dict[str, int]
    scorecard: Scorecard | None = None
    processes: list[ProcessReport] = []
    remarks: list[str] = []
    problems: list[str]
    ok: bool
    datastreams: list[Datastream]


def totals(datastreams: Iterable[Datastream]) -> dict[str, int]:
    """The sum of each figure over all datastreams."""
    every = list(datastreams)
    return {name: sum(getattr(one, name) for one in every) for name in _FIGURES}


def processes(running: Iterable[Process]) -> list[ProcessReport]:
    """What each process used."""
    return [
        ProcessReport(
            name=process.name,
            pid=process.pid,
            code=process.poll(),
            cpu_seconds=round(process.usage().cpu, 2),
            peak_memory_mib=round(process.usage().memory / _MIB, 1),
        )
        for process in running
    ]


def anomalies(influx: Influx, nodes: Iterable[str]) -> dict[str, int]:
    """How many anomalies of each kind InfluxDB holds of these nodes."""
    where = of_nodes(nodes)
    found = influx.query(
        influx.config.main,
        f"SELECT count(score) FROM anomaly WHERE {where} GROUP BY kind",  # noqa: S608 - quoted
    )
    return {series.tags["kind"]: int(series.values[0][1]) for series in found}


def write(report: Report, path: Path) -> None:
    """Write the JSON file.

    Raises:
        UnavailableError: It cannot be written.
    """
    try:
        path.write_bytes(msgspec.json.format(msgspec.json.encode(report), indent=2) + b"\n")
    except OSError as error:
        raise UnavailableError(
            "report", where=str(path), problem=str(error.strerror), fix="name another file"
        ) from error


def read(path: Path) -> Report:
    """Read a JSON file that :func:`write` has written.

    Raises:
        UnavailableError: It cannot be read.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=Report)
    except (OSError, msgspec.DecodeError) as error:
        raise UnavailableError("report", where=str(path), problem=str(error)) from error


def lines(report: Report) -> Sequence[str]:
    """The summary for people."""
    figures = report.totals
    kinds = ", ".join(f"{kind} {count}" for kind, count in sorted(report.anomalies.items()))
    peak = max(report.processes, key=lambda process: process.peak_memory_mib)
    cpu = sum(process.cpu_seconds for process in report.processes)
    inputs = f"{len(report.datastreams)} datastreams of {len(report.nodes)} nodes"
    target = f"into InfluxDB {report.influxdb}, in {report.wall_seconds:.1f} s"
    more = len(report.remarks) - _SHOWN
    return [
        f"{inputs}, {target}",
        *account_lines(figures),
        f"anomalies: {kinds or 'none'}",
        *(scorecard.lines(report.scorecard) if report.scorecard else []),
        f"CPU {cpu:.1f} s; most memory: {peak.name}, {peak.peak_memory_mib:.0f} MiB",
        *(f"remark: {remark}" for remark in report.remarks[:_SHOWN]),
        *([f"remark: {more} more; --report writes them all"] if more > 0 else []),
        *(f"problem: {problem}" for problem in report.problems),
    ]


def account_lines(figures: Mapping[str, int]) -> Sequence[str]:
    """Where every reading went, for people; ``figures`` as :func:`totals` gives them."""
    read = f"read {figures['read']}: {figures['distinct']} distinct, {figures['repeated']} repeated"
    sent = f"sent {figures['sent']}, of them still on the nodes {figures['unsent']}"
    return [
        f"{read}, {figures['late']} late",
        f"{sent}; stored {figures['stored']}",
        f"lost {figures['lost']}, doubled {figures['doubled']}",
    ]
