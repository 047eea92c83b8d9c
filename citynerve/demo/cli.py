"""``citynerve demo``."""

from pathlib import Path

import click

from citynerve.demo.options import REPLAY_SPEED, Options
from citynerve.errors import ConfigError
from citynerve.parameters import Parsed, span, speed

_PATH = click.Path(path_type=Path)


class DefaultGroup(click.Group):
    """A group whose command ``default`` is meant where none is named."""

    default = "run"

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the default's name before its options."""
        if not args or args[0] not in self.commands:
            args = [self.default, *args]
        return super().parse_args(ctx, args)


@click.group(cls=DefaultGroup)
def demo() -> None:
    """Run the whole chain on this machine, or look at a run."""


@demo.command()
@click.argument("folder", type=_PATH, required=False, metavar="[DIR]")
def status(folder: Path | None) -> None:
    """Where every reading of a running demo went, and how right it was so far.

    DIR is the run's folder; without it, the run that was begun last.
    """
    from citynerve.demo import status as of_run  # noqa: PLC0415 - keeps --help quick

    for line in of_run.lines(folder):
        click.echo(line)


@demo.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--for", "seconds", type=Parsed("SPAN", span), help="Such as 90s or 5m.")
@click.option("--video", type=_PATH, help="Footage for a camera node.")
@click.option("--model", metavar="FILE_OR_NAME", help="The camera's detector (ONNX).")
@click.option(
    "--replay", type=_PATH, multiple=True, help="Recorded files or folders; several may follow."
)
@click.option("--mapping", metavar="FILE_OR_NAME", help="How the replayed columns are read.")
@click.option(
    "--speed",
    type=Parsed("N|max", speed),
    help=f"Recorded over real time. Default: 1 for a video, {REPLAY_SPEED:.0f} for files.",
)
@click.option("--until-done", is_flag=True, help="End when all inputs are read and committed.")
@click.option("--nodes", type=click.IntRange(0, 1000), help="Sensor nodes, simulated or replaying.")
@click.option("--report", type=_PATH, help="Write what came of it as JSON.")
@click.option("--dir", "folder", type=_PATH, help="Default: ./run/<UTC time>-<pid>.")
@click.option("--headless", is_flag=True, help="Open no browser; the page is served all the same.")
@click.option("--seed", type=int, default=1, show_default=True, help="Of the simulated city.")
@click.argument("more", type=_PATH, nargs=-1, metavar="")
@click.pass_context
def run(
    ctx: click.Context,
    /,
    replay: tuple[Path, ...],
    more: tuple[Path, ...],
    **wanted: object,
) -> None:
    """Run the whole chain on this machine: broker, database, stream and nodes.

    Without inputs, a small simulated city. CITYNERVE_MQTT_URL and CITYNERVE_INFLUX_URL (with
    _TOKEN, _ORG, _USERNAME, _PASSWORD) name servers to use instead of own ones; CITYNERVE_INFLUXD
    is the influxd to start where it is not the one on PATH.

    While it runs, and after: citynerve demo status.

    Exit code: 0 if nothing was lost or doubled and no process died, 1 if not, 2 if it cannot run.
    """
    from citynerve.demo.run import Demo  # noqa: PLC0415 - keeps --help quick

    if more and not replay:
        raise ConfigError(
            "unexpected", file="command line", key=str(more[0]), fix="write --replay before it"
        )
    chosen = Options(replay=(*replay, *more), **wanted)  # type: ignore[arg-type]
    ctx.exit(0 if Demo(chosen, click.echo).run() else 1)
