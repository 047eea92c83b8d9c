"""Scripts that the browser fetches beside NiceGUI's own, before the first panel asks for them.

An element's script is otherwise found out only when its first drawing arrives, and ECharts and
Leaflet only when that has run: three journeys one after the other, on every page.
"""

import re
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from nicegui.dependencies import compute_key
from nicegui.elements import echart, leaflet  # their modules stand in every page's import map
from nicegui.version import __version__

from dashboards.view.page import elements

_STATIC: Final = f"/_nicegui/{__version__}"
_NEEDED: Final[Mapping[str, type[elements.Drawn]]] = {
    "barchart": elements.Chart,
    "bargauge": elements.Figures,
    "geomap": elements.Map,
    "stat": elements.Figures,
    "state-timeline": elements.Chart,
    "table": elements.Table,
    "timeseries": elements.Chart,
}
"""Type of panel -> the element that shows it."""

_IMPORTED: Final = re.compile(r"""\bfrom\s*["']\./([\w.-]+)["']""")


def html(panels: Iterable[Mapping[str, Any]]) -> str:
    """What the head of a page says of the scripts that its panels need."""
    kinds = dict.fromkeys(_NEEDED.get(panel.get("type", "")) for panel in panels)
    found = (address for kind in kinds if kind is not None for address in _scripts(kind))
    links = [f'<link rel="modulepreload" href="{address}">' for address in dict.fromkeys(found)]
    if elements.Map in kinds:
        links.append(f'<link rel="preload" as="style" href="{elements.leaflet_style()}">')
    return "".join(links)


def _scripts(kind: type[elements.Drawn]) -> list[str]:
    assert kind.component is not None  # noqa: S101 - each of them has one
    own = [f"{_STATIC}/components/{kind.component.key}"]
    own += [f"{_STATIC}/libraries/{library.key}" for library in kind.exposed_libraries]
    module = {elements.Chart: echart, elements.Map: leaflet}.get(kind)
    if module is not None:
        assert module.__file__ is not None  # noqa: S101 - a package on disk
        own += _module(Path(module.__file__).parent / "dist")
    return own


@cache
def _module(folder: Path) -> list[str]:
    """A package's entry, and the files beside it that it imports at once."""
    base = f"{_STATIC}/esm/{compute_key(folder, max_time=folder.stat().st_mtime)}"
    beside = _IMPORTED.findall((folder / "index.js").read_text(encoding="utf-8"))
    return [f"{base}/{name}" for name in ("index.js", *beside)]
