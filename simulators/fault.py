"""Faults that a simulated sensor has at known times, and the ground truth they leave."""

from pathlib import Path
from typing import Literal

import msgspec

from citynerve.config import Config
from simulators.signal import Signal

Kind = Literal["spike", "stuck", "gap", "drift"]


class Fault(Config):
    """One fault of one datastream, from ``start`` to ``end`` (ms from the node's time base).

    ``spike`` adds ``size``, ``drift`` goes evenly up to ``size`` and back to normal at once at the
    end, ``stuck`` repeats the value at the start, ``gap`` gives nothing.
    """

    sensor: str
    property: str
    kind: Kind
    start: int
    end: int
    size: float = 0.0


class Truth(msgspec.Struct, frozen=True):
    """One fault as the ground truth tells it: ``start`` and ``end`` in ms since 1970 UTC."""

    node: str
    sensor: str
    property: str
    kind: Kind
    start: int
    end: int
    size: float


class FaultySignal:
    """A signal with its faults; ``base`` is what their times count from (ms since 1970 UTC)."""

    def __init__(self, signal: Signal, faults: list[Fault], base: int) -> None:
        self._signal = signal
        self._faults = faults
        self._base = base

    def at(self, t: int) -> float | None:
        """The value at ``t``, or None when the sensor is silent."""
        value: float | None = self._signal.at(t)
        for fault in self._faults:
            if value is not None and fault.start <= t - self._base < fault.end:
                value = self._disturbed(fault, value, t)
        return value

    def _disturbed(self, fault: Fault, value: float, t: int) -> float | None:
        match fault.kind:
            case "gap":
                return None
            case "stuck":
                return self._signal.at(self._base + fault.start)
            case "spike":
                return value + fault.size
            case "drift":
                gone = (t - self._base - fault.start) / (fault.end - fault.start)
                return value + fault.size * gone


def write_truth(path: Path, truth: list[Truth]) -> None:
    """Write the ground truth as NDJSON, one fault a line.

    Raises:
        OSError: The file cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(msgspec.json.Encoder().encode_lines(truth))
