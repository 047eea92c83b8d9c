"""Annotations: what a board's annotation queries mark on every time axis.

As in Grafana's InfluxDB data source: columns are named by ``textColumn``, ``tagsColumn``,
``timeEndColumn`` and ``titleColumn``; without the last, the first other column is the title.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec

from citynerve.influx import Series
from dashboards.view.frames import Field, FieldConfig, Frame, Value

_COLOR: Final = "#00d3ff"
"""Grafana's own, where a board names none."""


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """One annotation query of a board; the columns may be empty."""

    name: str
    source: str
    query: str
    color: str
    text: str = ""
    tags: str = ""
    end: str = ""
    title: str = ""


def of_panel(board: Mapping[str, Any], panel: Mapping[str, Any]) -> list[Mark]:
    """The annotation queries that are drawn on a panel."""
    entries = (board.get("annotations") or {}).get("list") or []
    return [
        _mark(entry)
        for entry in entries
        if entry.get("enable", True)
        and (entry.get("target") or {}).get("query")
        and _is_meant(entry.get("filter"), panel)
    ]


def frame(mark: Mark, answer: Sequence[Series]) -> Frame:
    """What a query gave, as the fields ``time``, ``timeEnd``, ``title``, ``text`` and ``tags``.

    The field ``time`` carries the annotation's colour.
    """
    rows = sorted(_rows(mark, answer), key=lambda row: row[0])
    columns: list[list[Value]] = [list(column) for column in zip(*rows, strict=True)] or [
        [] for _ in range(5)
    ]
    looks = FieldConfig(color_mode="fixed", fixed_color=mark.color)
    return Frame(
        ref=mark.name,
        fields=[
            Field(name="time", kind="time", values=columns[0], config=looks),
            Field(name="timeEnd", kind="time", values=columns[1]),
            Field(name="title", kind="string", values=columns[2]),
            Field(name="text", kind="string", values=columns[3]),
            Field(name="tags", kind="string", values=columns[4]),
        ],
    )


def _mark(entry: Mapping[str, Any]) -> Mark:
    target = entry["target"]
    return Mark(
        name=entry["name"],
        source=(entry.get("datasource") or {}).get("uid", ""),
        query=target["query"],
        color=entry.get("iconColor") or _COLOR,
        text=target.get("textColumn") or "",
        tags=target.get("tagsColumn") or "",
        end=target.get("timeEndColumn") or "",
        title=target.get("titleColumn") or "",
    )


def _is_meant(wanted: Mapping[str, Any] | None, panel: Mapping[str, Any]) -> bool:
    if not wanted:
        return True
    return (panel.get("id") in (wanted.get("ids") or ())) is not bool(wanted.get("exclude"))


def _rows(mark: Mark, answer: Sequence[Series]) -> Iterator[tuple[int, Value, str, str, str]]:
    for series in answer:
        at = series.columns.index("time") if "time" in series.columns else -1
        named = {mark.text, mark.tags, mark.end, "time", "sequence_number"}
        title = mark.title or next((name for name in series.columns if name not in named), "")
        for row in series.values if at >= 0 else ():
            cells = {**series.tags, **dict(zip(series.columns, row, strict=True))}
            end = cells.get(mark.end)
            tags = [_said(cells.get(name.strip())) for name in mark.tags.split(",")]
            yield (
                int(row[at]),
                int(end) if isinstance(end, int | float) else None,
                _said(cells.get(title)) or mark.name,
                _said(cells.get(mark.text)),
                ", ".join(tag for tag in tags if tag),
            )


def _said(value: object) -> str:
    return "" if value is None else str(value)
