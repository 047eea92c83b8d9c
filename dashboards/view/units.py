"""Grafana's units: how a number of each is written.

Names and rules are Grafana 11's (``packages/grafana-data``); an id that is not among them stands
behind the number as it is, as in Grafana. ``prefix:``, ``suffix:``, ``si:``, ``count:``,
``currency:`` and ``bool:`` make units of one's own.
"""

import math
from collections.abc import Callable
from datetime import tzinfo
from functools import cache
from typing import Final

from dashboards.view import dates
from dashboards.view.numbers import (
    Format,
    Scale,
    Step,
    Text,
    binary,
    counted,
    fixed,
    plain,
    prefixed,
    scaled,
    si,
    spanned,
    unit,
)

_FIXED: Final = {
    "": "none",
    "%H": "humidity",
    "dB": "dB",
    "px": "pixel",
    "m/sec²": "accMS2",
    "f/sec²": "accFS2",
    "g": "accG",
    "°": "degree",
    "rad": "radian",
    "grad": "grad",
    "arcmin": "arcmin",
    "arcsec": "arcsec",
    "m²": "areaM2",
    "ppm": "ppm",
    "ppb": "conppb",
    "ng/m³": "conngm3",
    "ng/Nm³": "conngNm3",
    "μg/m³": "conμgm3",
    "μg/Nm³": "conμgNm3",
    "mg/m³": "conmgm3",
    "mg/Nm³": "conmgNm3",
    "g/m³": "congm3",
    "g/Nm³": "congNm3",
    "W/m²": "Wm2",
    "gpm": "flowgpm",
    "cms": "flowcms",
    "L/h": "litreh",
    "L/min": "flowlpm",
    "lux": "lux",
    "t": "masst",
    "ft": "lengthft",
    "mi": "lengthmi",
    "hPa": "pressurehpa",
    "kPa": "pressurekpa",
    "rpm": "rotrpm",
    "rad/s": "rotrads",
    "°/s": "rotdegs",
    "°C": "celsius",
    "°F": "fahrenheit",
    "K": "kelvin",
    "m/s": "velocityms",
    "km/h": "velocitykmh",
    "mph": "velocitymph",
    "kn": "velocityknot",
    "m³": "m3",
    "Nm³": "Nm3",
    "dm³": "dm3",
    "gal": "gallons",
}
"""What stands behind the number -> Grafana's id."""

_SI: Final = {
    "watt": ("W", 0),
    "kwatt": ("W", 1),
    "megwatt": ("W", 2),
    "gwatt": ("W", 3),
    "mwatt": ("W", -1),
    "watth": ("Wh", 0),
    "kwatth": ("Wh", 1),
    "voltamp": ("VA", 0),
    "joule": ("J", 0),
    "amp": ("A", 0),
    "mamp": ("A", -1),
    "volt": ("V", 0),
    "mvolt": ("V", -1),
    "dBm": ("dBm", 0),
    "ohm": ("Ω", 0),
    "lumens": ("Lm", 0),
    "massmg": ("g", -1),
    "massg": ("g", 0),
    "masskg": ("g", 1),
    "lengthmm": ("m", -1),
    "lengthm": ("m", 0),
    "lengthkm": ("m", 1),
    "pressurembar": ("bar", -1),
    "pressurebar": ("bar", 0),
    "pressurepa": ("Pa", 0),
    "rothz": ("Hz", 0),
    "hertz": ("Hz", 0),
    "mlitre": ("L", -1),
    "litre": ("L", 0),
    "decbits": ("b", 0),
    "decbytes": ("B", 0),
    "deckbytes": ("B", 1),
    "decmbytes": ("B", 2),
    "decgbytes": ("B", 3),
    "pps": ("p/s", 0),
    "bps": ("b/s", 0),
    "Bps": ("B/s", 0),
    "KBs": ("B/s", 1),
    "Kbits": ("b/s", 1),
    "MBs": ("B/s", 2),
    "Mbits": ("b/s", 2),
    "GBs": ("B/s", 3),
    "Gbits": ("b/s", 3),
}
"""Grafana's id -> symbol, and which power of a thousand the number counts."""

_BINARY: Final = {
    "bits": ("b", 0),
    "bytes": ("B", 0),
    "kbytes": ("B", 1),
    "mbytes": ("B", 2),
    "gbytes": ("B", 3),
    "binbps": ("b/s", 0),
    "binBps": ("B/s", 0),
}

_COUNTED: Final = {
    "cps": "c/s",
    "ops": "ops/s",
    "reqps": "req/s",
    "rps": "rd/s",
    "wps": "wr/s",
    "iops": "io/s",
    "eps": "evt/s",
    "mps": "msg/s",
    "recps": "rec/s",
    "rowsps": "rows/s",
    "cpm": "c/m",
    "opm": "ops/m",
    "reqpm": "req/m",
    "rpm": "rd/m",
    "wpm": "wr/m",
    "epm": "evts/m",
    "mpm": "msgs/m",
    "recpm": "rec/m",
}

_CURRENCIES: Final = {
    "currencyUSD": "$",
    "currencyEUR": "€",
    "currencyGBP": "£",
    "currencyCNY": "¥",
}

_MINUTE, _HOUR, _DAY, _WEEK, _YEAR = 60.0, 3_600.0, 86_400.0, 604_800.0, 31_536_000.0

_NS: Final = (
    (1, " ns"),
    (1e3, " µs"),
    (1e6, " ms"),
    (1e9, " s"),
    (1e9 * _MINUTE, " min"),
    (1e9 * _HOUR, " hour"),
    (1e9 * _DAY, " day"),
)
_MS: Final = (
    (1, " ms"),
    (1e3, " s"),
    (1e3 * _MINUTE, " min"),
    (1e3 * _HOUR, " hour"),
    (1e3 * _DAY, " day"),
    (1e3 * _YEAR, " year"),
)
_S: Final = (
    (1e-9, " ns"),
    (1e-6, " µs"),
    (1e-3, " ms"),
    (1, " s"),
    (_MINUTE, " min"),
    (_HOUR, " hour"),
    (_DAY, " day"),
    (_WEEK, " week"),
    (_YEAR, " year"),
)
_LENGTHS: Final[dict[str, Format]] = {
    "ns": spanned(_NS),
    "µs": spanned(((1, " µs"), (1e3, " ms"), (1e6, " s"))),
    "ms": spanned(_MS),
    "s": spanned(_S, least=math.ulp(0.0)),
    "m": spanned(((1, " min"), (60, " hour"), (1_440, " day"), (10_080, " week"))),
    "h": spanned(((1, " hour"), (24, " day"), (168, " week"), (8_760, " year"))),
    "d": spanned(((1, " day"), (7, " week"), (365, " year"))),
    "dtdurationms": lambda value, decimals: dates.duration(value, decimals, "millisecond"),
    "dtdurations": lambda value, decimals: dates.duration(value, decimals, "second"),
    "dthms": lambda value, _: dates.hours_minutes_seconds(value),
    "dtdhms": lambda value, _: dates.hours_minutes_seconds(value, days=True),
    "clockms": dates.clock,
    "clocks": lambda value, decimals: dates.clock(value, decimals, 1e3),
}

_SHORT: Final = ("", " K", " Mil", " Bil", " Tri", " Quadr", " Quint", " Sext", " Sept")


def _local(value: float, decimals: int | None) -> Text:
    most = 3 if decimals is None else decimals
    rounded = fixed(value, most)
    whole, point, part = rounded.partition(".")
    part = part.rstrip("0")
    sign = "-" if whole.startswith("-") else ""
    grouped = f"{int(whole.lstrip('-')):,}" if whole.lstrip("-").isdigit() else whole.lstrip("-")
    return Text("", f"{sign}{grouped}{point if part else ''}{part}", "")


def _currency(symbol: str) -> Format:
    return scaled(1000, ("", "K", "M", "B", "T"), prefix=symbol)


def _scientific(value: float, decimals: int | None) -> Text:
    digits, _, exponent = f"{value:.{6 if decimals is None else decimals}e}".partition("e")
    return Text("", f"{digits}e{int(exponent):+d}", "")


def _boolean(yes: str, no: str) -> Format:
    return lambda value, _: Text("", yes if value else no, "")


_FORMATS: Final[dict[str, Format]] = {
    **{name: unit(symbol) for symbol, name in _FIXED.items()},
    **{name: si(symbol, offset) for name, (symbol, offset) in _SI.items()},
    **{name: binary(symbol, offset) for name, (symbol, offset) in _BINARY.items()},
    **{name: counted(symbol) for name, symbol in _COUNTED.items()},
    **{name: _currency(symbol) for name, symbol in _CURRENCIES.items()},
    **_LENGTHS,
    "short": scaled(1000, _SHORT),
    "percent": Scale((Step(0, 1, "", "%"),)),
    "percentunit": Scale((Step(0, 0.01, "", "%"),)),
    "locale": _local,
    "sci": _scientific,
    "string": lambda value, _: Text("", plain(value), ""),
    "bool": _boolean("True", "False"),
    "bool_yes_no": _boolean("Yes", "No"),
    "bool_on_off": _boolean("On", "Off"),
}


def _own_si(rest: str) -> Format:
    prefixes = {"f": -5, "p": -4, "n": -3, "µ": -2, "m": -1, "k": 1, "M": 2, "G": 3, "T": 4}
    offset = prefixes.get(rest[:1], 0) if len(rest) > 1 else 0
    return si(rest[1:] if offset else rest, offset)


def _own_boolean(rest: str) -> Format:
    yes, _, no = rest.partition("/")
    return _boolean(yes, no or "-")


_MAKERS: Final[dict[str, Callable[[str], Format]]] = {
    "prefix": prefixed,
    "suffix": unit,
    "si": _own_si,
    "count": counted,
    "currency": _currency,
    "bool": _own_boolean,
}

DATES: Final = {
    "dateTimeAsIso": (dates.ISO, dates.ISO),
    "dateTimeAsIsoNoDateIfToday": (dates.ISO, "HH:mm:ss"),
    "dateTimeAsUS": (dates.US, dates.US),
    "dateTimeAsUSNoDateIfToday": (dates.US, "h:mm:ss a"),
    "dateTimeAsLocal": (dates.ISO, dates.ISO),
    "dateTimeAsLocalNoDateIfToday": (dates.ISO, "HH:mm:ss"),
    "dateTimeAsSystem": (dates.ISO, dates.ISO),
    "dateTimeAsSystemMs": (dates.ISO_MS, dates.ISO_MS),
}
"""Units of moments -> pattern, and pattern of today's."""

FROM_NOW: Final = "dateTimeFromNow"


def is_date(name: str | None) -> bool:
    """Whether a unit's numbers are moments, in ms since 1970 UTC."""
    return name is not None and (name in DATES or name == FROM_NOW or name.startswith("time:"))


@cache
def formatter(name: str | None) -> Format:
    """How numbers of a unit are written; moments have :func:`moment`."""
    if not name:
        return _FORMATS["none"]
    known = _FORMATS.get(name)
    kind, colon, rest = name.partition(":")
    if known or not colon:
        return known or unit(name)
    made = _MAKERS.get(kind)
    return made(rest) if made else unit(name)


def moment(value: float, name: str, now: int, zone: tzinfo | None = None) -> str:
    """A moment as the unit ``name`` writes it; ``zone`` None: by this machine's clock."""
    if name == FROM_NOW:
        return dates.ago(value, now)
    if name.startswith("time:"):
        return dates.written(value, name.removeprefix("time:"), zone)
    usual, today = DATES[name]
    same = usual == today or not dates.is_today(value, now, zone)
    return dates.written(value, usual if same else today, zone)


def pattern(name: str) -> str:
    """The moment.js pattern of a unit of moments; ``from now`` where it has none."""
    if name == FROM_NOW:
        return "from now"
    return name.removeprefix("time:") if name.startswith("time:") else DATES[name][0]
