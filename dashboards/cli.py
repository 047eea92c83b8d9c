"""``citynerve dashboards``: build the boards, check that they are current, push or show them."""

from pathlib import Path
from typing import Final

import click
from msgspec import field

from citynerve.config import Config, loads
from citynerve.influx.config import ENV as INFLUX_ENV
from citynerve.influx.config import InfluxConfig
from dashboards import alerts, boards
from dashboards.grafana import ENV as GRAFANA_ENV
from dashboards.grafana import Grafana, GrafanaConfig
from dashboards.push import push as push_all
from dashboards.view.cli import preview

_KEYS: Final = {
    "url": "grafana.url",
    "username": "grafana.username",
    "ca": "grafana.ca",
    "influx_url": "influx.url",
    "raw": "influx.raw",
    "main": "influx.main",
}
"""Option -> the setting that it overrides."""


class _Settings(Config):
    """What options and environment say about the two servers."""

    grafana: GrafanaConfig = field(default_factory=GrafanaConfig)
    influx: InfluxConfig = field(default_factory=InfluxConfig)


@click.group()
def dashboards() -> None:
    """Build the Grafana boards, push them, or show them without a Grafana."""


dashboards.add_command(preview)


@dashboards.command()
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=boards.FOLDER,
    help="Folder for the JSON files (default: the project's own).",
)
@click.option(
    "--alerts",
    "rules",
    type=click.Path(dir_okay=False, path_type=Path),
    default=alerts.FILE,
    help="The alert rules' file (default: the project's own).",
)
@click.option("--check", is_flag=True, help="Only see that the files are current.")
def build(out: Path, rules: Path, *, check: bool) -> None:
    """Write every board as JSON, and the alert rules as a provisioning file."""
    what = f"{len(boards.BUILDERS)} boards in {out}, {len(alerts.RULES)} alert rules in {rules}"
    if check:
        boards.check(out)
        alerts.check(rules)
        click.echo(f"current: {what}")
        return
    changed = boards.write(out)
    if alerts.write(rules):
        changed.append(rules)
    for path in changed:
        click.echo(f"wrote {path}")
    if not changed:
        click.echo(f"nothing to do: {what} are current")


@dashboards.command()
@click.option(
    "--url",
    help="Grafana's address (CITYNERVE_GRAFANA_URL) [http://127.0.0.1:3000].",
)
@click.option("--username", help="Instead of a token (CITYNERVE_GRAFANA_USERNAME).")
@click.option("--ca", help="PEM file that verifies Grafana's TLS.")
@click.option("--influx-url", help="InfluxDB as Grafana reaches it (CITYNERVE_INFLUX_URL).")
@click.option("--raw", help="The raw database, if influx.raw is another.")
@click.option("--main", help="The main database, if influx.main is another.")
def push(**options: str | None) -> None:
    """Put folder, data sources, boards and alert rules into a Grafana; safe to repeat.

    Secrets come from the environment only: CITYNERVE_GRAFANA_TOKEN, or CITYNERVE_GRAFANA_PASSWORD
    with a user name; CITYNERVE_INFLUX_TOKEN, or _USERNAME and _PASSWORD, for the data sources.
    """
    given = {_KEYS[name]: value for name, value in options.items() if value is not None}
    known = loads(
        "", _Settings, file="settings", env={**GRAFANA_ENV, **INFLUX_ENV}, overrides=given
    )
    for step in push_all(Grafana(known.grafana), boards.load(), alerts.rules(), known.influx):
        click.echo(f"{step.done:8} {step.kind:12} {step.name}")
