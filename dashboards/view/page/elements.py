"""The page's own elements: each a Vue component beside this file, and the props that it takes."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from nicegui import ui
from nicegui.dependencies import register_resource
from nicegui.elements import leaflet
from nicegui.events import GenericEventArguments
from nicegui.version import __version__

from dashboards.view.draw.drawing import Drawing, Kind
from dashboards.view.locale import Translate

_WRITING: Final = "cn-writing.js"
_LEAFLET: Final = Path(leaflet.__file__).parent / "dist"


class Drawn(ui.element):
    """Shows drawings of one kind; what it shows may change."""

    def __init__(self, drawing: Drawing) -> None:
        super().__init__()
        self.show(drawing)

    def show(self, drawing: Drawing) -> None:
        """Show another drawing of the same kind."""
        self._props.update({**drawing.props, "label": drawing.summary})
        self.update()


class Chart(Drawn, component="board_chart.js", dependencies=[_WRITING, "cn-drawers.js"]):
    """A chart; ``zoom`` hears the range that was dragged over, in ms since 1970 UTC."""

    def __init__(
        self, drawing: Drawing, words: Mapping[str, str], zoom: Callable[[int, int], None]
    ) -> None:
        super().__init__(drawing)
        self._props["words"] = dict(words)

        def dragged(event: GenericEventArguments) -> None:
            zoom(int(event.args["from"]), int(event.args["to"]))

        self.on("range", dragged, ["from", "to"])


class Map(Drawn, component="board_map.js", dependencies=[_WRITING]):
    """A map; the ground is the GeoJSON at ``geojson``, above ``tiles`` if there are any."""

    def __init__(
        self, drawing: Drawing, words: Mapping[str, str], geojson: str | None, tiles: str | None
    ) -> None:
        super().__init__(drawing)
        self._props.update({"words": dict(words), "geojson": geojson, "tiles": tiles})
        self._props["css"] = leaflet_style()


def leaflet_style() -> str:
    """The address of Leaflet's own style."""
    resource = register_resource(_LEAFLET, max_time=_LEAFLET.stat().st_mtime)
    return f"/_nicegui/{__version__}/resources/{resource.key}/leaflet/leaflet.css"


class Table(Drawn, component="board_table.js"):
    """A table."""


class Figures(Drawn, component="board_figures.js"):
    """Key figures, or bars of single values."""


class Text(ui.element):
    """Markdown."""

    def __init__(self, drawing: Drawing) -> None:
        super().__init__()
        with self.classes("cn-markdown"):
            self._content = ui.markdown(drawing.props["content"])

    def show(self, drawing: Drawing) -> None:
        """Show another text."""
        self._content.set_content(drawing.props["content"])


class Note(ui.element):
    """An error, or that there is nothing to show."""

    def __init__(self, drawing: Drawing) -> None:
        super().__init__()
        self.classes("cn-note")
        with self:
            self._said = ui.label().classes("cn-note-text")
        self.show(drawing)

    def show(self, drawing: Drawing) -> None:
        """Show another one."""
        bad = bool(drawing.props["error"])
        self.classes(add="cn-note-bad" if bad else "", remove="" if bad else "cn-note-bad")
        self._said.set_text(drawing.props["text"])
        if bad:
            self.props["role"] = "alert"
        else:
            self.props.pop("role", None)


class CameraPicture(ui.element, component="board_camera.js"):
    """A camera's latest picture; see the component for its props."""

    def show(self, **props: Any) -> None:  # noqa: ANN401 - JSON
        """Show another picture."""
        if any(self._props.get(name) != value for name, value in props.items()):
            self._props.update(props)
            self.update()


Shown = Drawn | Text | Note
"""What stands in a panel's frame."""


def make(
    drawing: Drawing,
    tr: Translate,
    zoom: Callable[[int, int], None],
    geojson: str | None,
    tiles: str | None,
) -> Shown:
    """The element for a kind of drawing, in the current slot."""
    plain: dict[Kind, Callable[[Drawing], Shown]] = {
        "figures": Figures,
        "bars": Figures,
        "table": Table,
        "text": Text,
        "note": Note,
    }
    if drawing.kind == "chart":
        return Chart(drawing, {"toggle": tr("Show only this series, or all again")}, zoom)
    if drawing.kind == "map":
        words = {"zoom_in": tr("Zoom in"), "zoom_out": tr("Zoom out")}
        return Map(drawing, words, geojson, tiles)
    return plain[drawing.kind](drawing)
