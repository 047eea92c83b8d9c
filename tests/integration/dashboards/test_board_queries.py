"""Every query of every board, with every value of every variable, on real InfluxDB servers."""

import re
from collections.abc import Sequence
from functools import cache
from typing import Any

import pytest

from dashboards import queries
from dashboards.queries import ALL
from tests.integration.dashboards import sample_city as city
from tests.integration.dashboards.stored_city import BOARDS, Row, Store, rows

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def answered(store: Store) -> dict[str, dict[str, list[Row]]]:
    """Board -> place of a query -> its rows for every choice together; equal queries run once."""

    @cache
    def run(source: str, influxql: str) -> list[Row]:
        if "now() - 30s" in influxql:
            store.beat()  # however long it took to come here
        return rows(store.run(source, influxql))

    @cache
    def values(source: str, influxql: str) -> list[str]:
        return store.values(source, influxql)

    found: dict[str, dict[str, list[Row]]] = {}
    for name, board in BOARDS.items():
        known = queries.variables(board)
        places = found[name] = {query.place: [] for query in queries.queries(board)}
        combinations = list(queries.choices(board, values))
        assert combinations, name
        for chosen in combinations:
            for query in queries.queries(board):
                influxql = queries.substitute(query, known, chosen, store.span)
                places[query.place] += run(query.source, influxql)
    return found


@pytest.mark.parametrize("name", BOARDS)
def test_every_query_answers_with_rows_for_some_choice(
    answered: dict[str, dict[str, list[Row]]], name: str
) -> None:
    assert [place for place, found in answered[name].items() if not found] == []


@pytest.mark.parametrize("name", BOARDS)
def test_rows_have_the_shape_that_their_panel_draws(
    answered: dict[str, dict[str, list[Row]]], name: str
) -> None:
    for panel in BOARDS[name]["panels"]:
        for target in panel["targets"]:
            found = answered[name][f"panel {panel['title']!r}, query {target['refId']}"]
            _has_shape(panel, target, found)


def _has_shape(panel: dict[str, Any], target: dict[str, Any], found: Sequence[Row]) -> None:
    where = f"{panel['title']}, {target['refId']}"
    columns = {column for row in found for column in row}
    figures = {
        column for row in found for column, value in row.items() if isinstance(value, int | float)
    } - {"time"}
    if panel["type"] == "geomap":
        assert {"lat", "lon"} <= columns, where
        assert all(55 < row["lat"] < 57 and 9 < row["lon"] < 11 for row in found), where
    if target["resultFormat"] == "time_series":
        assert "time" in columns, where
        tags = set(re.findall(r"\$tag_(\w+)", target["alias"]))
        assert tags <= columns, where
        assert all(isinstance(row["time"], int) and set(row) >= tags for row in found), where
    if panel["type"] in {"stat", "bargauge", "barchart", "timeseries"}:
        assert figures, where
    for step in panel.get("transformations", []):
        options = step["options"]
        if step["id"] == "groupingToMatrix" and "(" not in options["valueField"]:
            assert {options[key] for key in ("rowField", "columnField", "valueField")} <= columns


@pytest.mark.parametrize("name", BOARDS)
def test_columns_that_panels_name_are_in_the_answers(
    answered: dict[str, dict[str, list[Row]]], name: str
) -> None:
    for panel in BOARDS[name]["panels"]:
        if {step["id"] for step in panel.get("transformations", [])} - {"organize"}:
            continue  # names what they make
        seen = {"Time"}
        for target in panel["targets"]:
            found = answered[name][f"panel {panel['title']!r}, query {target['refId']}"]
            for row in found:
                seen |= set(row)
            alias = target.get("alias", "")
            tag = alias.removeprefix("$tag_")
            seen |= {row[tag] for row in found if tag in row} if tag != alias else {alias}
        named = {
            override["matcher"]["options"]
            for override in panel.get("fieldConfig", {}).get("overrides", [])
        }
        assert named - seen <= _OF_OTHER_CITIES, panel["title"]


_OF_OTHER_CITIES = {
    *(f"{prefix}{name}" for prefix in ("", "count_") for name in ("bicycle", "motorcycle")),
    *("truck", "count_truck", "count_bus"),
}
"""Classes that the sample city does not have."""


def test_variables_offer_what_is_stored(store: Store) -> None:
    found = list(queries.choices(BOARDS["datastream"], store.values))
    expected = {
        (stream.node, stream.sensor, stream.prop, window, stream.district)
        for stream in city.STREAMS
        for window in city.WINDOWS
    }
    names = ("node", "sensor", "property", "window", "district")
    assert {tuple(chosen[name] for name in names) for chosen in found} == expected
    assert len(found) == len(expected)

    def offered(board: str, name: str) -> set[queries.Choice]:
        return {chosen[name] for chosen in queries.choices(BOARDS[board], store.values)}

    assert offered("city-now", "property") == {stream.prop for stream in city.STREAMS}
    assert offered("district", "district") == set(city.DISTRICTS)
    assert offered("trends", "district") == {*city.DISTRICTS, "_city"}
    assert offered("cameras", "node") == {ALL, "cam-1"}
    assert offered("cameras", "camera") == {ALL, "north"}
    assert offered("nodes", "node") == set(city.ONLINE)
