"""``citynerve simulate record``, ``replay`` and ``info``."""

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from citynerve import log
from citynerve.errors import ConfigError
from citynerve.parameters import Parsed, Speed, moment, span
from simulators.command import (
    broker,
    broker_options,
    milliseconds,
    speed_option,
    stop_on_signals,
)

if TYPE_CHECKING:
    from simulators.recording.replay import Replay
    from simulators.recording.times import Times
    from simulators.recording.writer import Tally

_PATH = click.Path(path_type=Path)
_TOLD_S = 10.0


class _Progress:
    """One line that is written over on a terminal, else one every ten seconds."""

    def __init__(self) -> None:
        self._terminal = sys.stderr.isatty()
        self._next = 0.0

    def due(self) -> bool:
        """Whether it is time for another."""
        return time.monotonic() >= self._next

    def tell(self, line: str) -> None:
        """Write it."""
        self._next = time.monotonic() + (1.0 if self._terminal else _TOLD_S)
        if self._terminal:
            click.echo(f"\r\x1b[K{line}", nl=False, err=True)
        else:
            click.echo(line, err=True)

    def end(self) -> None:
        """Leave the line."""
        if self._terminal:
            click.echo("", err=True)


@click.command()
@click.option(
    "--out", type=_PATH, required=True, help="A file (.mcap), or a folder for parts named by time."
)
@broker_options
@click.option("--topics", multiple=True, help="Filter below the root, such as obs/#.")
@click.option(
    "--rotate-mb", type=click.FloatRange(min=0.001), help="Begin another part this large."
)
@click.option("--rotate-every", type=Parsed("SPAN", span), help="And this old, such as 1h.")
@click.option("--for", "length", type=Parsed("SPAN", span), help="End after so long.")
def record(
    out: Path,
    *,
    topics: tuple[str, ...],
    rotate_mb: float | None,
    rotate_every: float | None,
    length: float | None,
    **given: str | None,
) -> None:
    """Record what nodes and stream say over MQTT, in MCAP.

    Ends on Ctrl-C or SIGTERM, or when --for is over. What was heard a second ago can be read even
    if the process is killed. A recording writes over no file.
    """
    from simulators.recording.record import Recorder, Wanted  # noqa: PLC0415 - --help stays quick

    log.configure("warning")
    for topic in topics:
        _check_filter(topic)
    recorder = Recorder(
        Wanted(
            broker(**given),
            out,
            topics or ("#",),
            None if rotate_mb is None else round(rotate_mb * 1_000_000),
            milliseconds(rotate_every),
            milliseconds(length),
        )
    )
    stop_on_signals(recorder.stop)
    progress = _Progress()
    before = [0.0, 0]

    def tell(tally: "Tally", seconds: float) -> None:
        if progress.due():
            rate = (tally.messages - before[1]) / max(seconds - before[0], 1e-9)
            before[:] = [seconds, tally.messages]
            progress.tell(
                f"{seconds:6.0f} s  {tally.messages} messages, {tally.bytes / 1e6:.1f} MB,"
                f" {rate:.0f} a second{_blemishes(tally)}"
            )

    outcome = recorder.run(tell)
    progress.end()
    tally = outcome.tally
    names = ", ".join(str(part) for part in outcome.parts[:3])
    more = f" and {len(outcome.parts) - 3} more" if len(outcome.parts) > 3 else ""  # noqa: PLR2004
    click.echo(
        f"recorded {tally.messages} messages ({tally.retained} of them kept by the broker before),"
        f" {tally.bytes / 1e6:.1f} MB, in {outcome.seconds:.0f} s{_blemishes(tally)}: {names}{more}"
    )


def _blemishes(tally: "Tally") -> str:
    gaps = f", {len(tally.gaps)} gaps" if tally.gaps else ""
    return gaps + (f", {tally.unreadable} unreadable" if tally.unreadable else "")


def _check_filter(topic: str) -> None:
    levels = topic.split("/")
    inside = any(set(level) & set("#+") and len(level) > 1 for level in levels)
    if "" in levels or inside or "#" in levels[:-1]:
        raise ConfigError(
            "is no filter below the root",
            file="command line",
            key="--topics",
            value=topic,
            fix="write such as '#', 'obs/#' or 'status/+'",
        )


@click.command()
@click.argument("paths", type=_PATH, nargs=-1, required=True, metavar="PATH...")
@broker_options
@speed_option("Recorded over real time.")
@click.option("--from", "start", type=Parsed("ISO", moment), help="Play from this moment on.")
@click.option("--until", "end", type=Parsed("ISO", moment), help="Play up to this moment.")
@click.option("--node", "nodes", multiple=True, metavar="GLOB", help="Only these nodes.")
@click.option(
    "--property", "properties", multiple=True, metavar="GLOB", help="Only these, or event types."
)
@click.option("--loop", is_flag=True, help="Begin again at the end; times go on.")
@click.option(
    "--times",
    type=click.Choice(["kept", "now"]),
    default="kept",
    show_default=True,
    help="As recorded, or moved to the present.",
)
@click.option(
    "--rename", multiple=True, metavar="PREFIX|OLD=NEW", help="Play under other names of nodes."
)
@click.option("--area", help="Where nodes stand that the recording does not place.")
@click.option("--mapping", metavar="FILE_OR_NAME", help="Of CSV and NDJSON: how columns are read.")
@click.option(
    "--dir", "folder", type=_PATH, help="What must survive a crash. Default: below ./run, removed."
)
@click.option("--anew", is_flag=True, help="Forget what an interrupted replay left in --dir.")
@click.option("--until-done", is_flag=True, help="End when all is committed by the stream.")
def replay(  # noqa: PLR0913 - one for each option
    paths: tuple[Path, ...],
    *,
    pace: Speed,
    start: int | None,
    end: int | None,
    nodes: tuple[str, ...],
    properties: tuple[str, ...],
    loop: bool,
    times: "Times",
    rename: tuple[str, ...],
    area: str | None,
    mapping: str | None,
    folder: Path | None,
    anew: bool,
    until_done: bool,
    **given: str | None,
) -> None:
    """Play recordings (MCAP, CSV, NDJSON) through a broker to a stream.

    MCAP: as the nodes in it, each with a new term. CSV and NDJSON: as one node, named after the
    first file. Killed and started again with the same arguments, it goes on where it was.
    """
    from simulators.recording import tables  # noqa: PLC0415 - --help stays quick
    from simulators.recording.reader import is_recording  # noqa: PLC0415
    from simulators.recording.replay import Replay, Wish  # noqa: PLC0415
    from simulators.recording.survey import Window  # noqa: PLC0415

    log.configure("warning")
    mqtt = broker(**given)
    if end is not None and start is not None and end <= start:
        raise ConfigError(
            "ends before it begins", file="command line", key="--until", fix="write a later moment"
        )
    usual = Window()
    wish = Wish(
        paths,
        mqtt,
        speed=pace,
        window=Window(usual.start if start is None else start, usual.end if end is None else end),
        nodes=nodes,
        properties=properties,
        loop=loop,
        times=times,
        rename=rename,
        area=area,
        folder=folder,
        until_done=until_done,
        anew=anew,
    )
    kinds = {is_recording(path) for path in paths}
    if len(kinds) > 1:
        raise ConfigError(
            "MCAP and other files are not played at once",
            file="command line",
            key="PATH",
            fix="replay them one after the other, or in two processes",
        )
    if kinds == {False}:
        tables.play(wish, mapping, click.echo, stop_on_signals)
        return
    if mapping is not None:
        raise ConfigError(
            "a recording in MCAP needs no mapping",
            file="command line",
            key="--mapping",
            value=mapping,
            fix="leave it out",
        )
    _play(Replay(wish))


def _play(playing: "Replay") -> None:
    from simulators.recording import told  # noqa: PLC0415 - --help stays quick

    stop_on_signals(playing.stop)
    for line in told.before(playing):
        click.echo(line)
    progress = _Progress()
    began = time.monotonic()

    def tell(playing: "Replay") -> None:
        if progress.due():
            progress.tell(told.progress(playing, time.monotonic() - began))

    outcome = playing.run(tell)
    progress.end()
    for line in told.after(playing, outcome, time.monotonic() - began):
        click.echo(line)
    if outcome.failures:
        sys.exit(1)


@click.command()
@click.argument("paths", type=_PATH, nargs=-1, required=True, metavar="FILE...")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.option("--datastreams", is_flag=True, help="Each datastream on a line of its own.")
@click.option(
    "--repair", type=_PATH, metavar="OUT", help="Also write what can be read of it to a whole file."
)
def info(paths: Sequence[Path], *, as_json: bool, datastreams: bool, repair: Path | None) -> None:
    """Tell what is in a recording: span, nodes, datastreams, gaps, and whether it is whole."""
    from simulators.recording.info import look  # noqa: PLC0415 - --help stays quick

    if repair is not None:
        from simulators.recording.repair import repair as mend  # noqa: PLC0415

        count = mend(paths, repair)
        click.echo(f"{count} messages are in {repair}", err=True)
    found = look(paths)
    click.echo(found.as_json() if as_json else found.as_text(datastreams=datastreams))
