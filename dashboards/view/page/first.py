"""The first thing that is painted: the page's frames as plain HTML, before any script has run.

It stands in the page as it is sent, in the same classes as what NiceGUI builds a moment later, and
leaves when that is there (``shell.js``).
"""

import re
from collections.abc import Iterable, Mapping
from html import escape
from typing import Any, Final

from dashboards.view.locale import Translate
from dashboards.view.page.icons import LOGO

_VARIABLE: Final = re.compile(r"\$(?:\w+|\{\w+\})", re.ASCII)


def html(
    titles: Mapping[str, str],
    current: str,
    heading: tuple[str, str],
    grids: Iterable[Iterable[Mapping[str, Any]]],
    tr: Translate,
) -> str:
    """The frames of a page.

    Args:
        titles: Address and English title of every page in the bar at the top.
        current: The address of this one.
        heading: Its title and description, in the reader's language.
        grids: The panels of each section, as JSON.
        tr: The reader's language.
    """
    links = "".join(
        f'<a class="cn-nav-link"{" aria-current=page" if path == current else ""}>'
        f"{escape(tr(title))}</a>"
        for path, title in titles.items()
    )
    drawn = "".join(
        f'<div class="cn-grid">{"".join(_panel(panel, tr) for panel in panels)}</div>'
        for panels in grids
    )
    title, description = (escape(text) for text in heading)
    return (
        '<div id="cn-shell" aria-hidden="true" inert>'
        f'<header class="cn-top"><span class="cn-brand"><span class="cn-logo-box">{LOGO}</span>'
        f'<span class="cn-brand-name">CityNerve</span></span><nav class="cn-nav">{links}</nav>'
        '<span class="cn-tools"><span class="cn-button cn-shell-button"></span></span></header>'
        '<div class="cn-main"><div class="cn-heading"><div class="cn-heading-text">'
        f'<h1>{title}</h1><div class="cn-description">{description}</div></div>'
        '<div class="cn-vars"><span class="cn-var"></span></div></div>'
        f'<div class="cn-columns"><div class="cn-board">{drawn}</div></div></div></div>'
    )


def waiting(title: str) -> str:
    """A title whose variables are not filled yet.

    >>> waiting("Latest $property in ${district}")
    'Latest … in …'
    """
    return _VARIABLE.sub("…", title)


def _panel(panel: Mapping[str, Any], tr: Translate) -> str:
    place = panel.get("gridPos") or {}
    style = ";".join(f"--{name}:{int(place.get(name, 0))}" for name in "xywh")
    return (
        f'<section class="cn-panel cn-type-{escape(panel.get("type", ""))}" style="{style}">'
        f'<div class="cn-panel-head"><h2>{escape(waiting(tr(panel.get("title") or "")))}</h2></div>'
        '<div class="cn-panel-body"><div class="cn-skeleton"></div></div></section>'
    )
