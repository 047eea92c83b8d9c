import pytest

from citynerve.influx import Series
from dashboards.view.answers import as_series, as_table, named, typed
from dashboards.view.tables import Column, Table, labels_text, titles

MEANS = [
    Series(
        "aggregate",
        {"node": "a", "sensor": "s"},
        ["time", "mean", "max"],
        [[1, 2.5, 3], [5, None, 4]],
    ),
    Series("aggregate", {"node": "b", "sensor": "s"}, ["time", "mean", "max"], [[9, 7, 8]]),
]


def test_a_series_is_a_table_for_each_value_column() -> None:
    tables = as_series("A", MEANS, "$tag_node $col")
    assert [table.name for table in tables] == ["a mean", "a max", "b mean", "b max"]
    times, values = tables[0].columns
    assert (times.name, times.kind, times.values) == ("Time", "time", [1, 5])
    assert (values.name, values.kind, values.values) == ("Value", "number", [2.5, None])
    assert values.labels == {"node": "a", "sensor": "s"}
    assert titles(tables) == [["Time", table.name] for table in tables]


@pytest.mark.parametrize(
    ("alias", "name"),
    [
        ("$tag_node", "n-1"),
        ("[[tag_node]]: [[col]]", "n-1: mean"),
        ("$m/$measurement", "a.b/a.b"),
        ("$0 $1 $2", "a b $2"),
        ("$tag_gone $other", "$tag_gone $other"),
        ("plain", "plain"),
        ("", "a.b.mean { node: n-1, x: y }"),
    ],
)
def test_an_alias_names_a_series(alias: str, name: str) -> None:
    assert named(alias, "a.b", "mean", {"node": "n-1", "x": "y"}) == name


def test_a_table_has_time_then_tags_then_columns() -> None:
    (table,) = as_table("A", MEANS)
    assert [column.name for column in table.columns] == ["Time", "node", "sensor", "mean", "max"]
    assert table.rows() == [
        (1, "a", "s", 2.5, 3),
        (5, "a", "s", None, 4),
        (9, "b", "s", 7, 8),
    ]
    assert titles([table]) == [["Time", "node", "sensor", "mean", "max"]]


def test_no_answer_is_no_table() -> None:
    assert as_table("A", []) == []
    assert as_series("A", []) == []


def test_an_answer_without_time_is_a_table_of_its_columns_or_a_list_of_texts() -> None:
    answer = [Series("aggregate", {}, ["key", "value"], [["node", "a"], ["node", "b"]])]
    (table,) = as_table("A", answer)
    assert table.rows() == [("node", "a"), ("node", "b")]
    (texts,) = as_series("A", answer)
    assert texts.rows() == [("a",), ("b",)]


def test_a_column_has_the_kind_of_its_first_value() -> None:
    assert typed([None, 1, "x"]) == ("number", [None, 1, None])
    assert typed([None, "x", 1]) == ("string", [None, "x", None])
    assert typed([True, 1]) == ("boolean", [True, None])
    assert typed([None]) == ("number", [None])


def series(name: str, labels: dict[str, str] | None, table: str = "") -> Table:
    columns = (Column("Time", "time", [1]), Column(name, "number", [2], labels=labels))
    return Table("A", columns, table)


def second(tables: list[Table]) -> list[str]:
    return [named[1] for named in titles(tables)]


def test_titles_follow_grafana_where_the_source_gives_none() -> None:
    assert second([series("mean", None)]) == ["mean"]
    assert second([series("mean", {"node": "a"})]) == ["mean a"]
    assert second([series("Value", {"node": "a"}), series("Value", {"node": "b"})]) == ["a", "b"]
    assert second([series("Value", {"a": "1", "b": "2"})]) == ['{a="1", b="2"}']
    assert second([series("Value", None, "x")]) == ["x"]
    assert second([series("mean", None, "x"), series("mean", None, "y")]) == ["x mean", "y mean"]
    assert labels_text({}) == ""


def test_equal_names_of_a_table_are_numbered() -> None:
    table = Table("A", tuple(Column("x", "number", [1]) for _ in range(3)))
    assert titles([table]) == [["x 1", "x 2", "x 3"]]
