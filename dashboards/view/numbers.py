"""Numbers as Grafana writes them: how many decimals, and which prefix goes with a unit."""

import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

_PLURALS: Final = (" min", " hour", " day", " week", " year")
_EXPONENT_BELOW, _EXPONENT_FROM = 1e-6, 1e21

_TINY: Final = math.ulp(0.0)
"""The least number above zero: zero itself has no size that would choose a unit."""


class Text(NamedTuple):
    """A value in its three parts: ``$``, ``1.2``, `` K``."""

    prefix: str
    text: str
    suffix: str

    def __str__(self) -> str:
        return f"{self.prefix}{self.text}{self.suffix}"


Format = Callable[[float, int | None], Text]
"""Writes a number with so many decimals; None: as many as Grafana would choose."""


def plain(value: float) -> str:
    """A number as JavaScript writes it: no closing ``.0``, an exponent only where it is far off.

    >>> plain(60.0), plain(0.00001), plain(1e21)
    ('60', '0.00001', '1e+21')
    """
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else ("∞" if value > 0 else "-∞")
    if value == 0:
        return "0"
    if not _EXPONENT_BELOW <= abs(value) < _EXPONENT_FROM:
        digits, _, exponent = repr(float(value)).partition("e")
        return f"{digits.removesuffix('.0')}e{int(exponent):+d}"
    digits, _, exponent = repr(float(value)).partition("e")
    if not exponent:
        return digits.removesuffix(".0")
    sign = "-" if value < 0 else ""
    whole, _, part = digits.lstrip("-").removesuffix(".0").partition(".")
    if int(exponent) < 0:
        return f"{sign}0.{'0' * (-int(exponent) - 1)}{whole}{part}"
    return f"{sign}{whole}{part}{'0' * (int(exponent) - len(part))}"


def decimals_for(value: float) -> int:
    """How many decimals a number needs: three significant digits; none where it is whole."""
    if value == 0 or not math.isfinite(value) or value % 1 == 0:
        return 0
    return max(0, 2 - math.floor(math.log(abs(value)) / math.log(10)))


def fixed(value: float, decimals: int | None) -> str:
    """A number with so many decimals, halves rounded up, as Grafana's ``toFixed``.

    >>> fixed(100.5, None), fixed(100.37, 1), fixed(100.4, 2), fixed(186.123, -2)
    ('101', '100.4', '100.40', '186')
    """
    if not math.isfinite(value):
        return plain(value)
    wanted = decimals_for(value) if decimals is None else decimals
    if value == 0:
        return f"{0:.{max(0, wanted)}f}"
    factor = 10.0 ** min(max(0, wanted), sys.float_info.max_10_exp)
    if abs(value) * factor >= 2.0**53:
        written = plain(value)  # nothing after the point is left to round
    else:
        written = plain(math.floor(value * factor + 0.5) / factor)
    if "e" in written or wanted <= 0:
        return written
    whole, _, part = written.partition(".")
    return f"{whole}.{part:0<{wanted}}"


class Step(NamedTuple):
    """From ``least`` on (of the number without its sign), it is divided by ``one``."""

    least: float
    one: float
    prefix: str
    suffix: str


@dataclass(frozen=True, slots=True)
class Scale:
    """A unit that grows with the number; ``steps`` rise from 0. It is a :data:`Format`."""

    steps: Sequence[Step]
    bare_zero: bool = False

    def __call__(self, value: float, decimals: int | None) -> Text:
        """Write a number; see :data:`Format`."""
        step = self.steps[0]
        if not math.isfinite(value):
            return Text("", plain(value), "" if len(self.steps) > 1 else step.suffix)
        for higher in self.steps:
            if abs(value) >= higher.least:
                step = higher
        if not step.prefix:
            digits = None if value == 0 and self.bare_zero else decimals
            return Text("", fixed(value / step.one, digits), step.suffix)
        sign = "-" if value < 0 else ""
        return Text(sign + step.prefix, fixed(abs(value) / step.one, decimals), step.suffix)


def unit(suffix: str) -> Scale:
    """The number and, after a space, its unit."""
    return Scale((Step(0, 1, "", f" {suffix}" if suffix else ""),))


def prefixed(prefix: str) -> Scale:
    """The unit and the number without a space."""
    return Scale((Step(0, 1, prefix, ""),))


def scaled(factor: float, suffixes: Sequence[str], offset: int = 0, prefix: str = "") -> Scale:
    """The number divided by the power of ``factor`` that its size wants, and that one's suffix.

    Args:
        factor: Between a suffix and the next.
        suffixes: From the smallest.
        offset: Which of them the bare number has.
        prefix: Before the number, whatever its size.
    """
    zero = [Step(0, 1, prefix, suffixes[offset])]
    first = [Step(_TINY, factor**-offset, prefix, suffixes[0])] if offset else []
    powers = range(1 - offset if offset else 0, len(suffixes) - offset)
    steps = [
        Step(factor**power, factor**power, prefix, suffixes[power + offset]) for power in powers
    ]
    return Scale((*zero, *first, *steps))


_SI: Final = ("f", "p", "n", "µ", "m", "", "k", "M", "G", "T", "P", "E", "Z", "Y")
_BINARY: Final = ("", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei", "Zi", "Yi")


def si(symbol: str, offset: int = 0) -> Scale:
    """SI prefixes in steps of a thousand; the number counts ``1000**offset`` of the symbol."""
    return scaled(1000, [f" {prefix}{symbol}" for prefix in _SI], _SI.index("") + offset)


def binary(symbol: str, offset: int = 0) -> Scale:
    """IEC prefixes in steps of 1024; the number counts ``1024**offset`` of the symbol."""
    return scaled(1024, [f" {prefix}{symbol}" for prefix in _BINARY], offset)


def counted(symbol: str) -> Scale:
    """``K``, ``M``, ``B``, ``T`` before the symbol."""
    return scaled(1000, [f"{letter} {symbol}" for letter in ("", "K", "M", "B", "T")])


def spanned(steps: Sequence[tuple[float, str]], *, least: float = 0) -> Scale:
    """A length of time in the unit that its size wants.

    Args:
        steps: (how much of the number makes one, its suffix), rising. More than one of minutes and
            longer get their plural, but where the number itself counts them.
        least: Numbers below the first step are in it only down to here.
    """
    made = [] if least == 0 else [Step(0, 1, "", next(name for one, name in steps if one == 1))]
    for place, (one, suffix) in enumerate(steps):
        start = least if place == 0 else one
        made.append(Step(start, one, "", suffix))
        if suffix in _PLURALS and one != 1:
            made.append(Step(math.nextafter(one, math.inf), one, "", f"{suffix}s"))
    return Scale(tuple(made), bare_zero=least != 0)
