"""The colours that everything is drawn in, for both themes, and their contrast.

One table for the page's CSS and for what ECharts draws, so that neither has colours of its own.
"""

from typing import Final

from dashboards.view.colors import Theme

TOKENS: Final[dict[Theme, dict[str, str]]] = {
    "light": {
        "page": "#f3f5f8",
        "surface": "#ffffff",
        "raised": "#ffffff",
        "sunken": "#eef1f5",
        "hover": "#e8ecf2",
        "line": "#dfe4eb",
        "line-strong": "#c3ccd8",
        "text": "#17202c",
        "muted": "#525f70",
        "faint": "#5f6c7d",
        "accent": "#0b62b0",
        "accent-soft": "#e2eefa",
        "on-accent": "#ffffff",
        "bad": "#b3261e",
        "bad-soft": "#fdecea",
        "warn": "#8a5200",
        "good": "#00704f",
        "grid": "#e6eaf0",
        "land": "#eef2f6",
        "district": "#dbe6f1",
        "water": "#cfe3f5",
        "district-line": "#9fb3c8",
        "street": "#b4c2d2",
        "street-major": "#8fa3b9",
    },
    "dark": {
        "page": "#0c1016",
        "surface": "#141a22",
        "raised": "#1b232d",
        "sunken": "#10151c",
        "hover": "#202a36",
        "line": "#242e3a",
        "line-strong": "#3a4757",
        "text": "#e7ecf2",
        "muted": "#a3afbd",
        "faint": "#8b98a8",
        "accent": "#63b0f5",
        "accent-soft": "#15293d",
        "on-accent": "#07121d",
        "bad": "#ff8f85",
        "bad-soft": "#331a1a",
        "warn": "#f0b54a",
        "good": "#46c89a",
        "grid": "#232c37",
        "land": "#0f151c",
        "district": "#1b2733",
        "water": "#12283a",
        "district-line": "#34475b",
        "street": "#2f3e4e",
        "street-major": "#48607a",
    },
}
"""Theme -> name of a colour -> ``#rrggbb``."""

# Okabe and Ito's palette, in an order that keeps neighbours apart; yellow is left for last.
_SERIES: Final = (
    *("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#999999", "#F0E442"),
)

TEXT_CONTRAST: Final = 4.5
"""WCAG 2.2, 1.4.3: of text against what it stands on."""

GRAPHIC_CONTRAST: Final = 3.0
"""WCAG 2.2, 1.4.11: of a line, a mark or a large text."""

_STEPS: Final = 24


def series(index: int, theme: Theme) -> str:
    """The colour of the series number ``index``, told apart by colour-blind people too.

    After one round of the palette it begins again, each colour nearer to that of the text.
    """
    turn, place = divmod(index, len(_SERIES))
    shade = mixed(_SERIES[place], TOKENS[theme]["text"], min(0.75, 0.38 * turn))
    return legible(shade, theme)


def legible(color: str, theme: Theme, ratio: float = GRAPHIC_CONTRAST) -> str:
    """A colour made darker (light theme) or lighter (dark) until it stands out from the surface.

    Args:
        color: ``#rrggbb``.
        theme: Whose surface it is drawn on.
        ratio: The least contrast.
    """
    ground, end = TOKENS[theme]["surface"], "#ffffff" if theme == "dark" else "#000000"
    for step in range(_STEPS + 1):
        shade = mixed(color, end, step / _STEPS)
        if contrast(shade, ground) >= ratio:
            return shade
    return end


def on(color: str) -> str:
    """Black or white, whichever is read better on a colour."""
    dark, light = "#0b0f14", "#ffffff"
    return dark if contrast(dark, color) >= contrast(light, color) else light


def mixed(color: str, other: str, part: float) -> str:
    """``part`` (0 to 1) of ``other`` and the rest of ``color``."""
    pairs = zip(_rgb(color), _rgb(other), strict=True)
    return "#" + "".join(f"{round(255 * (a + (b - a) * part)):02x}" for a, b in pairs)


def contrast(one: str, other: str) -> float:
    """WCAG's contrast ratio of two colours, from 1 to 21.

    >>> round(contrast("#000000", "#ffffff"))
    21
    """
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _rgb(color: str) -> tuple[float, float, float]:
    red, green, blue = (int(color[place : place + 2], 16) / 255 for place in (1, 3, 5))
    return red, green, blue


def _luminance(color: str) -> float:
    """Relative luminance as WCAG 2.2 defines it for sRGB."""
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4  # noqa: PLR2004
        for part in _rgb(color)
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
