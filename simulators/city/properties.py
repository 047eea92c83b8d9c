"""What the city's sensors observe: units, how often, how well, and what counts as touched."""

from typing import Final, NamedTuple


class Property(NamedTuple):
    """One observed property.

    Attributes:
        unit: UCUM.
        interval: Between two readings, ms.
        low: No reading lies below.
        high: No reading lies above.
        noise: Spread of a reading's error, in the unit.
        share: Further spread, as a share of the value.
        quantum: Readings are multiples of it.
        threshold: An incident touches a reading when the value without noise differs by more than
            this from what it would be without the incident.
    """

    unit: str
    interval: int
    low: float
    high: float
    noise: float
    share: float
    quantum: float
    threshold: float


_SECOND: Final = 1_000
_MINUTE: Final = 60_000

PROPERTIES: Final = {
    "speed": Property("km/h", 20 * _SECOND, 0, 200, 1.2, 0.02, 0.1, 6),
    # Vehicles are counted over a minute; the error of a count is added in ``sampling``.
    "flow": Property("/h", 20 * _SECOND, 0, 20_000, 0, 0, 60, 180),
    "queue": Property("m", 20 * _SECOND, 0, 5_000, 2, 0.04, 1, 40),
    "noise": Property("dB", 20 * _SECOND, 20, 140, 0.9, 0, 0.1, 3),
    "pm25": Property("ug/m3", _MINUTE, 0, 1_500, 0.5, 0.02, 0.1, 8),
    "no2": Property("ug/m3", _MINUTE, 0, 1_500, 0.8, 0.02, 0.1, 12),
    "ch4": Property("[ppm]", _MINUTE, 0, 10_000, 0.02, 0.01, 0.01, 0.5),
    "temperature": Property("Cel", _MINUTE, -50, 80, 0.08, 0, 0.1, 1.5),
    "humidity": Property("%", _MINUTE, 0, 100, 0.4, 0, 0.1, 5),
    "pressure": Property("hPa", _MINUTE, 850, 1_080, 0.08, 0, 0.1, 1),
    "wind_speed": Property("km/h", _MINUTE, 0, 250, 0.5, 0.08, 0.1, 5),
    "wind_direction": Property("deg", _MINUTE, 0, 360, 5, 0, 1, 30),
    "rain": Property("mm/h", _MINUTE, 0, 400, 0, 0.04, 0.2, 2),
    "water_level": Property("m", _MINUTE, -20, 50, 0.003, 0, 0.001, 0.1),
    "occupied": Property("1", _MINUTE, 0, 5_000, 0, 0, 1, 15),
    "occupancy": Property("%", _MINUTE, 0, 100, 0, 0, 0.1, 5),
    "people": Property("1", 20 * _SECOND, 0, 50_000, 0.8, 0.03, 1, 40),
    "battery": Property("%", 300 * _SECOND, 0, 100, 0.1, 0, 0.1, 5),
}
"""Property name to what it is like."""
