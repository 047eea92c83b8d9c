from typing import Any
from zoneinfo import ZoneInfo

import pytest

from citynerve.errors import ConfigError
from dashboards.view.frames import Value
from dashboards.view.tables import Column, Table, titles
from dashboards.view.transform import transformed

HOUR = 3_600_000


def table(ref: str = "A", name: str = "", **columns: list[Value]) -> Table:
    made = []
    for key, values in columns.items():
        first = next((value for value in values if value is not None), 0)
        kind = "time" if key == "Time" else "string" if isinstance(first, str) else "number"
        made.append(Column(key, kind, values, given=None if kind == "time" else key))  # type: ignore[arg-type]
    return Table(ref, tuple(made), name)


def series(title: str, times: list[Value], values: list[Value], **labels: str) -> Table:
    columns = (Column("Time", "time", times), Column("Value", "number", values, labels, title))
    return Table("A", columns, title)


def run(step: str, *tables: Table, zone: str = "UTC", **options: object) -> list[Table]:
    panel = {"transformations": [{"id": step, "options": options}]}
    return transformed(tables, panel, ZoneInfo(zone))


def shape(made: list[Table]) -> dict[str, list[Value]]:
    (one,) = made
    (named,) = titles(made)
    return {title: list(column.values) for title, column in zip(named, one.columns, strict=True)}


def test_organize_leaves_out_orders_and_renames() -> None:
    made = run(
        "organize",
        table(Time=[1], b=[2], a=["x"], c=[4]),
        excludeByName={"Time": True, "a": False},
        indexByName={"c": 0, "a": 1},
        renameByName={"c": "See", "a": ""},
    )
    assert shape(made) == {"See": [4], "a": ["x"], "b": [2]}


def test_organize_may_say_what_to_keep() -> None:
    assert shape(run("organize", table(a=[1], b=[2]), includeByName={"b": True})) == {"b": [2]}


def test_filter_by_name() -> None:
    whole = table(Time=[1], speed=[2], speed_max=[3], flow=[4])
    kept = run("filterFieldsByName", whole, include={"names": ["Time"], "pattern": "/^speed/"})
    assert list(shape(kept)) == ["Time", "speed", "speed_max"]
    kept = run("filterFieldsByName", whole, exclude={"names": ["Time", "flow"]})
    assert list(shape(kept)) == ["speed", "speed_max"]
    assert run("filterFieldsByName", whole, include={"names": ["gone"]}) == []


def test_join_puts_rows_of_equal_time_side_by_side_in_order() -> None:
    made = run(
        "joinByField",
        series("a", [3, 1], [30, 10]),
        series("b", [1, 2], [100, 200]),
        byField="Time",
        mode="outer",
    )
    assert shape(made) == {"Time": [1, 2, 3], "a": [10, None, 30], "b": [100, 200, None]}
    inner = run("joinByField", series("a", [3, 1], [30, 10]), series("b", [1], [9]), mode="inner")
    assert shape(inner) == {"Time": [1], "a": [10], "b": [9]}


def test_join_by_a_text_keeps_its_order_and_leaves_out_tables_without_it() -> None:
    made = run(
        "joinByField",
        table("A", district=["west", "east"], speed=[1, 2]),
        table("B", district=["east", "park"], flow=[3, 4]),
        table("C", other=[1]),
        byField="district",
    )
    assert shape(made) == {
        "district": ["west", "east", "park"],
        "speed": [1, 2, None],
        "flow": [None, 3, 4],
    }
    assert run("joinByField", byField="district") == []


def test_merge_brings_rows_together_that_do_not_contradict() -> None:
    made = run(
        "merge",
        table("A", node=["a", "b"], speed=[1, 2]),
        table("B", node=["b", "c"], flow=[3, 4]),
    )
    assert shape(made) == {"node": ["a", "b", "c"], "speed": [1, 2, None], "flow": [None, 3, 4]}
    two = run("merge", table("A", n=["a"], v=[1]), table("B", n=["a"], v=[2]))
    assert shape(two) == {"n": ["a", "a"], "v": [1, 2]}
    apart = [table("A", x=[1]), table("B", y=[1])]
    assert run("merge", *apart) == apart


def test_labels_become_columns_of_one_table() -> None:
    made = run(
        "labelsToFields",
        series("mean", [1], [10], node="a", prop="speed"),
        series("mean", [1], [20], node="b", prop="flow"),
        valueLabel="prop",
    )
    assert shape(made) == {
        "Time": [1, 1],
        "node": ["a", "b"],
        "speed": [10, None],
        "flow": [None, 20],
    }


def test_format_time_and_extract_fields_make_day_and_hour() -> None:
    midnight = 1_772_409_600_000  # Monday, 2026-03-02T00:00Z
    hours = table(Time=[midnight, midnight + 25 * HOUR, None], mean=[1, 2, 3])
    steps = [
        {
            "id": "formatTime",
            "options": {"timeField": "Time", "outputFormat": "[day=]E [hour=]HH"},
        },
        {"id": "extractFields", "options": {"source": "Time", "format": "kvp"}},
    ]
    made = transformed([hours], {"transformations": steps}, ZoneInfo("Asia/Shanghai"))
    assert shape(made) == {
        "Time": ["day=1 hour=08", "day=2 hour=09", None],
        "mean": [1, 2, 3],
        "day": ["1", "2", None],
        "hour": ["08", "09", None],
    }


def test_extract_fields_reads_json_and_may_replace_the_rest() -> None:
    texts = table(Time=[1, 2], text=['{"a": 1, "b": "x"}', "no json"])
    made = run("extractFields", texts, source="text", format="json", replace=True, keepTime=True)
    assert shape(made) == {"Time": [1, 2], "a": [1, None], "b": ["x", None]}
    assert shape(run("extractFields", texts, source="gone")) == shape([texts])


def test_group_by() -> None:
    found = table(hour=["08", "09", "08"], speed=[1.0, 5.0, 3.0], node=["a", "b", "b"])
    made = run(
        "groupBy",
        found,
        table("B", other=[1]),
        fields={
            "hour": {"operation": "groupby", "aggregations": []},
            "speed": {"operation": "aggregate", "aggregations": ["mean", "count"]},
            "node": {"operation": None},
        },
    )
    assert shape(made) == {
        "hour": ["08", "09"],
        "speed (mean)": [2.0, 5.0],
        "speed (count)": [2, 1],
    }


def test_grouping_to_matrix() -> None:
    found = table(day=["1", "2", "1"], hour=["08", "08", "09"], mean=[1.0, 2.0, None])
    matrix = {"rowField": "day", "columnField": "hour", "emptyValue": "null"}
    by = {"operation": "groupby"}
    last = {"operation": "aggregate", "aggregations": ["lastNotNull"]}
    grouped = run("groupBy", found, fields={"day": by, "hour": by, "mean": last})
    made = run("groupingToMatrix", *grouped, valueField="mean (lastNotNull)", **matrix)
    assert shape(made) == {"day\\hour": ["1", "2"], "08": [1.0, 2.0], "09": [None, None]}
    # Grafana's own fault, which boards must go round: a title of the values outlasts the matrix.
    (plain,) = titles(run("groupingToMatrix", found, valueField="mean", **matrix))
    assert plain == ["day\\hour", "mean", "mean"]
    two = [found, found]
    assert run("groupingToMatrix", *two, rowField="day") == two
    assert run("groupingToMatrix", found, rowField="gone") == [found]


def test_reduce_makes_rows_of_series_or_one_row_of_each_table() -> None:
    pair = [series("a", [1, 2], [1, 3], node="x"), series("b", [1], [5], node="y")]
    made = run("reduce", *pair, reducers=["mean", "lastNotNull"], labelsToFields=True)
    assert shape(made) == {
        "Field": ["a", "b"],
        "node": ["x", "y"],
        "Mean": [2, 5],
        "Last *": [3, 5],
    }
    one = run("reduce", table(Time=[1, 2], v=[1, 3]), mode="reduceFields", reducers=["max"])
    assert shape(one) == {"v": [3]}


def test_sort_by_puts_nothing_first_and_may_turn_round() -> None:
    found = table(v=[3, None, 1, 2], n=["c", "x", "a", "b"])
    up = run("sortBy", found, fields={}, sort=[{"field": "v"}])
    assert shape(up) == {"v": [None, 1, 2, 3], "n": ["x", "a", "b", "c"]}
    down = run("sortBy", found, fields={}, sort=[{"field": "v", "desc": True}])
    assert shape(down)["v"] == [3, 2, 1, None]
    assert run("sortBy", found, sort=[{"field": "gone"}]) == [found]
    assert run("sortBy", found) == [found]


def test_limit_and_filter_by_query() -> None:
    assert shape(run("limit", table(v=[1, 2, 3]), limitField=2)) == {"v": [1, 2]}
    assert shape(run("limit", table(v=[1, 2, 3]), limitField=-1)) == {"v": [3]}
    pair = [table("A", v=[1]), table("B", v=[2])]
    assert run("filterByRefId", *pair, include="B") == pair[1:]
    assert run("filterByRefId", *pair, exclude="/B/") == pair[:1]


def test_calculate_field() -> None:
    found = table(Time=[1, 2], a=[1.0, None], b=[3.0, 4.0])
    assert shape(run("calculateField", found, reduce={"reducer": "sum"}))["Total"] == [4.0, 4.0]
    share = {"left": "a", "operator": "/", "right": "b"}
    made = run("calculateField", found, mode="binary", binary=share, alias="share")
    assert shape(made)["share"] == [1 / 3, None]
    tenfold = {
        "left": {"matcher": {"id": "byName", "options": "b"}},
        "operator": "*",
        "right": {"fixed": "10"},
    }
    made = run("calculateField", found, mode="binary", binary=tenfold, replaceFields=True)
    assert shape(made) == {"Time": [1, 2], "b * 10": [30.0, 40.0]}
    pair = [series("x", [1, 2], [1, 2]), series("y", [1, 2], [10, 20])]
    difference = {"left": "y", "operator": "-", "right": "x"}
    made = run("calculateField", *pair, mode="binary", binary=difference, alias="d")
    assert shape(made) == {"Time": [1, 2], "x": [1, 2], "y": [10, 20], "d": [9, 18]}


def test_steps_follow_one_another_but_for_those_switched_off() -> None:
    steps = [
        {"id": "limit", "options": {"limitField": 1}},
        {"id": "limit", "options": {"limitField": 0}, "disabled": True},
        {"id": "organize", "options": {"renameByName": {"v": "w"}}},
    ]
    assert shape(transformed([table(v=[1, 2])], {"transformations": steps})) == {"w": [1]}


def test_a_step_may_mean_some_tables_only() -> None:
    step = {
        "id": "limit",
        "options": {"limitField": 1},
        "filter": {"id": "byRefId", "options": "/^(?:B|C)$/"},
    }
    pair = [table("A", v=[1, 2]), table("B", v=[3, 4])]
    made = transformed(pair, {"transformations": [step]})
    assert [(one.ref, one.length) for one in made] == [("B", 1), ("A", 2)]


@pytest.mark.parametrize(
    ("step", "options", "named"),
    [
        ("heatmap", {}, "heatmap"),
        ("organize", {"shuffle": True}, "shuffle"),
        ("joinByField", {"mode": "outerTabular"}, "outerTabular"),
        ("groupingToMatrix", {"emptyValue": "zero"}, "zero"),
        ("extractFields", {"source": "v", "format": "regexp"}, "regexp"),
        ("calculateField", {"mode": "windowFunctions"}, "windowFunctions"),
        ("groupBy", {"fields": {"v": {"operation": "pivot"}}}, "pivot"),
        ("reduce", {"reducers": ["entropy"]}, "entropy"),
    ],
)
def test_what_is_not_known_is_an_error_and_never_left_out(
    step: str, options: dict[str, Any], named: str
) -> None:
    found = table(Time=[1], v=[1])
    with pytest.raises(ConfigError, match=named):
        run(step, found, **options)
