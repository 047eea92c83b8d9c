"""``citynerve edge``: run and check the agent of one node."""

import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from citynerve import log
from citynerve.clock import now_ms
from citynerve.errors import ConfigError, UnavailableError
from edge.config import load

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge.sensor.driver import Driver, Item

_CHECK_S: Final = 5.0
_CONNECT_S: Final = 5.0
_SHOWN: Final = 5
_config_option = click.option(
    "--config",
    "path",
    type=click.Path(path_type=Path),
    required=True,
    help="The node's TOML file.",
)


@click.group()
def edge() -> None:
    """Run and check the agent of one node."""


@edge.command()
@_config_option
@click.option("--until-done", is_flag=True, help="End when all inputs are read and committed.")
def run(path: Path, *, until_done: bool) -> None:
    """Collect, spool and send until told to stop (SIGTERM or Ctrl-C)."""
    from edge.assembly import assemble  # noqa: PLC0415 - --help stays quick

    config = load(path)
    json = None if config.log.format == "auto" else config.log.format == "json"
    log.configure(config.log.level, json=json)
    agent = assemble(config, path)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: agent.stop())
    agent.run(until_done=until_done)


@edge.command()
@_config_option
@click.argument("name")
def forget(path: Path, name: str) -> None:
    """Have the input NAME (a recording) read from its beginning at the next start.

    What the stream has of it already, it refuses and counts.
    """
    from edge.assembly import open_spool  # noqa: PLC0415 - --help stays quick

    config = load(path)
    spool = open_spool(config, path)
    known = spool.progress.forget(name)
    spool.close()
    if not known:
        raise ConfigError(
            "the spool knows no such input",
            file=str(path),
            key="NAME",
            value=name,
            fix="write its name as in the configuration, or as `citynerve edge check` shows it",
        )
    click.echo(f"{name} begins anew")


@edge.command()
@_config_option
def check(path: Path) -> None:
    """Try the configuration: open each input, read from it, reach the broker."""
    from citynerve.mqtt import Link  # noqa: PLC0415 - --help stays quick
    from edge.about import check_size, describe  # noqa: PLC0415 - --help stays quick
    from edge.assembly import explained, make_drivers  # noqa: PLC0415
    from edge.intake import check_names  # noqa: PLC0415

    log.configure("warning")
    config = load(path)
    with explained(path):
        drivers = make_drivers(config, path.parent)
    check_names(drivers, str(path))
    about = describe(config, drivers)
    check_size(about, str(path))
    click.echo(f"node {config.node.id} in {about.area}, spool {path.parent / config.spool.path}")
    for driver in drivers:
        _check_driver(driver)
    link = Link(config.mqtt, client_id=f"citynerve-{config.node.id}-check")
    link.start()
    try:
        link.wait_connected(_CONNECT_S)
    finally:
        link.stop()
    click.echo(f"broker {config.mqtt.safe_url()}: connected")


def _check_driver(driver: "Driver") -> None:
    driver.open(now_ms())
    try:
        items = _first_items(driver)
        problems = list(driver.problems())
    finally:
        driver.close()
    kind = "resumable" if driver.resumable else "live"
    click.echo(f"input {driver.name} ({kind})")
    for sensor in driver.sensors():
        for prop in sensor.properties:
            click.echo(f"  {sensor.name}/{prop.name} in {prop.unit}, lateness {prop.lateness} ms")
    for item in items[:_SHOWN]:
        click.echo(f"  gives {item}")
    for problem in problems:
        click.echo(f"  problem: {problem}")
    if not items and not driver.finished:
        raise UnavailableError(
            f"a reading of input {driver.name!r}",
            where="its driver",
            problem=f"none came within {_CHECK_S:.0f} s",
            fix="look at the problems above; a slow sensor may just need longer",
        )


def _first_items(driver: "Driver") -> "Sequence[Item]":
    deadline = time.monotonic() + _CHECK_S
    while time.monotonic() < deadline and not driver.finished:
        items = driver.poll(now_ms(), _SHOWN)
        if items:
            return items
        time.sleep(0.05)
    return []
