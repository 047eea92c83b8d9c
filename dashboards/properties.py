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


PROPERTIES: Final = {
    "speed": Shown("Traffic speed", "velocitykmh"),
    "flow": Shown("Traffic flow", "suffix:/h"),
    "queue": Shown("Queue", "suffix: m"),
    "pm25": Shown("PM2.5", "conμgm3", 1),
    "noise": Shown("Noise", "dB"),
    "water_level": Shown("Water level", "suffix: m", 2),
    "occupancy": Shown("Parking", "percent"),
    "people": Shown("People", "none"),
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
