"""What the transformations share: finding columns, and refusing what is not known."""

from collections.abc import Mapping, Sequence
from typing import Any

from citynerve.errors import ConfigError
from dashboards.view.tables import Column, Table


def find(table: Table, titles: Sequence[str], name: str) -> Column | None:
    """The first column with this title or name; ``titles`` are the table's."""
    for column, title in zip(table.columns, titles, strict=True):
        if name in {title, column.name}:
            return column
    return None


def only(options: Mapping[str, Any], known: Sequence[str], transformation: str) -> None:
    """Refuse options that are not understood, since they would change the result.

    Raises:
        ConfigError: There is one; names it.
    """
    for name in options:
        if name not in known:
            raise ConfigError(
                "an option that the local view does not know",
                key=f"transformations.{transformation}.{name}",
                value=options[name],
                fix=f"use only {', '.join(known)}",
            )


def one_of(value: Any, known: Sequence[str], key: str) -> str:  # noqa: ANN401 - from JSON
    """A choice among ``known``.

    Raises:
        ConfigError: It is another.
    """
    if value not in known:
        raise ConfigError(
            "not known to the local view",
            key=f"transformations.{key}",
            value=value,
            fix=f"use one of {', '.join(known)}",
        )
    return str(value)
