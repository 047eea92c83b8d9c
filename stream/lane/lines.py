"""InfluxDB line protocol, written as strings.

Every number is a float field, written by ``repr`` (it reads back to the same bits); numbers that
are not finite have no form and are left out. Times are nanoseconds.
"""

from collections.abc import Mapping
from hashlib import blake2b
from math import inf, isfinite
from typing import Final

_TAG: Final = str.maketrans({",": "\\,", "=": "\\=", " ": "\\ ", "\\": "_", "\n": "_", "\r": "_"})
_TEXT: Final = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": " ", "\r": " "})

NS: Final = 1_000_000
"""Nanoseconds in a millisecond."""

Field = float | str | None


def head(measurement: str, tags: Mapping[str, str]) -> str:
    """The measurement and its tags, in the order of their keys, as the server stores them."""
    parts = [measurement]
    parts += [f"{key}={value.translate(_TAG)}" for key, value in sorted(tags.items()) if value]
    return ",".join(parts)


def text(value: str) -> str:
    """A string field's value, quoted; line ends become spaces so that a line stays one."""
    return f'"{value.translate(_TEXT)}"'


def line(start: str, fields: Mapping[str, Field], time_ns: int) -> str | None:
    """One line from a :func:`head`; None and numbers that are not finite are left out.

    None if nothing is left.
    """
    parts = []
    for key, value in fields.items():
        if isinstance(value, str):
            parts.append(f"{key}={text(value)}")
        elif value is not None:
            number = _double(value)
            if isfinite(number):
                parts.append(f"{key}={number!r}")
    return f"{start} {','.join(parts)} {time_ns}" if parts else None


def _double(value: float) -> float:
    try:
        return float(value)
    except OverflowError:  # a whole number of more than 308 digits
        return inf


def within_ms(identity: str) -> int:
    """Nanoseconds below a millisecond that tell apart what happened in the same one.

    A function of the identity alone, the same in every process and for ever.
    """
    return int.from_bytes(blake2b(identity.encode(), digest_size=8).digest(), "big") % NS
