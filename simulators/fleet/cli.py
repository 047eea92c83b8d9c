"""``citynerve simulate city``."""

import re
from pathlib import Path

import click

from citynerve import log
from citynerve.parameters import Parsed, Speed, moment, span
from simulators.command import (
    broker,
    broker_options,
    milliseconds,
    speed_option,
    stop_on_signals,
)

_DIR = click.Path(file_okay=False, path_type=Path)


def _suffix(text: str) -> str:
    if not re.fullmatch(r"[a-z0-9-]{0,40}", text):
        raise ValueError(f"{text!r} cannot end a node's id: write a-z, 0-9 and -, at most 40")
    return text


@click.command()
@click.option(
    "--dir", "folder", type=_DIR, required=True, help="The run's folder; made if missing."
)
@click.option("--nodes", type=click.IntRange(min=1), help="How many. Default: 100.")
@click.option("--seed", type=int, help="Of streets, nodes, values and incidents. Default: 1.")
@speed_option("Simulated over real time; never ahead of the clock.")
@click.option(
    "--start",
    type=Parsed("ISO", moment),
    help="When simulated time starts. Default: now, or so long ago as --for says if it is faster.",
)
@click.option("--history", type=Parsed("SPAN", span), help="Before it, given at once, such as 2d.")
@click.option("--for", "length", type=Parsed("SPAN", span), help="Simulated time, such as 10m.")
@click.option(
    "--until-done",
    is_flag=True,
    help="End when all is committed by the stream; without --for, up to now.",
)
@click.option("--interval", type=Parsed("SPAN", span), help="Between readings. Default: as usual.")
@click.option("--rate", type=click.FloatRange(min=0), help="Incidents drawn a day.")
@click.option("--suffix", type=Parsed("TEXT", _suffix), help="Ends each node's id, such as -b.")
@broker_options
@click.option("--report", type=click.Path(dir_okay=False, path_type=Path), help="JSON, at the end.")
def city(  # noqa: PLR0913 - one for each option
    folder: Path,
    *,
    nodes: int | None,
    seed: int | None,
    pace: Speed,
    start: int | None,
    history: float | None,
    length: float | None,
    until_done: bool,
    interval: float | None,
    rate: float | None,
    suffix: str | None,
    report: Path | None,
    **given: str | None,
) -> None:
    """Run a simulated city: its nodes as real edge agents, in this process.

    DIR gets the city's map (city.geojson), what really happened (truth.ndjson), and a folder for
    each node with its configuration and spool. Ends on Ctrl-C or SIGTERM, when --for is over, or
    with --until-done when all is committed. Started again on the same DIR it goes on where it was,
    whatever ended it.
    """
    from simulators.fleet.run import Wish  # noqa: PLC0415 - --help stays quick
    from simulators.fleet.session import Session  # noqa: PLC0415

    log.configure("warning")
    wish = Wish(
        nodes=nodes,
        seed=seed,
        start=start,
        history=milliseconds(history),
        length=milliseconds(length),
        interval=milliseconds(interval),
        rate=rate,
        suffix=suffix,
    )
    mqtt = broker(**given)
    session = Session(folder.resolve(), wish, mqtt=mqtt, speed=pace, until_done=until_done)

    stop_on_signals(session.stop)
    session.run(click.echo, report)
