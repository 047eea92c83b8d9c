"""``python -m benchmarks.chaos``: one input without and with faults, and the databases compared."""

import json
import signal
import sys
import tempfile
from pathlib import Path
from typing import NoReturn

import click

from benchmarks.chaos.trial import trial


@click.command()
@click.option("--faults", default=20, show_default=True, type=click.IntRange(0))
@click.option("--seed", default=1, show_default=True, type=int, help="Of the input and the faults.")
@click.option("--nodes", default=4, show_default=True, type=click.IntRange(2))
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1, 16))
@click.option("--influxd", type=click.Path(exists=True), help="Of an InfluxDB 1.x.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on the last line.")
@click.option(
    "--dir", "folder", type=click.Path(path_type=Path), help="Kept; a new one by default."
)
@click.option("--faultless", is_flag=True, help="Only the run without faults, against the script.")
def main(
    *,
    faults: int,
    seed: int,
    nodes: int,
    workers: int,
    influxd: str | None,
    as_json: bool,
    folder: Path | None,
    faultless: bool,
) -> None:
    """Kill processes and cut links at random; the database must not show it."""
    if folder is None:
        folder = Path(tempfile.mkdtemp(prefix="citynerve-chaos-"))
    elif folder.exists() and any(folder.iterdir()):
        raise click.BadParameter(f"{folder} is not empty", param_hint="--dir")
    signal.signal(signal.SIGTERM, _end)
    report = trial(
        folder.resolve(),
        seed=seed,
        faults=faults,
        nodes=nodes,
        workers=workers,
        influxd=influxd,
        faultless=faultless,
        tell=lambda text: click.echo(text, err=True),
    )
    click.echo(report.as_text())
    if as_json:
        click.echo(json.dumps(report.as_json()))
    sys.exit(0 if report.good else 1)


def _end(number: int, _frame: object) -> NoReturn:
    # Through the with blocks, which end every process.
    raise SystemExit(128 + number)


if __name__ == "__main__":
    main()
