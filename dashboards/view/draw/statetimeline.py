"""States over time: one row a series, one block for as long as a state lasts."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from dashboards.view import values
from dashboards.view.draw import axes, tokens
from dashboards.view.draw.drawing import BLANK, NOTHING, Drawing, Look, note, time_of, visible
from dashboards.view.frames import Field, Frame, PanelData, Value


class Block(NamedTuple):
    """A state and how long it lasted, in ms since 1970 UTC."""

    start: float
    end: float
    value: Value


def draw(panel: Mapping[str, Any], data: PanelData, look: Look) -> Drawing:
    """The option of a chart whose blocks the page's chart knows how to draw."""
    options = panel.get("options") or {}
    merged = options.get("mergeValues", True)
    found = [
        (look.title(field), field, list(blocks(field, times, look.span.end, merged=merged)))
        for _, field, times in _fields(data.frames)
    ]
    if not found:
        return note(look.tr(NOTHING))
    states: list[dict[str, Any]] = []
    said: dict[str, str] = {}
    for row, (_, field, spans) in enumerate(found):
        bounds = values.spread([field])
        for block in spans:
            color = look.color(block.value, field, row, bounds)
            text = look.shown(block.value, field)
            states.append(
                {
                    "value": [row, block.start, block.end],
                    "text": text,
                    "color": color,
                    "ink": tokens.on(color),
                }
            )
            said.setdefault(text, color)
    option = axes.base(look) | {
        "xAxis": axes.time_axis(look),
        "yAxis": [axes.category_axis(look, [name for name, *_ in found]) | {"inverse": True}],
        "series": [
            {
                "type": "custom",
                "draws": "states",
                "id": "states",
                "labels": options.get("showValue", "auto") != "never",
                "height": options.get("rowHeight") or 0.8,
                "data": states,
                "encode": {"x": [1, 2], "y": 0},
                "clip": True,
            }
        ],
    }
    option["tooltip"] = {"show": True, "trigger": "item"}
    option["yAxis"][0]["axisPointer"] = {"show": False}
    props = {
        "option": option,
        "own": {
            "axes": [None],
            "series": [],
            "tooltip": {"mode": "single", "sort": None},
            "legend": None,
            "key": [{"text": text, "color": color} for text, color in said.items()],
            "marks": [],
            "time": True,
        },
    }
    return Drawing(kind="chart", props=props, summary=_summary(found, look))


def blocks(field: Field, times: Field, end: float, *, merged: bool = True) -> Iterator[Block]:
    """A field's states one after the other; the last lasts until ``end``.

    Equal neighbours are one block where ``merged``; where there is nothing there is no block,
    unless the field spans it.
    """
    spanned = bool(field.config.custom.get("spanNulls"))
    open_block: Block | None = None
    for at, value in zip(times.values, field.values, strict=True):
        if not isinstance(at, int | float) or (value is None and spanned):
            continue
        if open_block is not None:
            if merged and value == open_block.value:
                continue
            yield open_block._replace(end=at)
        open_block = None if value is None else Block(at, end, value)
    if open_block is not None:
        yield open_block._replace(end=max(end, open_block.start))


def _fields(frames: Sequence[Frame]) -> Iterator[tuple[Frame, Field, Field]]:
    for frame in frames:
        times = time_of(frame)
        for field in visible(frame):
            if times is not None and field.kind != "time":
                yield frame, field, times


def _summary(found: Sequence[tuple[str, Field, Sequence[Block]]], look: Look) -> str:
    return "; ".join(
        look.say(
            "{name}: now {state}",
            name=name,
            state=look.shown(spans[-1].value, field) if spans else BLANK,
        )
        for name, field, spans in found
    )
