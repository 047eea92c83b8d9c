"""The frame of one panel: its title, its buttons, and in it what is drawn."""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec
from nicegui import ui

from dashboards.view import draw
from dashboards.view.draw.drawing import Drawing, Look
from dashboards.view.frames import PanelData
from dashboards.view.locale import Translate
from dashboards.view.page import elements
from dashboards.view.page.first import waiting
from dashboards.view.page.icons import icon
from dashboards.view.variables import Variable

_SHORT: Final = {"stat"}
"""Types whose frame is low: their title is written small and they have no buttons."""


class Surroundings(msgspec.Struct, frozen=True, kw_only=True):
    """What all panels of a page share.

    ``geojson`` and ``tiles`` are addresses for maps; ``zoom`` hears of a range dragged over, in ms
    since 1970 UTC.
    """

    tr: Translate
    zoom: Callable[[int, int], None]
    geojson: str | None = None
    tiles: str | None = None


class Panel:
    """A panel on its page. Its element is made when it is; what it shows comes later.

    ``shown`` says whether the row that it stands in is open when the page comes.
    """

    def __init__(self, panel: Mapping[str, Any], about: Surroundings, *, shown: bool) -> None:
        self.json = panel
        self.key = str(panel["id"])
        self.shown = shown
        self.data: PanelData | None = None
        self.tabular = False
        self.busy = False
        self._about = about
        self._drawing: Drawing | None = None
        self._element: elements.Shown | None = None
        self._build()

    def drawn(self, data: PanelData, look: Look) -> Drawing:
        """What the panel shows of its data; takes time, and touches no element."""
        if self.tabular:
            return draw.as_table(data, look)
        return draw.draw(self.json, data, look)

    def show(self, drawing: Drawing, title: str, description: str) -> None:
        """Put a drawing into the frame; what has not changed stays as it is."""
        self._title.set_text(title)
        self._info.set_text(description)
        if drawing != self._drawing:
            if self._element is None or self._drawing is None or self._drawing.kind != drawing.kind:
                self._body.clear()
                with self._body:
                    self._element = elements.make(
                        drawing,
                        self._about.tr,
                        self._about.zoom,
                        self._about.geojson,
                        self._about.tiles,
                    )
            else:
                self._element.show(drawing)
            self._drawing = drawing
            self._summary.set_text(drawing.summary)
        self._frame.classes(remove="cn-waiting")

    def asks(self, variable: Variable) -> bool:
        """Whether one of its queries names a variable."""
        named = re.compile(rf"\$(?:{variable.name}\b|\{{{variable.name}[:}}])")
        return any(named.search(one.get("query") or "") for one in self.json.get("targets") or ())

    def on_tabular(self, changed: Callable[["Panel"], None]) -> None:
        """Hear when the reader wants the data as a table, or drawn again."""
        self._changed = changed

    def _build(self) -> None:
        place = self.json.get("gridPos") or {}
        tr, kind = self._about.tr, self.json.get("type", "")
        style = ";".join(f"--{name}:{int(place.get(name, 0))}" for name in "xywh")
        heading = f"cn-title-{self.key}"
        with ui.element("section").classes(f"cn-panel cn-type-{kind} cn-waiting") as frame:
            frame.style(style).props(f'data-panel="{self.key}" aria-labelledby="{heading}"')
            with ui.element("header").classes("cn-panel-head"):
                with ui.element("h2").props(f'id="{heading}"'):
                    self._title = ui.label(waiting(tr(self.json.get("title") or "")))
                self._buttons(kind)
            self._body = ui.element("div").classes("cn-panel-body")
            with self._body:
                ui.element("div").classes("cn-skeleton").props("aria-hidden=true")
            self._summary = ui.label().classes("cn-sr")
        self._frame = frame

    def _buttons(self, kind: str) -> None:
        tr = self._about.tr
        described = tr(self.json.get("description") or "")
        with ui.element("button") as info:
            info.classes("cn-tool cn-info").props["type"] = "button"
            info.props["aria-label"] = tr("About this panel")
            icon("info")
            self._info = ui.label(described).classes("cn-info-text").props('role="tooltip"')
        info.set_visibility(bool(described))
        if kind in {"table", "text"}:
            return
        with ui.element("button") as self._table:
            self._table.classes("cn-tool").props["type"] = "button"
            icon("table")
        self._say_tabular()
        self._table.on("click", self._toggle, [])

    def _toggle(self) -> None:
        self.tabular = not self.tabular
        self._say_tabular()
        self._changed(self)

    def _say_tabular(self) -> None:
        label = self._about.tr("Show as table")
        self._table.props.update({"aria-pressed": str(self.tabular).lower(), "aria-label": label})
        self._table.props["title"] = label
        self._table.update()
