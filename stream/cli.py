"""``citynerve stream``."""

import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, cast

import click

from citynerve import log
from citynerve.errors import ConfigError
from stream import config as settings

_OPTIONS: Final = {
    "store": "store.path",
    "mqtt_url": "mqtt.url",
    "influx_url": "influx.url",
    "raw": "storage.raw",
    "retention_days": "storage.retention_days",
    "scenarios": "scenarios.path",
    "epoch_ms": "flow.epoch_ms",
    "workers": "flow.workers",
}

_Given = str | int | tuple[str, ...] | None


@click.group()
def stream() -> None:
    """Run and check the stream at the centre."""


def _settings(command: Any) -> Any:  # noqa: ANN401 - as click types decorators
    """The options that name settings, for a command."""
    options = [
        click.option("--config", "file", type=click.Path(path_type=Path), help="A stream.toml."),
        click.option("--store", help="Folder of the recovery store."),
        click.option("--mqtt-url", help="The broker."),
        click.option("--influx-url", help="The InfluxDB server."),
        click.option("--raw", help="Observations stored one by one: scenario, all or none."),
        click.option("--retention-days", type=int, help="Of raw observations; 0: without end."),
        click.option("--scenarios", help="A folder of scenario packs of yours."),
        click.option("--epoch-ms", type=int, help="Between two commits."),
        click.option("--workers", type=int, help="Threads of the flow."),
        click.option(
            "--set", "more", multiple=True, metavar="KEY=VALUE", help="Any setting: influx.org=town"
        ),
    ]
    for option in reversed(options):
        command = option(command)
    return command


def _read(file: Path | None, given: Mapping[str, _Given]) -> settings.StreamConfig:
    options: dict[str, Any] = {
        key: given[name] for name, key in _OPTIONS.items() if given[name] is not None
    }
    for text in cast("tuple[str, ...]", given["more"]):
        key, equals, value = text.partition("=")
        if not equals or not key:
            raise ConfigError("not a setting", key="--set", value=text, fix="write KEY=VALUE")
        options[key.strip()] = settings.value_of(value)
    return settings.read(file, options)


@stream.command()
@_settings
@click.option("--wait", default=30.0, show_default=True, help="Seconds for the servers to come up.")
@click.option("--take-over", is_flag=True, help="Over the claim of a stream that is gone for good.")
@click.option("--log-level", type=click.Choice(["debug", "info", "warning", "error"]))
def run(
    file: Path | None, wait: float, log_level: log.Level | None, *, take_over: bool, **given: _Given
) -> None:
    """Run the stream until it is told to end (SIGTERM, SIGINT)."""
    log.configure(log_level or "info")
    config = _read(file, given)
    from stream import service  # noqa: PLC0415 - Bytewax and Numba take a second to import

    code = service.run(config, wait=wait, take_over=take_over)
    sys.stdout.flush()
    sys.stderr.flush()
    # The flow's thread is in the middle of something, which the commit protocol is made for.
    os._exit(code)


@stream.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--as", "as_id", help="The id of a lost store, whose place this one takes.")
def init(folder: Path, as_id: str | None) -> None:
    """Make a new recovery store in FOLDER (`run` makes one by itself)."""
    from stream import store  # noqa: PLC0415

    identity = store.create(folder, as_id=as_id)
    click.echo(f"store {identity.id} in {folder}")


@stream.command()
@_settings
@click.option("--wait", default=5.0, show_default=True, help="Seconds for each server to answer.")
def check(file: Path | None, wait: float, **given: _Given) -> None:
    """Check the settings, the scenarios, the store, the broker and InfluxDB, and explain."""
    log.configure("error")
    config = _read(file, given)
    from stream import checks  # noqa: PLC0415

    failures = checks.run(config, time.monotonic() + wait, click.echo)
    if failures:
        raise ConfigError(
            f"{failures} of the checks failed", fix="see the lines marked with a cross"
        )
