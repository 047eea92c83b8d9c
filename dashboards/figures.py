"""Key figures by domain: how traffic, air, water, noise, parking and crowds stand right now."""

from typing import Final, NamedTuple

from grafana_foundation_sdk.builders import stat

from dashboards.influxql import InfluxQL
from dashboards.looks import BLUE, ORANGE, VERMILION, by_threshold, steps
from dashboards.panels import key_figure
from dashboards.properties import PROPERTIES
from dashboards.sources import MAIN, RAW

CITY: Final = "_city"
"""The district of the whole city's roll-ups."""


class Figure(NamedTuple):
    """One key figure of a property's roll-up.

    Attributes:
        title: Short: it stands in an eighth of the page.
        field: Of the roll-up: ``mean``, ``max``, or ``sum`` (over the datastreams).
        what: What it means, in a sentence.
        window: Of the roll-up that is asked: the shortest that the property's scenario has.
    """

    title: str
    field: str
    what: str
    window: str = "1m"


FIGURES: Final = {
    "speed": Figure("Traffic speed", "mean", "Mean speed past the road sensors."),
    "flow": Figure("Traffic flow", "mean", "Vehicles an hour past a road sensor, on average."),
    "queue": Figure("Longest queue", "max", "The longest queue at any road sensor."),
    "pm25": Figure(
        "PM2.5",
        "mean",
        "Fine dust. Above 15 (orange) is more than WHO's guideline for a day; above 50 (red) "
        "people with weak lungs should stay in.",
    ),
    "noise": Figure(
        "Noise", "mean", "Mean sound level. Above 65 dB (orange) it harms in the long run."
    ),
    "water_level": Figure(
        "Highest water",
        "max",
        "The highest water level at any gauge, against its datum. Above 1.8 m (orange) keep watch, "
        "above 2.5 m (red) it floods. Set it to your gauges.",
    ),
    "occupancy": Figure(
        "Parking",
        "mean",
        "Share of parking spaces taken. Above 85 % (orange) drivers begin to circle.",
        window="10m",
    ),
    "people": Figure(
        "People", "sum", "People in the squares and streets that are counted, all together."
    ),
}
"""Property -> its figure, in the order in which they stand."""


ALARMS: Final[dict[str, tuple[float, float]]] = {
    "pm25": (15, 50),
    "noise": (65, 80),
    "water_level": (1.8, 2.5),
    "occupancy": (85, 97),
}
"""Property -> values from which a figure is raised, and high; alert rules begin at the latter."""


_WORDS: Final = {"1m": "a minute", "10m": "ten minutes"}


def build(name: str, district: str) -> stat.Panel:
    """The figure of one property in a district (an InfluxQL string, or a variable in one)."""
    figure, shown = FIGURES[name], PROPERTIES[name]
    selected = f'mean("{figure.field}")'
    if figure.field == "sum":
        selected = 'mean("mean") * mean("datastreams")'
    elif figure.field == "max":
        selected = 'max("max")'
    panel = (
        key_figure(
            figure.title,
            f"{figure.what} The newest mean of {_WORDS[figure.window]} (of more, where the time "
            "range is long); the curve shows the time range.",
            InfluxQL(
                "A",
                RAW if figure.window == "1m" else MAIN,
                f"""
                SELECT {selected} AS "{name}" FROM "rollup"
                WHERE $timeFilter AND "district" = '{district}' AND "property" = '{name}'
                AND "window" = '{figure.window}' GROUP BY time($__interval) fill(none)
                """,
            ).series(name),
        )
        .unit(shown.unit)
        .decimals(shown.decimals)
        .interval(figure.window)
        .max_data_points(100)
    )
    if name in ALARMS:
        raised, high = ALARMS[name]
        panel.color_scheme(by_threshold()).thresholds(
            steps((None, BLUE), (raised, ORANGE), (high, VERMILION))
        )
    return panel
