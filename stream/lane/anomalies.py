"""Findings of a detector as lines and events, with words that a person understands."""

from collections.abc import Sequence
from hashlib import blake2b
from math import isfinite
from typing import Final

import numpy as np
from numpy.typing import NDArray

from citynerve.messages import AnomalyEvent
from stream.anomaly.detector import CLOSE, UPDATE
from stream.lane.lines import NS, head, line, within_ms
from stream.lane.nodes import Datastream
from stream.lane.output import LaneOutput

_SPANS: Final = ((86_400_000, "days"), (3_600_000, "h"), (60_000, "min"), (1_000, "s"))


class Reporter:
    """Turns findings of a detector, whose ``kinds`` it is told, into what leaves the lane."""

    def __init__(self, kinds: Sequence[str]) -> None:
        self._kinds = kinds

    def report(
        self, findings: NDArray[np.void], datastreams: Sequence[Datastream], out: LaneOutput
    ) -> None:
        """One line for each finding, one event for each that opens or closes an anomaly."""
        for row, k, phase, opened, at, value, expected, low, high, score in findings.tolist():
            datastream = datastreams[row]
            kind = self._kinds[k]
            spans = kind in {"gap", "flatline"}
            event = AnomalyEvent(
                id=identity(datastream, kind, opened),
                node=datastream.node,
                sensor=datastream.sensor,
                property=datastream.property,
                district=datastream.district,
                kind=kind,
                severity=datastream.rules.severity * score / (score + 1.0),
                score=score,
                t=opened,
                value=value,
                expected=None if spans else _finite(expected),
                low=_finite(low),
                high=_finite(high),
                ended=at if phase == CLOSE else None,
                reason=reason(kind, datastream.unit, value, expected, low, high, at - opened),
            )
            out.lines += _lines(event, datastream)
            if phase != UPDATE:
                out.anomalies.append(event)


def identity(datastream: Datastream, kind: str, opened: int) -> str:
    """An anomaly's id: a function of datastream, kind and opening time (ms) alone."""
    name = f"{datastream.node}/{datastream.sensor}/{datastream.property}/{kind}/{opened}"
    return blake2b(name.encode(), digest_size=8).hexdigest()


def reason(
    kind: str, unit: str, value: float, expected: float, low: float, high: float, lasted: int
) -> str:
    """Why, in words: ``142 km/h, expected 30 to 60 at this hour``; ``lasted`` in ms."""
    name = "" if unit in {"1", ""} else f" {_UNITS.get(unit, unit)}"
    said = f"{_number(value)}{name}"
    match kind:
        case "spike" | "season break" | "level shift" | "trend":
            late = " of late" if kind in {"level shift", "trend"} else ""
            return f"{said}{late}, expected {_number(low)} to {_number(high)} at this hour"
        case "variance":
            return f"readings lie farther apart than usual, around {_number(expected)}{name}"
        case "range":
            return f"{said}, possible are {_number(low)} to {_number(high)}"
        case "flatline":
            return f"{said} for {_span(lasted)} without change, at most {_span(expected)} is usual"
        case "gap":
            return f"nothing for {_span(lasted)}, usually a reading every {_span(expected)}"
        case _:
            return f"{kind}: {said}"


_UNITS: Final = {"Cel": "°C", "ug/m3": "µg/m³", "mg/m3": "mg/m³", "By/s": "B/s"}


def _lines(event: AnomalyEvent, datastream: Datastream) -> list[str]:
    start = head("anomaly", {**datastream.tags, "kind": event.kind})
    written = line(
        start,
        {
            "id": event.id,
            "severity": event.severity,
            "score": event.score,
            "value": event.value,
            "expected": event.expected,
            "low": event.low,
            "high": event.high,
            # A query can't ask whether a field is missing, so being open is said outright.
            "open": float(event.ended is None),
            "ended": event.ended,
            "reason": event.reason,
            "lat": datastream.position.lat if datastream.position else None,
            "lon": datastream.position.lon if datastream.position else None,
        },
        event.t * NS + within_ms(event.id),
    )
    return [written] if written else []


def _finite(value: float) -> float | None:
    return value if isfinite(value) else None


def _number(value: float) -> str:
    """Three figures, more only for a whole number; no exponent for what people measure."""
    if abs(value) >= 100:  # noqa: PLR2004 - three figures
        return f"{value:.0f}"
    return f"{value:.3g}"


def _span(ms: float) -> str:
    for size, name in _SPANS:
        if ms >= size:
            return f"{ms / size:.3g} {name}"
    return f"{ms:.0f} ms"
