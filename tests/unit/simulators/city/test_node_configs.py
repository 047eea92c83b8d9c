import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import convert

from citynerve import topics
from citynerve.errors import ConfigError
from edge.sensor import catalog
from edge.sensor.driver import Driver
from simulators import city
from simulators.city.incidents import Wanted

ORIGIN = 1_700_000_000_000


def drivers(n: int, **options: Any) -> dict[str, Driver]:  # noqa: ANN401 - passed on
    configs = city.node_configs(n, 1, **options)
    return {
        node: catalog.make(convert(tables["sensor"][0], catalog.SensorConfig), Path())
        for node, tables in configs.items()
    }


def test_five_nodes_are_five_domains_in_several_districts() -> None:
    configs = city.node_configs(5, 1)
    assert list(configs) == ["road-01", "air-02", "water-03", "noise-04", "parking-05"]
    assert all(topics.is_area(tables["node"]["area"]) for tables in configs.values())
    assert len({topics.district(tables["node"]["area"]) for tables in configs.values()}) >= 4
    properties = {
        about.name
        for driver in drivers(5).values()
        for sensor in driver.sensors()
        for about in sensor.properties
    }
    assert {"speed", "flow", "occupied", "temperature", "pm25", "no2", "noise"} < properties
    assert {"water_level", "people", "battery"} < properties


@pytest.mark.parametrize("n", [1, 10, 200, 1000])
def test_any_number_of_nodes_has_ids_and_places_of_their_own(n: int) -> None:
    configs = city.node_configs(n, 1)
    assert len(configs) == n
    assert all(topics.is_node(node) for node in configs)
    places = {tuple(tables["node"]["position"].values()) for tables in configs.values()}
    assert len(places) == n


def test_a_city_of_no_nodes_is_refused() -> None:
    with pytest.raises(ConfigError, match="no city has so many nodes"):
        city.node_configs(0, 1)


def test_without_faults_nothing_is_asked_for_or_drawn() -> None:
    for tables in city.node_configs(6, 1, faults=False).values():
        options = tables["sensor"][0]["options"]
        assert (options["incidents"], options["rate"]) == ([], 0.0)


def test_one_node_writes_the_truth() -> None:
    configs = city.node_configs(6, 1, truth="../truth.ndjson")
    writers = [n for n, t in configs.items() if "truth" in t["sensor"][0]["options"]]
    assert writers == ["road-01"]


def test_what_is_shown_is_what_a_small_city_can_show() -> None:
    shown = city.showcase(city.plan(6, 1))
    nodes = {node.id for node in city.plan(6, 1).nodes}
    assert {one.node for one in shown} <= nodes
    assert len({one.kind for one in shown}) >= 8
    assert sum(0 <= one.at_ms < 60_000 for one in shown) >= 6
    assert len(city.showcase(city.plan(1, 1))) < len(shown)
    assert all(isinstance(one, Wanted) for one in shown)


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
