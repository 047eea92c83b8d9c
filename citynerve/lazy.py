"""Groups of commands whose modules are imported when a command is called, not to list them."""

import importlib
from collections.abc import Mapping
from typing import Any

import click

Table = Mapping[str, tuple[str, str]]
"""Command name -> (``module:attribute``, one line of help)."""


class LazyGroup(click.Group):
    """A group of commands that stand in a table.

    Args:
        table: The commands, in the order in which they are listed. The line of help stands there so
            that ``--help`` imports none of them.
        settings: As for :class:`click.Group`.
    """

    def __init__(self, *, table: Table, **settings: Any) -> None:  # noqa: ANN401 - click's own
        super().__init__(**settings)
        self._table = table

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands in the order of the table."""
        del ctx
        return list(self._table)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return one command."""
        del ctx
        if cmd_name not in self._table:
            return None
        module, _, attribute = self._table[cmd_name][0].partition(":")
        part = module.partition(".")[0]
        try:
            command = getattr(importlib.import_module(module), attribute)
        except ModuleNotFoundError as error:
            if error.name and error.name.partition(".")[0] == part:
                raise
            extra = "dev" if part == "citynerve" else part
            raise click.ClickException(
                f"'{cmd_name}' needs the package {error.name!r}, which is not installed here\n"
                f"  fix: pip install 'citynerve[{extra}]'"
            ) from error
        if not isinstance(command, click.Command):
            raise TypeError(f"{module}:{attribute} is no command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands from the table."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in self._table.items()])
