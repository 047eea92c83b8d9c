"""``python -m models.training``: render, train, export, evaluate."""

import hashlib
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from citynerve.errors import CityNerveError

if TYPE_CHECKING:
    from models.training.samples import Split
    from simulators.scene.look import Light, Weather

_DATA = click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="Folder of the rendered pictures.",
)
_RUN = click.option(
    "--run",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="Folder of the checkpoint.",
)
_SPLIT = click.Choice(["train", "tune", "held-out"])


class _Group(click.Group):
    """Shows our errors as a sentence, not as a traceback."""

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except CityNerveError as error:
            raise click.ClickException(str(error)) from error


@click.group(cls=_Group)
def main() -> None:
    """Train our own detector for simulated scenes anew, and measure it."""


@main.command()
@_DATA
@click.option("--pictures", type=click.IntRange(1), default=3456, show_default=True)
@click.option("--held-out", type=click.IntRange(1), default=864, show_default=True)
@click.option("--only", type=_SPLIT, help="Render this split alone.")
def render(data: Path, pictures: int, held_out: int, only: str | None) -> None:
    """Render the pictures to learn from, and those to measure with."""
    from models.training import samples  # noqa: PLC0415 heavy imports only when needed

    for split in samples.SPLITS:
        if only not in (None, split):
            continue
        wanted = pictures if split == "train" else held_out
        with click.progressbar(length=wanted, label=split) as bar:
            for done in samples.render(data, split, wanted):
                bar.update(done - bar.pos)


@main.command()
@_DATA
@_RUN
@click.option("--steps", type=click.IntRange(1), default=8000, show_default=True)
@click.option("--peak", type=float, default=0.02, show_default=True, help="Learning rate.")
@click.option("--seed", type=int, default=1, show_default=True)
@click.option(
    "--weights",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Begin with the averaged weights of this checkpoint.",
)
def train(data: Path, run: Path, steps: int, peak: float, seed: int, weights: Path | None) -> None:
    """Learn; goes on from the run's checkpoint if it has one."""
    _two_threads()
    from models.training import learning, samples, train  # noqa: PLC0415

    stored = samples.Stored(data, "train")
    run.mkdir(parents=True, exist_ok=True)
    checkpoint = run / "checkpoint.npz"
    if checkpoint.is_file():
        state = train.restore(checkpoint)
    elif weights is not None:
        state = learning.begin(train.restore(weights).average)
    else:
        state = train.fresh(seed)
    began = time.monotonic()
    for report in train.train(
        stored,
        state,
        seed=seed,
        steps=steps,
        peak=peak,
        warm=min(200, steps // 10),
        every=100,
        keep=lambda kept: train.store(checkpoint, kept),
    ):
        click.echo(
            f"step {report.step}: loss {report.total:.3f} (scores {report.scores:.3f}, boxes"
            f" {report.boxes:.3f}), {report.seconds:.0f} s, {time.monotonic() - began:.0f} s in all"
        )


@main.command()
@_DATA
@_RUN
@click.argument("onnx", type=click.Path(dir_okay=False, path_type=Path))
def export(data: Path, run: Path, onnx: Path) -> None:
    """Write the averaged weights of a run's checkpoint as an ONNX file."""
    _two_threads()
    from models.training import export, samples, train  # noqa: PLC0415

    weights = train.restore(run / "checkpoint.npz").average
    moments = train.moments(weights, samples.Stored(data, "train"), seed=0)
    export.write(onnx, train.as_arrays(weights), train.as_arrays(moments))
    digest = hashlib.sha256(onnx.read_bytes()).hexdigest()
    click.echo(f"{onnx}: {onnx.stat().st_size} bytes\nsha256 = {digest}")


@main.command()
@_DATA
@click.argument("name", metavar="MODEL")
@click.option("--split", type=_SPLIT, default="held-out", show_default=True)
def evaluate(data: Path, name: str, split: "Split") -> None:
    """Measure MODEL (a name, a manifest or an ONNX file) on pictures it did not learn from."""
    from models.load import load  # noqa: PLC0415
    from models.training import evaluate, samples  # noqa: PLC0415
    from models.training.network import CLASSES  # noqa: PLC0415

    model = load(name, Path.cwd())
    result = evaluate.evaluate(model, samples.Stored(data, split))
    for line in evaluate.table(result):
        click.echo(line)
    click.echo(f"\nAt score {model.manifest.thresholds.score}:")
    for cls, (precision, recall), objects in zip(
        CLASSES, result.working, result.rows[0].objects, strict=True
    ):
        click.echo(f"  {cls}: precision {precision:.3f}, recall {recall:.3f}, {objects} objects")
    click.echo(f"{result.milliseconds:.1f} ms a picture, one thread")


@main.command()
@click.argument("name", metavar="MODEL")
@click.option("--scene", default="street", show_default=True, help="Name of the scene.")
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--light", default="day", show_default=True)
@click.option("--weather", default="clear", show_default=True)
@click.option("--seconds", type=float, default=60.0, show_default=True)
@click.option("--fps", type=float, default=10.0, show_default=True)
def count(
    name: str, scene: str, seed: int, light: "Light", weather: "Weather", seconds: float, fps: float
) -> None:
    """Let a camera with MODEL count what passes a scene's lines, and compare with the truth."""
    from models.load import load  # noqa: PLC0415
    from models.training import counting  # noqa: PLC0415
    from simulators.scene import Scene  # noqa: PLC0415

    rendered = Scene(scene, seed, 640, 360, fps, light=light, weather=weather)
    counts = counting.count(load(name, Path.cwd()), rendered, seconds)
    click.echo("| line | direction | class | passed | counted |\n|---|---|---|---:|---:|")
    for key in sorted(counts.truth | counts.counted):
        click.echo(f"| {' | '.join(key)} | {counts.truth[key]} | {counts.counted[key]} |")
    click.echo(
        f"\n{counts.truth.total()} passed, {counts.counted.total()} were counted,"
        f" {counts.wrong} wrong by line, direction and class"
    )


def _two_threads() -> None:
    """Leave the rest of the machine alone; must come before JAX is imported."""
    flags = os.environ.get("XLA_FLAGS", "")
    if "intra_op_parallelism_threads" not in flags:
        # XLA takes a value that does not begin with dashes for the name of a file.
        ours = "--xla_cpu_multi_thread_eigen=true intra_op_parallelism_threads=2"
        os.environ["XLA_FLAGS"] = f"{flags} {ours}".strip()


if __name__ == "__main__":
    main()
