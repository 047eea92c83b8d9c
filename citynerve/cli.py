"""The one command line. Each group lives in its part and is imported only when it is called."""

import importlib
import sys
from typing import Final

import click

from citynerve.errors import USER_ERROR_EXIT, CityNerveError
from citynerve.version import VERSION

# name -> (module:attribute, one line). The line stands here so that --help imports none of them.
_GROUPS: Final = {
    "demo": ("citynerve.demo.cli:demo", "Run the whole chain on this machine."),
    "edge": ("edge.cli:edge", "Run and check the agent of one node."),
    "stream": ("stream.cli:stream", "Run and check the stream at the centre."),
    "dashboards": ("dashboards.cli:dashboards", "Build the Grafana boards and push them."),
    "models": ("models.cli:models", "List and check detection models."),
}


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called, not to list them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands in the order of the table."""
        del ctx
        return list(_GROUPS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return one command."""
        del ctx
        if cmd_name not in _GROUPS:
            return None
        module, _, attribute = _GROUPS[cmd_name][0].partition(":")
        try:
            command = getattr(importlib.import_module(module), attribute)
        except ModuleNotFoundError as error:
            if error.name and error.name.partition(".")[0] in module:
                raise
            raise click.ClickException(
                f"'{cmd_name}' needs the package {error.name!r}, which is not installed here\n"
                f"  fix: pip install 'citynerve[{cmd_name}]'"
            ) from error
        if not isinstance(command, click.Command):
            raise TypeError(f"{module}:{attribute} is no command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands from the table."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in _GROUPS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
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
