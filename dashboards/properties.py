"""How observed properties read on a board: their title and Grafana's unit for them."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from grafana_foundation_sdk.models.dashboard import DynamicConfigValue

from dashboards.looks import prop, titled


class Shown(NamedTuple):
    """One property for people.

    Attributes:
        title: Its name.
        unit: Grafana's id of its unit.
        decimals: After the point.
    """

    title: str
    unit: str
    decimals: int = 0


UNITS: Final = {
    "%": "percent",
    "/h": "suffix:/h",
    "1": "short",
    "By/s": "Bps",
    "Cel": "celsius",
    "[ppm]": "ppm",
    "dB": "dB",
    "deg": "degree",
    "hPa": "pressurehpa",
    "km/h": "velocitykmh",
    "m": "lengthm",
    "mg/m3": "conmgm3",
    "mm/h": "suffix:mm/h",
    "s": "s",
    "ug/m3": "conμgm3",
}
"""UCUM code -> Grafana's unit."""

PROPERTIES: Final = {
    "speed": Shown("Traffic speed", UNITS["km/h"]),
    "flow": Shown("Traffic flow", UNITS["/h"]),
    "queue": Shown("Queue", UNITS["m"]),
    "pm25": Shown("PM2.5", UNITS["ug/m3"], 1),
    "no2": Shown("NO₂", UNITS["ug/m3"], 1),
    "noise": Shown("Noise", UNITS["dB"]),
    "water_level": Shown("Water level", UNITS["m"], 2),
    "rain": Shown("Rain", UNITS["mm/h"], 1),
    "temperature": Shown("Temperature", UNITS["Cel"], 1),
    "occupancy": Shown("Parking", UNITS["%"]),
    "people": Shown("People", UNITS["1"]),
}
"""Those with columns or figures of their own on the boards, in their order."""


def columns(names: Sequence[str]) -> list[tuple[str, list[DynamicConfigValue]]]:
    """Column name and overrides, of tables with one column for each of these properties."""
    chosen = [(name, PROPERTIES[name]) for name in names]
    return [
        (name, [*titled(shown.title, shown.unit), prop("decimals", shown.decimals)])
        for name, shown in chosen
    ]


def pattern(names: Sequence[str]) -> str:
    """An InfluxQL regular expression that fits exactly these properties."""
    return f"/^({'|'.join(names)})$/"
