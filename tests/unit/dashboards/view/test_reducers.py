import statistics

import pytest

from citynerve.errors import ConfigError
from dashboards.view.frames import Value
from dashboards.view.reducers import label, reduced

FOUND: list[Value] = [4, None, 2.5, 7, 7, None]


@pytest.mark.parametrize(
    ("calc", "value"),
    [
        ("lastNotNull", 7),
        ("last", None),
        ("firstNotNull", 4),
        ("first", 4),
        ("min", 2.5),
        ("max", 7),
        ("mean", statistics.fmean([4, 2.5, 7, 7])),
        ("median", 5.5),
        ("sum", 20.5),
        ("count", 6),
        ("range", 4.5),
        ("diff", 3),
        ("diffperc", 0.75),
        ("step", -1.5),
        ("delta", 7),  # a counter that was reset once: what it had run since is unknown, 7 - 0
        ("logmin", 2.5),
        ("variance", statistics.pvariance([4, 2.5, 7, 7])),
        ("stdDev", statistics.pstdev([4, 2.5, 7, 7])),
        ("changeCount", 4),
        ("distinctCount", 4),
        ("allIsNull", False),
        ("allIsZero", False),
        ("p50", 7),
        ("p1", 2.5),
        ("p99", 7),
    ],
)
def test_calculations(calc: str, value: Value) -> None:
    assert reduced(FOUND, calc) == value


@pytest.mark.parametrize(
    ("values", "calc", "value"),
    [
        ([], "sum", 0),
        ([], "count", 0),
        ([], "mean", None),
        ([], "lastNotNull", None),
        ([], "last", None),
        ([None], "max", None),
        ([None], "allIsNull", True),
        ([0, None], "allIsZero", True),
        ([None], "allIsZero", False),
        (["a", "b"], "lastNotNull", "b"),
        ([5], "step", None),
        ([0, 0], "diffperc", None),
        ([10, 20, 5, 8], "delta", 18),
    ],
)
def test_edges(values: list[Value], calc: str, value: Value) -> None:
    assert reduced(values, calc) == value


def test_an_unknown_calculation_is_refused_with_those_there_are() -> None:
    with pytest.raises(ConfigError, match="lastNotNull, last"):
        reduced([1], "entropy")
    assert (label("lastNotNull"), label("p95"), label("other")) == ("Last *", "95th %", "other")
