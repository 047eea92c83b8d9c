"""How a board's panels stand on its page: by rows, each with a grid of its own."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple


class Section(NamedTuple):
    """A row of the board's JSON with the panels below it; the first may have no row of its own."""

    title: str
    open: bool
    panels: Sequence[Mapping[str, Any]]


def sections(board: Mapping[str, Any]) -> Iterator[Section]:
    """The board's panels by rows, in the order in which they are read."""
    title, is_open = "", True
    panels: list[Mapping[str, Any]] = []
    for panel in board.get("panels") or ():
        if panel.get("type") != "row":
            panels.append(panel)
            continue
        if panels:
            yield _placed(Section(title, is_open, panels))
        title, is_open = panel.get("title") or "", not panel.get("collapsed")
        panels = list(panel.get("panels") or ())
    if panels:
        yield _placed(Section(title, is_open, panels))


def _placed(section: Section) -> Section:
    """A section whose first panel stands at the top of its own grid."""
    places = [panel.get("gridPos") or {} for panel in section.panels]
    top = min(int(place.get("y", 0)) for place in places)
    panels = [
        {**panel, "gridPos": {**place, "y": int(place.get("y", 0)) - top}}
        for panel, place in zip(section.panels, places, strict=True)
    ]
    panels.sort(key=lambda panel: (panel["gridPos"]["y"], panel["gridPos"].get("x", 0)))
    return section._replace(panels=panels)
