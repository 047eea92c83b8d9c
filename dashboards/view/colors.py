"""Grafana's colours by name, its palette, and its continuous scales, for the light and dark theme.

The values are those of Grafana 11's themes; the scales of several colours are B-splines through
them, as d3's ``interpolateRgbBasis``; Viridis and its kin are drawn through ten of their colours.
"""

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Final, Literal

Theme = Literal["light", "dark"]

FALLBACK: Final = "#808080"
"""For a colour that is not known."""

_SHADES: Final = ("super-light-", "light-", "", "semi-dark-", "dark-")
_HUES: Final[dict[Theme, dict[str, str]]] = {
    "dark": {
        "red": "FFA6B0 FF7383 F2495C E02F44 C4162A",
        "orange": "FFCB7D FFB357 FF9830 FF780A FA6400",
        "yellow": "FFF899 FFEE52 FADE2A F2CC0C E0B400",
        "green": "C8F2C2 96D98D 73BF69 56A64B 37872D",
        "blue": "C0D8FF 8AB8FF 5794F2 3274D9 1F60C4",
        "purple": "DEB6F2 CA95E5 B877D9 A352CC 8F3BB8",
    },
    "light": {
        "red": "FF7383 F2495C E02F44 C4162A AD0317",
        "orange": "FFB357 FF9830 FF780A FA6400 E55400",
        "yellow": "FFEE52 FADE2A F2CC0C E0B400 CC9D00",
        "green": "96D98D 73BF69 56A64B 37872D 19730E",
        "blue": "8AB8FF 5794F2 3274D9 1F60C4 1250B0",
        "purple": "CA95E5 B877D9 A352CC 8F3BB8 7C2EA3",
    },
}
_NAMED: Final[dict[Theme, dict[str, str]]] = {
    theme: {
        f"{shade}{hue}": f"#{value.lower()}"
        for hue, values in hues.items()
        for shade, value in zip(_SHADES, values.split(), strict=True)
    }
    for theme, hues in _HUES.items()
}
_NAMED["dark"] |= {"panel-bg": "#181b1f", "text": "#ccccdc"}
_NAMED["light"] |= {"panel-bg": "#ffffff", "text": "#24292e"}

# The few of CSS's names that boards are likely to hold; Grafana's own names come first.
_CSS: Final = {
    "aqua": "#00ffff",
    "black": "#000000",
    "brown": "#a52a2a",
    "cyan": "#00ffff",
    "gray": "#808080",
    "grey": "#808080",
    "lime": "#00ff00",
    "magenta": "#ff00ff",
    "maroon": "#800000",
    "navy": "#000080",
    "olive": "#808000",
    "pink": "#ffc0cb",
    "silver": "#c0c0c0",
    "teal": "#008080",
    "violet": "#ee82ee",
    "white": "#ffffff",
}

_CLASSIC: Final = (
    *("green", "yellow", "blue", "orange", "red", "purple"),
    *("dark-green", "dark-yellow", "dark-blue", "dark-orange", "dark-red", "dark-purple"),
    *("super-light-green", "super-light-yellow", "super-light-blue"),
    *("super-light-orange", "super-light-red", "super-light-purple"),
    *("#447ebc", "#c15c17", "#890f02", "#0a437c", "#6d1f62", "#584477"),
    *("#b7dbab", "#f4d598", "#70dbed", "#f9ba8f", "#f29191", "#82b5d8"),
)

_SCALES: Final[dict[str, tuple[str, ...]]] = {
    "continuous-GrYlRd": ("green", "yellow", "red"),
    "continuous-RdYlGr": ("red", "yellow", "green"),
    "continuous-BlYlRd": ("dark-blue", "super-light-yellow", "dark-red"),
    "continuous-YlRd": ("super-light-yellow", "dark-red"),
    "continuous-BlPu": ("blue", "purple"),
    "continuous-YlBl": ("super-light-yellow", "dark-blue"),
    "continuous-blues": ("panel-bg", "dark-blue"),
    "continuous-reds": ("panel-bg", "dark-red"),
    "continuous-greens": ("panel-bg", "dark-green"),
    "continuous-purples": ("panel-bg", "dark-purple"),
}
_SAMPLED: Final = {
    "continuous-viridis": "440154 482878 3e4989 31688e 26828e 1f9e89 35b779 6ece58 b5de2b fde725",
    "continuous-magma": "000004 180f3d 440f76 721f81 9e2f7f cd4071 f1605d fd9668 feca8d fcfdbf",
    "continuous-plasma": "0d0887 46039f 7201a8 9c179e bd3786 d8576b ed7953 fb9f3a fdca26 f0f921",
    "continuous-inferno": "000004 1b0c41 4a0c6b 781c6d a52c60 cf4446 ed6925 fb9b06 f7d13d fcffa4",
    "continuous-cividis": "00224e 123570 3b496c 575d6d 707173 8a8678 a59c74 c3b369 e1cc55 fee838",
}

_STEPS: Final = 9
"""How many colours stand for a scale in a legend, as in Grafana."""

_RGB: Final = re.compile(r"rgba?\(\s*(\d+)\s*,\s*(\d+)\s*,\s*(\d+)")


def named(name: str, theme: Theme) -> str:
    """A colour as ``#rrggbb``: Grafana's name, CSS's, ``rgb(...)`` or a hex value.

    >>> named("semi-dark-red", "dark"), named("semi-dark-red", "light"), named("#ABC", "dark")
    ('#e02f44', '#c4162a', '#aabbcc')
    """
    if name == "transparent":
        return named("panel-bg", theme)
    known = _NAMED[theme].get(name)
    if known:
        return known
    rgb = _RGB.match(name)
    if rgb:
        return _hex([float(part) for part in rgb.groups()])
    if re.fullmatch(r"#[0-9a-fA-F]{3,8}", name):
        digits = name[1:].lower()
        return "#" + ("".join(digit * 2 for digit in digits[:3]) if len(digits) < 6 else digits[:6])  # noqa: PLR2004 - #rgb, #rgba
    return _CSS.get(name.lower(), FALLBACK)


def classic(index: int, theme: Theme) -> str:
    """The colour of the series number ``index`` in Grafana's classic palette, over and over."""
    return named(_CLASSIC[index % len(_CLASSIC)], theme)


def palette(theme: Theme) -> list[str]:
    """The classic palette; after its last colour series begin anew with the first."""
    return [classic(index, theme) for index in range(len(_CLASSIC))]


def is_continuous(mode: str) -> bool:
    """Whether a colour mode gives values colours from a scale."""
    return mode in _SCALES or mode in _SAMPLED


def at(mode: str, part: float, theme: Theme) -> str:
    """The colour of a continuous mode at ``part`` (0 to 1) of its scale."""
    part = min(1.0, max(0.0, part))
    if mode in _SAMPLED:
        return _linear([_rgb(f"#{value}") for value in _SAMPLED[mode].split()], part)
    return _spline([_rgb(named(name, theme)) for name in _SCALES[mode]], part)


def scale(mode: str, theme: Theme, steps: int = _STEPS) -> list[str]:
    """Colours of a continuous mode from its least to its greatest value."""
    return [at(mode, step / (steps - 1), theme) for step in range(steps)]


def _rgb(color: str) -> list[float]:
    return [float(int(color[place : place + 2], 16)) for place in (1, 3, 5)]


def _hex(rgb: Sequence[float]) -> str:
    return "#" + "".join(f"{min(255, max(0, round(part))):02x}" for part in rgb)


def _linear(colors: Sequence[Sequence[float]], part: float) -> str:
    segments = list(pairwise(colors))
    place = min(int(part * len(segments)), len(segments) - 1)
    inside = part * len(segments) - place
    return _hex([a + (b - a) * inside for a, b in zip(*segments[place], strict=True)])


def _spline(colors: Sequence[Sequence[float]], part: float) -> str:
    """A uniform cubic B-spline whose ends are mirrored, so that it meets the outer colours."""
    last = len(colors) - 1
    place = min(int(part * last), last - 1)
    t = part * last - place
    here, after = colors[place], colors[place + 1]
    before = colors[place - 1] if place else [2 * a - b for a, b in zip(here, after, strict=True)]
    beyond = (
        colors[place + 2]
        if place + 2 <= last
        else [2 * b - a for a, b in zip(here, after, strict=True)]
    )
    weights = (
        (1 - t) ** 3,
        3 * t**3 - 6 * t**2 + 4,
        -3 * t**3 + 3 * t**2 + 3 * t + 1,
        t**3,
    )
    mixed = zip(before, here, after, beyond, strict=True)
    return _hex([sum(w * c for w, c in zip(weights, four, strict=True)) / 6 for four in mixed])
