import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from citynerve import topics
from citynerve.errors import UnavailableError
from simulators.city import geojson, geometry, plan, write_geojson
from simulators.city.properties import PROPERTIES
from simulators.city.streets import Net
from stream.scenario import load_scenarios

CITIES = [(1, 0), (10, 1), (26, 2), (61, 5), (100, 1), (151, 9), (301, 3), (1000, 1)]
"""Nodes and seed: every size of net."""


def reachable(net: Net) -> set[int]:
    """Junctions that can be driven to from the first."""
    beside = defaultdict(set)
    for street in net.streets:
        beside[street.a].add(street.b)
        beside[street.b].add(street.a)
    found, todo = set(), [0]
    while todo:
        junction = todo.pop()
        if junction not in found:
            found.add(junction)
            todo += beside[junction]
    return found


@pytest.mark.parametrize(("nodes", "seed"), CITIES)
def test_every_seed_makes_a_city_that_hangs_together(nodes: int, seed: int) -> None:
    city = plan(nodes, seed)
    net = city.net
    assert reachable(net) == set(range(len(net.junctions)))
    assert len({street.id for street in net.streets}) == len(net.streets)
    assert len({node.id for node in city.nodes}) == nodes
    assert len({sensor.at for node in city.nodes for sensor in node.sensors}) > nodes
    for street in net.streets:
        assert street.line[0] == net.junctions[street.a]
        assert street.line[-1] == net.junctions[street.b]
        assert 30 < street.length < 3_000
    for node in city.nodes:
        assert topics.is_area(city.area(node))
        assert topics.district(city.area(node)) == city.district(node)
        assert geometry.to_line(node.at, city.street(node).line) < 10
    assert plan.__wrapped__(nodes, seed) == city


@pytest.mark.parametrize(("nodes", "seed"), CITIES)
def test_districts_cover_the_city_without_lying_over_each_other(nodes: int, seed: int) -> None:
    net = plan(nodes, seed).net
    inland = 0
    for street in net.streets:
        middle = geometry.along(street.line, 0.5)
        around = [i for i, one in enumerate(net.districts) if geometry.inside(middle, one.ring)]
        # A border is drawn in pieces: what lies on it may fall to neither side, or to both.
        inland += around == [street.district]
    assert inland > 0.9 * len(net.streets)
    assert all(geometry.area(district.ring) > 2e5 for district in net.districts)


def test_the_larger_the_city_the_more_nodes_it_has() -> None:
    small, large = plan(10, 1).net, plan(1000, 1).net
    assert len(small.streets) < 100
    assert len(large.streets) > 300
    assert len(small.districts) < len(large.districts)


def test_every_property_is_one_that_the_stream_knows_in_the_same_unit() -> None:
    scenarios = load_scenarios()
    for name, about in PROPERTIES.items():
        rules = scenarios.find(name)
        assert rules is not scenarios.default, name
        assert rules.unit == about.unit
        assert rules.range is not None
        assert rules.range[0] <= about.low < about.high
        # A reading beyond what is possible would be a fault that no truth file tells of.
        assert about.high <= rules.range[1] or name == "temperature"


def features(path: Path) -> list[dict[str, Any]]:
    read = json.loads(path.read_text(encoding="utf-8"))
    assert read["type"] == "FeatureCollection"
    return list(read["features"])


def test_the_map_is_geojson_that_tools_can_read(tmp_path: Path) -> None:
    city = plan(60, 3)
    write_geojson(city, tmp_path / "deep" / "city.geojson")
    kinds = defaultdict(list)
    for feature in features(tmp_path / "deep" / "city.geojson"):
        assert feature["type"] == "Feature"
        shape, what = feature["geometry"], feature["properties"]
        kinds[what["kind"]].append(feature)
        form, places = shape["type"], shape["coordinates"]
        assert form == {"district": "Polygon", "node": "Point"}.get(what["kind"], "LineString")
        flat = places[0] if form == "Polygon" else [places] if form == "Point" else places
        assert all(9.5 < lon < 11 and 55.5 < lat < 57 for lon, lat in flat)
        if form == "Polygon":
            assert flat[0] == flat[-1]
            # RFC 7946, 3.1.6: exterior rings run anticlockwise.
            assert geometry.area([(lon, lat) for lon, lat in flat[:-1]]) > 0
    assert len(kinds["node"]) == 60
    assert len(kinds["street"]) == len(city.net.streets)
    assert {one["properties"]["id"] for one in kinds["water"]} == {"river", "coast"}
    districts = {one["properties"]["id"] for one in kinds["district"]}
    streets = {one["properties"]["id"]: one["properties"] for one in kinds["street"]}
    for node in kinds["node"]:
        about = node["properties"]
        assert about["district"] in districts
        assert streets[about["street"]]["district"] == about["district"]
        assert about["area"] == f"elvsund/{about['district']}/{about['street']}"
        assert about["sensors"]


def test_a_map_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UnavailableError, match="map of the city"):
        write_geojson(plan(3, 1), tmp_path / "file" / "city.geojson")


def test_names_are_told_as_people_write_them() -> None:
    named = [f["properties"]["name"] for f in geojson.features(plan(30, 1))
             if f["properties"]["kind"] == "street"]  # fmt: skip
    assert any(set(name) & set("æøåé") for name in named)
    assert len(set(named)) > 15
