"""The page's few signs, as SVG: no font has to be loaded for them."""

from typing import Final

from nicegui import ui

_PATHS: Final = {
    "info": '<circle cx="8" cy="8" r="6.2"/><path d="M8 7.2v3.9M8 4.7v.1"/>',
    "table": '<rect x="2" y="3" width="12" height="10" rx="1.5"/>'
    '<path d="M2 6.4h12M2 9.7h12M6.5 6.4V13"/>',
    "clock": '<circle cx="8" cy="8" r="6.2"/><path d="M8 4.6V8l2.4 1.6"/>',
    "refresh": '<path d="M13.4 8A5.4 5.4 0 1 1 11.7 4.1M13.5 2v3h-3"/>',
    "light": '<circle cx="8" cy="8" r="3"/><path d="M8 1.2v1.6M8 13.2v1.6M1.2 8h1.6M13.2 8h1.6'
    'M3.2 3.2l1.1 1.1M11.7 11.7l1.1 1.1M3.2 12.8l1.1-1.1M11.7 4.3l1.1-1.1"/>',
    "dark": '<path d="M13.6 9.6A6 6 0 0 1 6.4 2.4a6 6 0 1 0 7.2 7.2z"/>',
    "auto": '<rect x="1.8" y="2.6" width="12.4" height="8.6" rx="1.3"/><path d="M5.5 13.6h5"/>',
    "down": '<path d="M4 6.2l4 4 4-4"/>',
    "out": '<circle cx="7" cy="7" r="4.6"/><path d="M10.4 10.4l3.6 3.6M5 7h4"/>',
    "left": '<path d="M10 3.5L5.5 8l4.5 4.5"/>',
    "right": '<path d="M6 3.5L10.5 8 6 12.5"/>',
}

LOGO: Final = (
    '<svg viewBox="0 0 32 32" class="cn-logo" aria-hidden="true">'
    '<path class="cn-logo-line" d="M7 23V13l9-6 9 6v10M7 23l9-5 9 5M16 7v11"/>'
    '<circle cx="16" cy="7" r="2.6"/><circle cx="7" cy="13" r="2.1"/>'
    '<circle cx="25" cy="13" r="2.1"/>'
    '<circle cx="16" cy="18" r="2.9" class="cn-logo-heart"/><circle cx="7" cy="23" r="2.1"/>'
    '<circle cx="25" cy="23" r="2.1"/></svg>'
)
"""The product's mark."""


def icon(name: str) -> None:
    """A sign of 16 by 16 in the colour of the text, hidden from screen readers."""
    ui.html(
        f'<svg viewBox="0 0 16 16" class="cn-icon" aria-hidden="true">{_PATHS[name]}</svg>',
        sanitize=False,
        tag="span",
    ).classes("cn-icon-box")


def logo() -> None:
    """The product's mark."""
    ui.html(LOGO, sanitize=False, tag="span").classes("cn-logo-box")
