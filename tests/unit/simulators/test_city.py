import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import convert

from citynerve import topics
from edge.sensor import catalog
from edge.sensor.driver import Driver, Reading
from simulators import city

ORIGIN = 1_700_000_000_000


def drivers(n: int, **options: Any) -> dict[str, Driver]:  # noqa: ANN401 - passed on
    configs = city.node_configs(n, 1, **options)
    return {
        node: catalog.make(convert(tables["sensor"][0], catalog.SensorConfig), Path())
        for node, tables in configs.items()
    }


def test_five_nodes_are_five_domains_in_five_districts() -> None:
    configs = city.node_configs(5, 1)
    assert all(topics.is_node(node) for node in configs)
    assert all(topics.is_area(tables["node"]["area"]) for tables in configs.values())
    assert len({topics.district(tables["node"]["area"]) for tables in configs.values()}) == 5
    properties = {
        about.name
        for driver in drivers(5).values()
        for sensor in driver.sensors()
        for about in sensor.properties
    }
    assert {"speed", "vehicles", "occupied", "temperature", "pm25", "no2", "noise"} < properties
    assert "water_level" in properties


def test_any_number_of_nodes_has_ids_of_their_own() -> None:
    assert len(city.node_configs(200, 1)) == 200


def test_a_fixed_city_is_the_same_city_again() -> None:
    def everything() -> dict[str, list[object]]:
        given_items: dict[str, list[object]] = {}
        for node, driver in drivers(5, count=20, base_ms=ORIGIN, history_ms=600_000).items():
            driver.open(ORIGIN)
            given_items[node] = []
            while not driver.finished:
                given_items[node] += driver.poll(ORIGIN + 60_000, 100)
        return given_items

    assert everything() == everything()


def test_most_faults_of_the_demo_stand_out_of_the_undisturbed_range() -> None:
    """A spike is no spike when the day's own swing hides it."""
    for kit in city.KITS:
        for sensor, name, kind, start, end, size in kit.faults:
            if kind != "spike":
                continue
            options = {"node": "n", "sensors": {sensor: [name]}, "history_ms": 48 * 3_600_000}
            table = {"driver": "plugin", "object": "simulators.node:SimulatedNode"}
            driver = catalog.make(
                convert({**table, "options": options}, catalog.SensorConfig), Path()
            )
            driver.open(ORIGIN)
            items = driver.poll(ORIGIN + end * 1000, 1 << 30)
            values = [item.value for item in items if isinstance(item, Reading)]
            assert size > max(values) - min(values), (kit.kind, name, start)


values = st.booleans() | st.integers(-(1 << 40), 1 << 40) | st.text(max_size=8)
keys = st.text(max_size=6)
inline = st.recursive(
    values, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3)
)


@given(
    tables=st.dictionaries(
        st.from_regex("[a-z]{1,6}", fullmatch=True),
        st.dictionaries(keys, inline, max_size=4),
        max_size=3,
    )
)
def test_toml_is_read_back_as_it_was_meant(tables: dict[str, Any]) -> None:
    assert tomllib.loads(city.toml(tables)) == tables


@pytest.mark.parametrize("node", list(city.node_configs(6, 1)))
def test_the_configurations_survive_toml(node: str) -> None:
    tables = city.node_configs(6, 1)[node]
    assert tomllib.loads(city.toml(tables)) == tables
