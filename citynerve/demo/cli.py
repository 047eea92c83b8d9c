"""``citynerve demo``."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import click

from citynerve.demo import options
from citynerve.demo.options import Options
from citynerve.errors import ConfigError

T = TypeVar("T")
_PATH = click.Path(path_type=Path)


class _Parsed(click.ParamType[T]):
    """A parameter read by a function that raises ValueError."""

    def __init__(self, name: str, read: Callable[[str], T]) -> None:
        self.name = name
        self._read = read

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> T:
        try:
            return self._read(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


@click.command()
@click.option("--for", "seconds", type=_Parsed("SPAN", options.span), help="Such as 90s or 5m.")
@click.option("--video", type=_PATH, help="Footage for a camera node.")
@click.option("--model", metavar="FILE_OR_NAME", help="The camera's detector (ONNX).")
@click.option(
    "--replay", type=_PATH, multiple=True, help="Recorded files or folders; several may follow."
)
@click.option("--mapping", metavar="FILE_OR_NAME", help="How the replayed columns are read.")
@click.option(
    "--speed",
    type=_Parsed("N|max", options.speed),
    help=f"Recorded over real time. Default: 1 for a video, {options.REPLAY_SPEED:.0f} for files.",
)
@click.option("--until-done", is_flag=True, help="End when all inputs are read and committed.")
@click.option("--nodes", type=click.IntRange(0, 1000), help="Sensor nodes, simulated or replaying.")
@click.option("--report", type=_PATH, help="Write what came of it as JSON.")
@click.option("--dir", "folder", type=_PATH, help="Default: ./run/<UTC time>-<pid>.")
@click.option("--seed", type=int, default=1, show_default=True, help="Of the simulated city.")
@click.argument("more", type=_PATH, nargs=-1, metavar="")
@click.pass_context
def demo(
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

    Exit code: 0 if nothing was lost or doubled and no process died, 1 if not, 2 if it cannot run.
    """
    from citynerve.demo.run import Demo  # noqa: PLC0415 - keeps --help quick

    if more and not replay:
        raise ConfigError(
            "unexpected", file="command line", key=str(more[0]), fix="write --replay before it"
        )
    chosen = Options(replay=(*replay, *more), **wanted)  # type: ignore[arg-type]
    ctx.exit(0 if Demo(chosen, click.echo).run() else 1)
