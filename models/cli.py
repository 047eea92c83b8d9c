"""``citynerve models``: which detectors there are, and whether one works here."""

from pathlib import Path

import click

from citynerve import log
from models.load import Model


@click.group()
def models() -> None:
    """List and check detection models."""
    log.configure("warning")


@models.command("list")
def list_() -> None:
    """The models that a camera's table may name.

    Only our own model's weights are shipped. They are looked for beside the manifest, in the
    current folder and in the folders of CITYNERVE_MODELS.
    """
    from models.tools.check import listed  # noqa: PLC0415 numpy and ONNX Runtime only when needed

    for entry in listed():
        size = entry.manifest.input
        click.echo(
            f"{entry.name}  {entry.manifest.family} {size.width}x{size.height}"
            f"  {entry.manifest.licence or 'licence unknown'}"
        )
        click.echo(f"  weights: {entry.weights or f'not here: {entry.manifest.file}'}")
        if entry.weights is None and entry.manifest.source:
            click.echo(f"  source:  {entry.manifest.source}")


@models.command("check")
@click.argument("names", nargs=-1, required=True, metavar="MODEL...")
@click.option("--threads", type=click.IntRange(1), default=1, help="Inference threads.")
def check_(names: tuple[str, ...], threads: int) -> None:
    """Say what each MODEL is, and run it: a name, a manifest (.toml) or an ONNX file."""
    from models.tools.check import check  # noqa: PLC0415 numpy and ONNX Runtime only when needed

    for name in names:
        result = check(name, Path.cwd(), threads=threads)
        for line in _describe(result.model):
            click.echo(line)
        click.echo(
            f"  runs on:  {result.provider}, {threads} thread(s),"
            f" {result.inference_ms:.1f} ms an inference"
        )
        for provider, reason in result.skipped.items():
            click.echo(f"  not on:   {provider}: {reason}")


def _describe(model: Model) -> list[str]:
    manifest = model.manifest
    size = manifest.input
    classes = ", ".join(manifest.city_classes())
    lines = [
        f"{model.name}: {model.path}",
        f"  family:   {manifest.family}, {len(manifest.label_names())} labels",
        f"  input:    {size.width}x{size.height} {size.colour}, {size.resize}",
        f"  counts:   {classes}",
        f"  sha256:   {model.sha256}" + ("" if manifest.sha256 else " (the manifest names none)"),
        f"  licence:  {manifest.licence or 'unknown'}",
    ]
    if model.graph.weights_in_inputs:
        lines.append(
            f"  note:     {model.graph.weights_in_inputs} weights are listed as inputs; they are"
            " taken out in memory, so that constants are folded"
        )
    return lines
