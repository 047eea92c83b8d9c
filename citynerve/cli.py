"""The one command line. Each group lives in its part and is imported only when it is called."""

import sys
from typing import Final

import click

from citynerve.errors import USER_ERROR_EXIT, CityNerveError
from citynerve.lazy import LazyGroup
from citynerve.version import VERSION

_GROUPS: Final = {
    "demo": ("citynerve.demo.cli:demo", "Run the whole chain on this machine."),
    "edge": ("edge.cli:edge", "Run and check the agent of one node."),
    "stream": ("stream.cli:stream", "Run and check the stream at the centre."),
    "dashboards": ("dashboards.cli:dashboards", "Build, push and show the boards."),
    "simulate": ("simulators.cli:simulate", "Simulate a city and its cameras; record and replay."),
    "models": ("models.cli:models", "List and check detection models."),
}


@click.group(cls=LazyGroup, table=_GROUPS, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(VERSION, prog_name="citynerve")
def root() -> None:
    """CityNerve: from a city's cameras and sensors to anomalies and incidents."""


def main() -> None:
    """Entry point: foreseen errors become one message and exit code 2."""
    try:
        # Without its standalone mode click returns the code of ctx.exit() instead of exiting.
        code = root.main(standalone_mode=False)
    except CityNerveError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(USER_ERROR_EXIT)
    except click.ClickException as error:
        error.show()
        sys.exit(USER_ERROR_EXIT)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(130)
    sys.exit(code if isinstance(code, int) else 0)
