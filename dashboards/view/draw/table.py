"""Tables: cells with bars, colours and links; and any panel's data as a table."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from msgspec.structs import replace

from dashboards.view import values
from dashboards.view.draw import tokens
from dashboards.view.draw.drawing import NOTHING, Drawing, Look, note, number, visible
from dashboards.view.frames import Field, Frame, PanelData, Value
from dashboards.view.values import Bounds

ROWS: Final = 1_000
"""The most rows of a table of a chart's data; the newest are kept."""

_HEIGHTS: Final = {"sm": "small", "md": "medium", "lg": "large"}
_ALIGNED: Final = {"number": "right", "time": "left", "string": "left", "boolean": "left"}


def draw(panel: Mapping[str, Any], data: PanelData, look: Look) -> Drawing:
    """The panel's chosen frame."""
    options = panel.get("options") or {}
    place = options.get("frameIndex") or 0
    frame = data.frames[place] if place < len(data.frames) else data.frames[0]
    shown = list(visible(frame))
    if not shown:
        return note(look.tr(NOTHING))
    props = rows(frame, shown, look) | {
        "header": options.get("showHeader", True),
        "size": _HEIGHTS.get(options.get("cellHeight") or "sm", "small"),
        "matrix": _shared(shown) is not None,
        "sort": _sort(options.get("sortBy") or (), shown, look),
    }
    return Drawing(kind="table", props=props, summary=_summary(props, look))


def rows(frame: Frame, fields: Sequence[Field], look: Look) -> dict[str, Any]:
    """Columns and rows as the page's table takes them.

    Returns:
        ``columns``: ``title``, ``align``, ``width`` (px, or None). ``rows``: lists of cells:
        ``t`` what is read, ``v`` what is sorted by where it differs, ``c`` colour of the text,
        ``b`` colour of the ground, ``p`` part of a bar with its colour ``k``, ``h`` address, ``l``
        its title.
    """
    length = max((len(field.values) for field in fields), default=0)
    spreads = [values.spread([field]) for field in fields]
    shared = _shared(fields)
    return {
        "columns": [_column(field, look) for field in fields],
        "rows": [
            [
                _cell(frame, field, row, look, shared or spread)
                for field, spread in zip(fields, spreads, strict=True)
            ]
            for row in range(length)
        ],
    }


def alternative(data: PanelData, look: Look) -> Drawing:
    """All frames under each other: which one, then its fields."""
    several = len(data.frames) > 1
    columns: list[str] = []
    cells: list[dict[str, dict[str, Any]]] = []
    aligned: dict[str, str] = {}
    for frame in data.frames:
        fields = [field for field in frame.fields if not field.config.custom.get("hidden")]
        simple = [_plain(field) for field in fields]
        made = rows(frame, simple, look)
        titles = [column["title"] for column in made["columns"]]
        labels = _labels(fields) if several else ""
        for title, column in zip(titles, made["columns"], strict=True):
            aligned.setdefault(title, column["align"])
            if title not in columns:
                columns.append(title)
        for row in made["rows"]:
            named = dict(zip(titles, row, strict=True))
            if labels:
                named[""] = {"t": labels}
            cells.append(named)
    if any("" in row for row in cells):
        columns.insert(0, "")
    left_out = max(0, len(cells) - ROWS)
    props = {
        "columns": [
            {"title": title, "align": aligned.get(title, "left"), "width": None}
            for title in columns
        ],
        "rows": [[row.get(title, {"t": ""}) for title in columns] for row in cells[-ROWS:]],
        "header": True,
        "size": "small",
        "sort": None,
        "more": look.say("{count} earlier rows are not shown.", count=left_out) if left_out else "",
    }
    return Drawing(kind="table", props=props, summary=_summary(props, look))


def _column(field: Field, look: Look) -> dict[str, Any]:
    custom = field.config.custom
    align = custom.get("align")
    if align in {None, "auto"}:
        # A word that stands for a number is read as a word.
        worded = field.kind == "number" and bool(field.config.mappings)
        align = "left" if worded else _ALIGNED[field.kind]
    return {"title": look.title(field), "align": align, "width": custom.get("width")}


def _cell(
    frame: Frame, field: Field, row: int, look: Look, bounds: Bounds | None
) -> dict[str, Any]:
    value = field.values[row] if row < len(field.values) else None
    text = look.shown(value, field)
    cell: dict[str, Any] = {"t": text}
    amount = number(value)
    if amount is not None and plainly(amount) != text:
        cell["v"] = amount
    _paint(cell, field, value, look, bounds)
    links = look.follow(field, frame, row) if value is not None else ()
    if links:
        cell |= {"h": links[0].url, "l": look.tr(links[0].title)}
    return cell


def plainly(amount: float) -> str:
    """A number as JavaScript would read it from a text."""
    return f"{amount:g}"


def _paint(
    cell: dict[str, Any], field: Field, value: Value, look: Look, bounds: Bounds | None
) -> None:
    options = field.config.custom.get("cellOptions") or {}
    style = options.get("type") or "auto"
    if style == "auto" or (value is None and values.mapped(value, field.config) is None):
        return
    color = look.color(value, field, bounds=bounds)
    amount = number(value)
    if style == "gauge" and amount is not None:
        cell |= {"p": values.part(amount, field.config, _from_zero(bounds)), "k": color}
    elif style == "color-background":
        cell |= {"b": color, "c": tokens.on(color)}
    elif style == "color-text":
        cell["c"] = tokens.legible(color, look.theme, tokens.TEXT_CONTRAST)


def _from_zero(bounds: Bounds | None) -> Bounds | None:
    return (min(0.0, bounds[0]), bounds[1]) if bounds else None


def _shared(fields: Sequence[Field]) -> Bounds | None:
    """The bounds of all coloured columns of a matrix, which share one scale; else None."""
    colored = [
        field
        for field in fields
        if field.kind == "number"
        and (field.config.custom.get("cellOptions") or {}).get("type") == "color-background"
        and field.config.color_mode.startswith("continuous-")
    ]
    return values.spread(colored) if len(colored) > 1 else None


def _sort(
    wanted: Sequence[Mapping[str, Any]], fields: Sequence[Field], look: Look
) -> dict[str, Any] | None:
    for one in wanted:
        for place, field in enumerate(fields):
            if one.get("displayName") in {values.title(field), field.name, look.title(field)}:
                return {"column": place, "down": bool(one.get("desc"))}
    return None


def _plain(field: Field) -> Field:
    """A field without bars and colours."""
    bare = {"align": field.config.custom.get("align")}
    return replace(field, config=replace(field.config, custom=bare))


def _labels(fields: Sequence[Field]) -> str:
    found: dict[str, str] = {}
    for field in fields:
        found |= field.labels
    return ", ".join(found.values())


def _summary(props: Mapping[str, Any], look: Look) -> str:
    return look.say(
        "Table of {rows} rows: {columns}",
        rows=len(props["rows"]),
        columns=", ".join(c["title"] for c in props["columns"] if c["title"]),
    )
