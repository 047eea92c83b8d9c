"""Chance that is a function of what it is asked: no generator, no order of calls.

All draws of the city come from here, so that two runs agree, whatever they ask first.
"""

import math
from hashlib import blake2b
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Words = NDArray[np.uint64]

_STEP: Final = np.uint64(0x9E3779B97F4A7C15)
_FIRST: Final = np.uint64(0xBF58476D1CE4E5B9)
_SECOND: Final = np.uint64(0x94D049BB133111EB)
_SHIFTS: Final = (np.uint64(30), np.uint64(27), np.uint64(31))
_WORD: Final = np.uint64(0xFFFF)


def key(*parts: object) -> int:
    """64 bits that stand for these parts."""
    text = "/".join(map(str, parts))
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big")


def mix(words: Words) -> Words:
    """Spread neighbouring numbers over all 64 bits (splitmix64, by Sebastiano Vigna)."""
    words = words + _STEP
    words = (words ^ (words >> _SHIFTS[0])) * _FIRST
    words = (words ^ (words >> _SHIFTS[1])) * _SECOND
    return words ^ (words >> _SHIFTS[2])


def draw(keys: Words, times: Ints) -> Words:
    """One draw for each datastream's key and time; the shapes are broadcast."""
    return mix(keys ^ mix(times.astype(np.uint64)))


def normal(words: Words) -> Floats:
    """Mean 0, spread 1, never beyond 3.5: the sum of four uniform 16-bit numbers."""
    total = np.zeros(words.shape)
    for shift in (0, 16, 32, 48):
        total += (words >> np.uint64(shift)) & _WORD
    return (total / float(_WORD) - 2.0) * math.sqrt(3.0)


def wander(seed: int, times: Ints, knot: int) -> Floats:
    """A smooth line without jumps: spread about 0.85, knots ``knot`` ms apart.

    Args:
        seed: Tells lines apart.
        times: ms since 1970 UTC.
        knot: How fast it changes, ms.
    """
    first = times // knot
    share = (times - first * knot) / knot
    eased = share * share * (3.0 - 2.0 * share)
    words = np.array([seed], np.uint64)
    one, other = normal(draw(words, first)), normal(draw(words, first + 1))
    return one + (other - one) * eased
