"""``citynerve dashboards preview``: the boards in a browser, without a Grafana."""

from contextlib import closing
from pathlib import Path
from typing import Any, Final

import click
from msgspec import field

from citynerve.config import Config, loads
from citynerve.errors import ConfigError, UnavailableError
from citynerve.influx.config import ENV, InfluxConfig

_KEYS: Final = {"influx_url": "influx.url", "raw": "influx.raw", "main": "influx.main"}
"""Option -> the setting that it overrides."""

# They need not be there yet: whoever makes them may be starting just now.
_FILE: Final = click.Path(dir_okay=False, path_type=Path)


class _Connection(Config):
    influx: InfluxConfig = field(default_factory=InfluxConfig)


@click.command()
@click.option("--influx-url", help="InfluxDB (CITYNERVE_INFLUX_URL) [http://127.0.0.1:8086].")
@click.option("--raw", help="The raw database, if influx.raw is another.")
@click.option("--main", help="The main database, if influx.main is another.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Where to listen.")
@click.option("--port", type=click.IntRange(0, 65_535), default=0, help="0: any free one.")
@click.option("--geojson", type=_FILE, help="The city's streets, drawn on maps.")
@click.option(
    "--cameras",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of the cameras' previews (camera.preview of their nodes).",
)
@click.option("--truth", type=_FILE, help="A simulated city's incidents, marked on time axes.")
@click.option("--time", "shown", help="What boards open with, such as now-1h..now.")
@click.option("--language", type=click.Choice(["en", "zh"]), help="[default: the browser's]")
@click.option("--tiles", help="URL of map tiles, https://HOST/{z}/{x}/{y}.png [default: none].")
@click.option("--no-browser", is_flag=True, help="Only print the address.")
@click.option(
    "--ready-file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Gets the address as soon as pages are served.",
)
def preview(**options: Any) -> None:  # noqa: ANN401 - click's own
    """Show the boards in a browser, without a Grafana.

    Everything comes from InfluxDB and this machine; nothing is loaded from the internet, unless
    --tiles says so. Secrets come from the environment only: CITYNERVE_INFLUX_TOKEN, or _USERNAME
    and _PASSWORD.
    """
    from dashboards.view import asking, spans  # noqa: PLC0415 - all of it only when it runs
    from dashboards.view.connection import Connection  # noqa: PLC0415
    from dashboards.view.settings import Settings  # noqa: PLC0415

    settings = Settings(
        host=options["host"],
        port=options["port"],
        geojson=options["geojson"],
        cameras=options["cameras"],
        truth=options["truth"],
        window=spans.window(options["shown"]) if options["shown"] else None,
        language=options["language"],
        tiles=_tiles(options["tiles"]),
        browser=not options["no_browser"],
        ready=options["ready_file"],
    )
    given = {_KEYS[name]: options[name] for name in _KEYS if options[name] is not None}
    config = loads("", _Connection, file="settings", env=ENV, overrides=given).influx
    with closing(Connection(config, asking.PATIENCE_S, asking.THREADS)) as influx:
        try:
            influx.open()
        except UnavailableError as error:
            click.echo(f"{error}\nThe boards say so until it answers.", err=True)
        # What is wrong with the settings has been said by now: this takes a second.
        from dashboards import boards  # noqa: PLC0415
        from dashboards.view import engine, server, truth  # noqa: PLC0415

        incidents = truth.Truth(settings.truth) if settings.truth else None
        by_uid = {board["uid"]: board for board in boards.load().values()}
        with engine.Engine(asking.of_influx(influx), incidents) as running:
            server.serve(settings, running, by_uid, click.echo)


def _tiles(url: str | None) -> str | None:
    if url and not (url.startswith(("https://", "http://")) and "{z}" in url):
        raise ConfigError(
            "not a URL of map tiles",
            key="--tiles",
            value=url,
            fix="write https://HOST/{z}/{x}/{y}.png",
        )
    return url
