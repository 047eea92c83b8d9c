"""What the boards say of properties is what the scenario packs have."""

import pytest

from dashboards.figures import ALARMS, FIGURES
from dashboards.properties import PROPERTIES
from stream.scenario import load_scenarios

SCENARIOS = load_scenarios()

UNITS = {
    "%": "percent",
    "/h": "suffix:/h",
    "1": "none",
    "dB": "dB",
    "km/h": "velocitykmh",
    "m": "suffix: m",
    "ug/m3": "conμgm3",
}
"""UCUM code -> Grafana's unit."""


@pytest.mark.parametrize("name", PROPERTIES)
def test_a_property_is_shown_in_the_unit_that_it_is_measured_in(name: str) -> None:
    unit = SCENARIOS.find(name).unit
    assert unit is not None
    assert PROPERTIES[name].unit == UNITS[unit]


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_asks_for_the_shortest_minutes_that_there_are(name: str) -> None:
    windows = SCENARIOS.find(name).windows
    assert FIGURES[name].window == ("1m" if "1m" in windows else "10m")


def test_thresholds_rise_within_the_possible() -> None:
    for name, (raised, high) in ALARMS.items():
        assert name in FIGURES
        bounds = SCENARIOS.find(name).range
        assert bounds is not None
        assert bounds[0] < raised < high < bounds[1]
