"""Names of an invented city: its districts and streets, and how they are written in areas."""

import random
import re
from collections.abc import Iterator
from typing import Final

CITY: Final = "elvsund"
CITY_TITLE: Final = "Elvsund"
RIVER: Final = "Lysåen"

CORE: Final = "Gammelby"
HARBOUR: Final = "Havnen"
DISTRICTS: Final = (
    "Nørrevang",
    "Møllebakken",
    "Vestermark",
    "Åparken",
    "Søndervold",
    "Lindehøj",
    "Teglværket",
    "Strandlyst",
    "Kornmarken",
    "Egelund",
    "Skansen",
    "Birkely",
    "Rugholm",
    "Bakkedal",
    "Fiskerlejet",
    "Enghaven",
)

AVENUES: Final = (
    "Strandvejen",
    "Nordre Landevej",
    "Kongeporten",
    "Vestre Allé",
    "Lundvejen",
    "Søndre Landevej",
    "Færgevejen",
    "Brovejen",
)
RINGS: Final = ("Torvegade", "Voldgaden", "Ringgaden", "Ydre Ringvej", "Bygrænsen")
QUAY: Final = "Havnekajen"

_FIRST: Final = (
    "Al", "Ask", "Birke", "Bøge", "Dam", "Ege", "Eng", "Frede", "Fugle", "Guld", "Hassel", "Hede",
    "Humle", "Hylde", "Jagt", "Kastanje", "Kilde", "Klokke", "Kløver", "Korn", "Krone", "Linde",
    "Lærke", "Mose", "Mølle", "Nøddel", "Odin", "Pile", "Post", "Rosen", "Rug", "Sand", "Skole",
    "Skov", "Smede", "Sol", "Spinder", "Stjerne", "Svane", "Tjørne", "Vibe", "Ørne",
)  # fmt: skip
_LAST: Final = ("gade", "vej", "stræde", "vænget", "allé", "bakken")

_LETTERS: Final = str.maketrans({"æ": "ae", "ø": "o", "å": "aa", "é": "e"})
_NOT_IN_NAMES: Final = re.compile(r"[^a-z0-9]+")


def slug(name: str) -> str:
    """A name as a level of an area.

    >>> slug("Søndre Landevej")
    'sondre-landevej'
    """
    return _NOT_IN_NAMES.sub("-", name.lower().translate(_LETTERS)).strip("-")


def streets(seed: int) -> Iterator[str]:
    """Names of streets, each once, in an order of the seed's."""
    names = [f"{first}{last}" for first in _FIRST for last in _LAST]
    random.Random(seed).shuffle(names)
    yield from names
    for round_ in range(2, 1000):
        yield from (f"{name} {round_}" for name in names)
