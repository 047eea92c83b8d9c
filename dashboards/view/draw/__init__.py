"""Frames become drawings: one module a type of panel, all pure functions.

A drawing is what an element of the page takes as it stands: an ECharts option, rows of a table,
layers of a map. Nothing here knows of NiceGUI or asks a database.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from dashboards.view.draw import (
    barchart,
    bargauge,
    geomap,
    stat,
    statetimeline,
    table,
    text,
    timeseries,
)
from dashboards.view.draw.drawing import NOTHING, Drawing, Look, has_values, note
from dashboards.view.frames import PanelData

Draw = Callable[[Mapping[str, Any], PanelData, Look], Drawing]
"""(panel JSON, its data, for whom) -> what is shown."""

TYPES: Final[dict[str, Draw]] = {
    "barchart": barchart.draw,
    "bargauge": bargauge.draw,
    "geomap": geomap.draw,
    "stat": stat.draw,
    "state-timeline": statetimeline.draw,
    "table": table.draw,
    "text": text.draw,
    "timeseries": timeseries.draw,
}
"""Grafana's id of a type of panel -> who draws it."""

_WITHOUT_DATA: Final = frozenset({"stat", "geomap", "text"})
"""Types that show something even where there is nothing: a figure's own word, the bare map."""


def draw(panel: Mapping[str, Any], data: PanelData, look: Look) -> Drawing:
    """What a panel shows: its drawing, its error, or that it has no data."""
    kind = panel.get("type", "")
    if data.error is not None:
        return note(data.error, error=True)
    if kind not in TYPES:
        return note(look.say("The local view does not draw panels of type {kind}.", kind=kind))
    if not has_values(data.frames) and kind not in _WITHOUT_DATA:
        return note(look.tr(NOTHING))
    return TYPES[kind](panel, data, look)


def as_table(data: PanelData, look: Look) -> Drawing:
    """The same data as rows, for who cannot read the drawing."""
    if data.error is not None:
        return note(data.error, error=True)
    if not has_values(data.frames):
        return note(look.tr(NOTHING))
    return table.alternative(data, look)


__all__ = ["TYPES", "Drawing", "Look", "as_table", "draw", "note"]
