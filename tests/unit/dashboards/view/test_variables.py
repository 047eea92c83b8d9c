from typing import Any

import pytest

from citynerve.errors import ConfigError
from dashboards.queries import ALL
from dashboards.view import variables
from dashboards.view.variables import Variable, arranged, read, settled

QUERY: dict[str, Any] = {
    "type": "query",
    "name": "node",
    "label": "Node",
    "query": "SHOW TAG VALUES",
    "datasource": {"uid": "citynerve"},
}


def of(**more: object) -> Variable:
    (variable,) = read({"templating": {"list": [{**QUERY, **more}]}})
    return variable


def test_a_board_without_variables_has_none() -> None:
    assert read({}) == []
    assert read({"templating": {}}) == []


def test_every_kind_is_read() -> None:
    entries = [
        {**QUERY, "current": {"value": ["$__all"]}, "includeAll": True, "multi": True},
        {"type": "custom", "name": "window", "query": "1m, 10m : ten,a\\,b"},
        {"type": "interval", "name": "step", "options": [{"value": "1m"}, {"value": "1h"}]},
        {"type": "constant", "name": "root", "query": "city"},
        {"type": "textbox", "name": "filter", "query": "x", "hide": 2},
    ]
    node, window, step, root, text = read({"templating": {"list": entries}})
    assert (node.default, node.source, node.label) == (ALL, "citynerve", "Node")
    assert window.fixed == ("1m", "ten", "a,b")
    assert step.fixed == ("1m", "1h")
    assert (root.query, root.hidden) == ("city", True)
    assert (text.default, text.hidden) == ("x", True)


def test_a_kind_that_is_not_known_is_refused() -> None:
    with pytest.raises(ConfigError, match="adhoc"):
        of(type="adhoc")


@pytest.mark.parametrize(
    ("sort", "ordered"),
    [
        (0, ["b10", "B2", "a1"]),
        (1, ["B2", "a1", "b10"]),
        (2, ["b10", "a1", "B2"]),
        (3, ["a1", "B2", "b10"]),
        (4, ["b10", "B2", "a1"]),
        (5, ["a1", "b10", "B2"]),
        (7, ["a1", "B2", "b10"]),
        (8, ["b10", "B2", "a1"]),
    ],
)
def test_choices_are_ordered_as_the_board_says(sort: int, ordered: list[str]) -> None:
    assert arranged(of(sort=sort), ["b10", "B2", "a1", "b10"]) == ordered


def test_a_filter_keeps_what_it_matches_or_its_group() -> None:
    assert arranged(of(regex="/^(?!_)/"), ["_city", "north"]) == ["north"]
    assert arranged(of(regex="nor"), ["_city", "north"]) == ["north"]
    assert arranged(of(regex="/cam-(.*)/"), ["cam-a", "loop", "cam-b"]) == ["a", "b"]
    assert arranged(of(regex="/(?<text>c)am-(?<value>.*)/"), ["cam-a"]) == ["a"]
    with pytest.raises(ConfigError, match="regular expression"):
        arranged(of(regex="/(/"), ["a"])


def test_what_is_asked_for_counts_if_it_is_on_offer() -> None:
    several = of(multi=True, includeAll=True, allValue=".*", current={"value": ["$__all"]})
    assert settled(several, ["a", "b"], ("a", "b")) == ("a", "b")
    assert settled(several, ["a", "b"], ("a", "gone")) == "a"
    assert settled(several, ["a", "b"], ("gone",)) == ALL
    assert settled(several, ["a", "b"], ALL) == ALL
    assert settled(several, ["a", "b"], "All") == ALL
    assert settled(several, ["All", "b"], "All") == "All"
    assert settled(several, [], ALL) is None
    one = of(current={"value": "b"})
    assert settled(one, ["a", "b"], None) == "b"
    assert settled(one, ["a", "b"], "a") == "a"
    assert settled(one, ["a", "b"], ("a", "b")) == "a"
    assert settled(one, ["a"], ALL) == "a"


def test_all_without_a_pattern_is_every_value() -> None:
    plain, wild = of(includeAll=True), of(includeAll=True, allValue=".*")
    assert variables.expanded(plain, ["a", "b"], ALL) == ("a", "b")
    assert variables.expanded(wild, ["a", "b"], ALL) == ALL
    assert variables.expanded(plain, ["a", "b"], "a") == "a"
