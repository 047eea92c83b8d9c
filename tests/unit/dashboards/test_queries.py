from collections.abc import Sequence
from typing import Any

import pytest

from dashboards.queries import (
    ALL,
    Query,
    Range,
    Variable,
    choices,
    interpolate,
    interval,
    queries,
    substitute,
    variables,
)

NODE = Variable("node", "s", "q", multi=False, all_value=None, options=())
KIND = Variable("kind", "s", "q", multi=True, all_value=".*", options=())


def test_a_single_value_stands_as_it_is_but_escaped_in_a_regex() -> None:
    assert interpolate("x = '$node'", [NODE], {"node": "a.b"}) == "x = 'a.b'"
    assert interpolate("x = '${node}'", [NODE], {"node": "a.b"}) == "x = 'a.b'"
    assert interpolate("x =~ /^$node$/", [NODE], {"node": "a.b"}) == r"x =~ /^a\.b$/"


def test_several_values_become_alternatives_and_all_its_own_pattern() -> None:
    query = "x =~ /^$kind$/"
    assert interpolate(query, [KIND], {"kind": ("a", "b+")}) == r"x =~ /^(a|b\+)$/"
    assert interpolate(query, [KIND], {"kind": "b+"}) == r"x =~ /^b\+$/"
    assert interpolate(query, [KIND], {"kind": ALL}) == "x =~ /^.*$/"


def test_a_variable_that_the_board_lacks_is_an_error() -> None:
    with pytest.raises(KeyError, match="nodes"):
        interpolate("'$nodes'", [NODE], {"node": "a"})


def test_time_and_interval_are_put_in_as_grafana_does() -> None:
    query = Query("p", "s", "WHERE $timeFilter GROUP BY time($__interval), $__interval_ms, $node")
    text = substitute(query, [NODE], {"node": "n"}, Range(1_000, 3_601_000, 1_000))
    assert text == ("WHERE time >= 1000ms and time <= 3601000ms GROUP BY time(5000ms), 5000, n")


def test_a_panel_draws_no_more_points_than_it_says() -> None:
    query = Query("p", "s", "GROUP BY time($__interval)", points=100)
    span = Range(0, 24 * 3_600_000, 1_000)
    assert substitute(query, [], {}, span) == "GROUP BY time(900000ms)"


def test_the_range_itself_can_be_named() -> None:
    query = Query("p", "s", "time >= ${__from}ms - 7d AND time <= ${__to}ms - 7d")
    text = substitute(query, [], {}, Range(1_000, 2_000))
    assert text == "time >= 1000ms - 7d AND time <= 2000ms - 7d"


@pytest.mark.parametrize(
    ("width_ms", "points", "step_ms"),
    # As Grafana shows them for these ranges.
    [
        (3_600_000, 1_000, 5_000),
        (3_600_000, 100, 30_000),
        (6 * 3_600_000, 1_000, 20_000),
        (24 * 3_600_000, 1_000, 60_000),
        (7 * 24 * 3_600_000, 1_000, 600_000),
        (30 * 24 * 3_600_000, 1_000, 1_800_000),
        (100, 1_000, 1),
        (20_000 * 365 * 24 * 3_600_000, 100, 365 * 24 * 3_600_000),
    ],
)
def test_interval_is_rounded_to_grafanas_steps(width_ms: int, points: int, step_ms: int) -> None:
    assert interval(Range(0, width_ms, points)) == step_ms


def test_a_panels_least_interval_holds() -> None:
    assert interval(Range(0, 3_600_000, 1_000), 60_000) == 60_000


BOARD: dict[str, Any] = {
    "panels": [
        {
            "title": "row",
            "panels": [
                {
                    "title": "inner",
                    "interval": "2m",
                    "targets": [{"refId": "A", "query": "1", "datasource": {"uid": "raw"}}],
                }
            ],
        },
        {
            "title": "outer",
            "targets": [
                {"refId": "A", "query": "2", "datasource": {"uid": "raw"}},
                {"refId": "B", "query": "3", "datasource": {"uid": "main"}},
            ],
        },
    ],
    "annotations": {
        "list": [
            {"name": "built in", "datasource": {"uid": "-- Grafana --"}, "target": {}},
            {"name": "marks", "datasource": {"uid": "main"}, "target": {"query": "4"}},
        ]
    },
    "templating": {
        "list": [
            {
                "type": "query",
                "name": "node",
                "query": "NODES",
                "datasource": {"uid": "raw"},
                "multi": True,
                "includeAll": True,
                "allValue": ".*",
            },
            {
                "type": "query",
                "name": "sensor",
                "query": "SENSORS '$node'",
                "datasource": {"uid": "raw"},
            },
            {
                "type": "custom",
                "name": "window",
                "query": "1m,10m",
                "options": [{"value": "1m"}, {"value": "10m"}],
            },
        ]
    },
}


def test_queries_of_panels_rows_and_annotations_are_found() -> None:
    assert queries(BOARD) == [
        Query("panel 'inner', query A", "raw", "1", 120_000),
        Query("panel 'outer', query A", "raw", "2"),
        Query("panel 'outer', query B", "main", "3"),
        Query("annotation marks", "main", "4"),
    ]


def test_choices_ask_each_variable_with_those_before_it() -> None:
    answers = {
        ("raw", "NODES"): ["a", "b"],
        ("raw", "SENSORS '.*'"): ["x"],
        ("raw", "SENSORS 'a'"): ["x", "y"],
        ("raw", "SENSORS 'b'"): [],
    }

    def ask(source: str, query: str) -> Sequence[str]:
        return answers[source, query]

    assert [(c["node"], c["sensor"], c["window"]) for c in choices(BOARD, ask)] == [
        (ALL, "x", "1m"),
        (ALL, "x", "10m"),
        ("a", "x", "1m"),
        ("a", "x", "10m"),
        ("a", "y", "1m"),
        ("a", "y", "10m"),
    ]


def test_a_custom_variable_has_its_own_options() -> None:
    window = variables(BOARD)[2]
    assert (window.query, window.options) == ("", ("1m", "10m"))
