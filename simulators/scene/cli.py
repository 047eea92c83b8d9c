"""``citynerve simulate camera``."""

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

import click

from citynerve.errors import ConfigError

if TYPE_CHECKING:
    from simulators.scene.look import Light, Weather

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SCENES: Final = ("street", "crossing", "square")
_SIDES: Final = range(64, 3841)


@click.command()
@click.argument("scene", type=click.Choice(_SCENES))
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True)
@click.option("--seconds", type=click.FloatRange(0, min_open=True), default=30.0, show_default=True)
@click.option("--fps", type=click.FloatRange(0, 60, min_open=True), default=12.5, show_default=True)
@click.option("--size", default="640x360", show_default=True, help="Width x height, pixels.")
@click.option(
    "--light", type=click.Choice(("day", "dusk", "night")), default="day", show_default=True
)
@click.option("--weather", type=click.Choice(("clear", "rain")), default="clear", show_default=True)
@click.option(
    "--start",
    default="2026-05-04T12:00:00+00:00",
    show_default=True,
    help="When the first frame was taken; ISO 8601 with a zone.",
)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help="The video, .mp4 or .avi; its truth goes beside it (.truth.ndjson).",
)
@click.option(
    "--picture",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Also the last frame, with boxes, lines and zones.",
)
def camera(  # noqa: PLR0913, PLR0917 one parameter an option
    scene: str,
    seed: int,
    seconds: float,
    fps: float,
    size: str,
    light: str,
    weather: str,
    start: str,
    out: Path,
    picture: Path | None,
) -> None:
    """Render a street scene as a video, with its truth."""
    from simulators.scene.scene import Scene  # noqa: PLC0415 --help needs no numpy
    from simulators.scene.video import truth_path, write_video  # noqa: PLC0415

    width, height = _size(size)
    made = Scene(
        *(scene, seed, width, height, fps),
        light=cast("Light", light),
        weather=cast("Weather", weather),
    )
    frames = max(1, round(seconds * fps))
    began = _time(start)
    numbers = list(range(frames))
    with click.progressbar(numbers, label="rendering", file=sys.stderr) as bar:
        truth = write_video(made, out, bar, began, picture)
    click.echo(f"{out}: {frames} frames of {size}, {seconds:g} s; truth in {truth_path(out)}")
    for (line, direction, cls), number in sorted(truth.crossings.items()):
        click.echo(f"  line {line}, {direction}: {number} {cls}")
    click.echo(f"  stays in zones: {truth.dwells}")


def _size(text: str) -> tuple[int, int]:
    width, _, height = text.partition("x")
    if not (width.isdigit() and height.isdigit()) or not (
        int(width) in _SIDES and int(height) in _SIDES
    ):
        raise ConfigError(
            "is no size of a picture",
            file="command line",
            key="--size",
            value=text,
            fix=f"write WIDTHxHEIGHT, each from {_SIDES[0]} to {_SIDES[-1]}",
        )
    return int(width), int(height)


def _time(text: str) -> int:
    """Ms since 1970 UTC."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise ConfigError(
            "is no time with a zone",
            file="command line",
            key="--start",
            value=text,
            fix="write it like 2026-05-04T12:00:00+00:00",
        )
    return (found - _EPOCH) // timedelta(milliseconds=1)
