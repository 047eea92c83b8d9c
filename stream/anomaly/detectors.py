"""All detectors of a lane as one: each datastream is watched by what its pack chose.

The light detector sees every datastream: of one that chose the full detector it watches gaps,
flatlines and the range, and the full detector finds the rest. Only those take the full detector's
room.
"""

from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np
from msgspec import Struct, structs
from numpy.typing import NDArray

from stream.anomaly.detector import FINDING, Reading
from stream.anomaly.full import Full
from stream.anomaly.light import Light, upgrade
from stream.scenario import FullDetector, LightDetector, Property

_BY_LIGHT: Final = -1


class _Frozen(Struct):
    """``places`` are int32: each datastream's row in the full detector, or -1."""

    light: bytes
    places: bytes
    full: bytes


class Detectors:
    """The detectors over the datastreams of a lane; see ``stream.anomaly.detector``."""

    kinds: Sequence[str] = tuple(dict.fromkeys([*Light.kinds, *Full.kinds]))

    def __init__(self) -> None:
        self._light = Light()
        self._full = Full()
        self._places = np.zeros(0, np.int32)
        self._kind_of_full = np.array([self.kinds.index(kind) for kind in Full.kinds])

    @staticmethod
    def prepare() -> None:
        """Compile the kernels, or load them; seconds the first time on a machine."""
        nothing = Reading(
            np.zeros(0, np.int32), np.zeros(0, np.int64), np.zeros(0), np.zeros(0, np.uint8)
        )
        for detector in (Light(), Full()):
            detector.grow(1)
            detector.observe(nothing)

    def grow(self, rows: int) -> None:
        """Hold at least ``rows`` datastreams; new ones start without any history."""
        self._light.grow(rows)
        have = len(self._places)
        if rows > have:
            more = np.full(max(rows, 2 * have) - have, _BY_LIGHT, np.int32)
            self._places = np.concatenate([self._places, more])

    def configure(self, row: int, rules: Property, limits: tuple[float, float] | None) -> None:
        """Set a datastream's rules; what the detector they name has learned of it stays."""
        chosen = rules.detector
        place = int(self._places[row])
        if isinstance(chosen, FullDetector):
            if place == _BY_LIGHT:
                place = self._free()
                self._places[row] = place
            self._full.configure(place, rules, limits)
            beside = LightDetector(
                spike=False,
                flatline=chosen.flatline,
                still_at_zero=chosen.still_at_zero,
                gap=chosen.gap,
            )
            self._light.configure(row, structs.replace(rules, detector=beside), limits)
            return
        if place != _BY_LIGHT:
            self._full.forget(place)
            self._places[row] = _BY_LIGHT
        self._light.configure(row, rules, limits)

    def observe(self, readings: Reading) -> NDArray[np.void]:
        """Learn from readings, each datastream's in order of time, and tell what was found."""
        found = self._light.observe(readings)
        places = self._places[readings.row]
        chosen = places != _BY_LIGHT
        if not chosen.any():
            return found
        more = self._full.observe(
            Reading(
                places[chosen],
                readings.time[chosen],
                readings.value[chosen],
                readings.usable[chosen],
            )
        )
        if not len(more):
            return found
        row_at = np.full(len(self._full), -1, np.int64)
        row_at[self._places[self._places != _BY_LIGHT]] = np.flatnonzero(self._places != _BY_LIGHT)
        more["row"] = row_at[more["row"]]
        more["kind"] = self._kind_of_full[more["kind"]]
        both = np.concatenate([found, more], dtype=FINDING)
        # A datastream's times grow, so that this is the order of its readings.
        return both[np.argsort(both["at"], kind="stable")]

    def snapshot(self, rows: int) -> bytes:
        """The history of the first ``rows`` datastreams; a copy."""
        places = self._places[:rows]
        room = int(places.max(initial=_BY_LIGHT)) + 1
        frozen = _Frozen(self._light.snapshot(rows), places.tobytes(), self._full.snapshot(room))
        return msgspec.msgpack.encode(frozen)

    def restore(self, state: bytes) -> None:
        """Take up a snapshot's history; rules are set anew by :meth:`configure`."""
        frozen = msgspec.msgpack.decode(state, type=_Frozen)
        self._light.restore(frozen.light)
        self._full.restore(frozen.full)
        self._places = np.frombuffer(frozen.places, np.int32).copy()

    def restore_light(self, state: bytes) -> None:
        """Take up the light detector's history alone, from before there was another."""
        self._light.restore(upgrade(state))
        self._places = np.zeros(0, np.int32)

    def _free(self) -> int:
        """A place in the full detector that is nobody's; always the first one."""
        taken = np.zeros(len(self._full) + 1, np.bool_)
        taken[self._places[self._places != _BY_LIGHT]] = True
        place = int(np.argmin(taken))
        self._full.grow(place + 1)
        return place
