"""What queries give and transformations change: tables of columns, before any looks.

A table is Grafana's data frame on its way; :mod:`dashboards.view.looks` makes of it the
:class:`~dashboards.view.frames.Frame` that is drawn.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from dashboards.view.frames import Kind, Value

VALUE: Final = "Value"
"""How the data source names the value of a series; people see its title instead."""

TIME: Final = "Time"
"""How the data source names every time column."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    Attributes:
        name: The field's name.
        kind: Of its values.
        values: Time as ms since 1970 UTC.
        labels: The tags of its series; None where it is of no series.
        given: The title that the data source gives it; None: it has none.
        unit: Of a column that a transformation made; None: as its field says.
    """

    name: str
    kind: Kind
    values: Sequence[Value]
    labels: Mapping[str, str] | None = None
    given: str | None = None
    unit: str | None = None

    def taken(self, rows: Sequence[int]) -> "Column":
        """The column with only these rows, in their order."""
        return replace(self, values=[self.values[row] for row in rows])


@dataclass(frozen=True, slots=True)
class Table:
    """Columns of one length; ``ref`` is the query's, ``name`` its series'."""

    ref: str
    columns: Sequence[Column] = field(default_factory=tuple)
    name: str = ""

    @property
    def length(self) -> int:
        """How many rows it has."""
        return len(self.columns[0].values) if self.columns else 0

    def with_columns(self, columns: Sequence[Column]) -> "Table":
        """The same table with other columns."""
        return replace(self, columns=tuple(columns))

    def taken(self, rows: Sequence[int]) -> "Table":
        """The table with only these rows, in their order."""
        return self.with_columns([column.taken(rows) for column in self.columns])

    def rows(self) -> list[tuple[Value, ...]]:
        """Row by row."""
        return list(zip(*(column.values for column in self.columns), strict=True))


def titles(tables: Sequence[Table]) -> list[list[str]]:
    """What people read as each column's name, a list a table.

    Grafana's rule: the data source's title; else the table's name where tables have several names,
    the column's name, and its labels (only the label's value where all tables have just that one);
    equal names of a table are numbered from 1.
    """
    differ = len({table.name for table in tables}) > 1
    keys = {key for table in tables for column in table.columns for key in column.labels or ()}
    only = next(iter(keys)) if len(keys) == 1 else None
    return [
        [_title(column, table, only, differ=differ) for column in table.columns] for table in tables
    ]


def title(column: Column, table: Table, tables: Sequence[Table]) -> str:
    """What people read as the name of one column; see :func:`titles`."""
    where = next(i for i, other in enumerate(tables) if other is table)
    place = next(i for i, other in enumerate(table.columns) if other is column)
    return titles(tables)[where][place]


def labels_text(labels: Mapping[str, str]) -> str:
    """Labels as Grafana writes them.

    >>> labels_text({"b": "2", "a": "1"})
    '{a="1", b="2"}'
    """
    inside = ", ".join(f'{key}="{labels[key]}"' for key in sorted(labels))
    return f"{{{inside}}}" if inside else ""


def _title(column: Column, table: Table, only: str | None, *, differ: bool) -> str:
    if column.given is not None:
        return column.given
    if column.kind == "time" and not column.labels:
        return column.name or TIME
    parts = [table.name] if differ and table.name else []
    if column.name and column.name != VALUE:
        parts.append(column.name)
    label = ""
    if column.labels:
        label = column.labels.get(only, "") if only else labels_text(column.labels)
        parts.extend([label] if label else [])
    if not label and not (differ and table.name) and column.name == VALUE and table.name:
        parts.append(table.name)
    found = " ".join(parts) or column.name or VALUE
    return _numbered(column, table) if found == column.name else found


def _numbered(column: Column, table: Table) -> str:
    same = [other for other in table.columns if other.name == column.name]
    if len(same) == 1:
        return column.name
    return f"{column.name} {next(i for i, other in enumerate(same, 1) if other is column)}"
