"""The dump reads everything, and the comparison notices one missing, extra or changed point."""

import copy
from http.client import HTTPConnection

import pytest

from benchmarks.chaos.compare import compare
from benchmarks.chaos.dump import Dump, DumpError, Fields, Key, dump, query
from tests.servers import InfluxDb1
from tests.waiting import PATIENCE_S

TAGS = (("node", "a"), ("property", "speed"))


def some_dump() -> Dump:
    return {
        "observation": {
            Key("raw", TAGS, 1_000): {"value": 1.5, "quality": 0.0},
            Key("raw", TAGS, 2_000): {"value": 2.5, "quality": 0.0},
        },
        "rejected": {Key("main", (), 1): {"count": 1.0}},
    }


def test_equal_dumps_are_equal() -> None:
    found = compare(some_dump(), some_dump())
    assert list(found) == ["observation"]
    assert found["observation"].equal
    assert found["observation"].expected == found["observation"].found == 2


def test_a_missing_point_is_noticed() -> None:
    other = some_dump()
    key = Key("raw", TAGS, 2_000)
    del other["observation"][key]
    found = compare(some_dump(), other)["observation"]
    assert not found.equal
    assert found.missing == [key]


def test_a_missing_measurement_is_noticed() -> None:
    other = some_dump()
    del other["observation"]
    assert len(compare(some_dump(), other)["observation"].missing) == 2


def test_an_extra_point_is_noticed() -> None:
    other = some_dump()
    key = Key("raw", TAGS, 2_001)
    other["observation"][key] = {"value": 2.5, "quality": 0.0}
    found = compare(some_dump(), other)["observation"]
    assert not found.equal
    assert found.extra == [key]


@pytest.mark.parametrize(
    "fields",
    [
        {"value": 2.5000000000000004, "quality": 0.0},
        {"value": 2.5},
        {"value": 2.5, "quality": 0.0, "more": 1.0},
        {"value": "2.5", "quality": 0.0},
    ],
)
def test_a_changed_point_is_noticed(fields: Fields) -> None:
    other = copy.deepcopy(some_dump())
    key = Key("raw", TAGS, 2_000)
    other["observation"][key] = fields
    found = compare(some_dump(), other)["observation"]
    assert not found.equal
    assert found.different == [(key, {"value": 2.5, "quality": 0.0}, fields)]


def test_another_database_or_tag_is_another_point() -> None:
    other = some_dump()
    other["observation"][Key("main", TAGS, 2_000)] = other["observation"].pop(
        Key("raw", TAGS, 2_000)
    )
    found = compare(some_dump(), other)["observation"]
    assert (len(found.missing), len(found.extra)) == (1, 1)


def test_the_machinery_is_left_out() -> None:
    other = some_dump()
    other["rejected"] = {}
    other["node"] = {Key("main", (), 5): {"online": 1.0}}
    assert list(compare(some_dump(), other)) == ["observation"]


def write(port: int, database: str, text: str, policy: str = "") -> None:
    connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
    connection.request("POST", f"/write?db={database}&rp={policy}&precision=ns", text.encode())
    assert connection.getresponse().status == 204
    connection.close()


@pytest.mark.integration
def test_a_dump_holds_what_was_written(influx_process: InfluxDb1) -> None:
    port = influx_process.port
    list(query("127.0.0.1", port, "", 'CREATE DATABASE "one"'))
    list(query("127.0.0.1", port, "", 'CREATE DATABASE "two"'))
    list(
        query(
            "127.0.0.1",
            port,
            "",
            'CREATE RETENTION POLICY "short" ON "two" DURATION 0s REPLICATION 1',
        )
    )
    many = range(12_345)
    write(port, "one", "\n".join(f"m,a=x value={t}.1 {t}" for t in many))
    write(port, "one", 'm,a=y,b=z value=0.1,text="hello, you",flag=true 1750032000000000001')
    write(port, "two", "m,a=x value=1 7")
    write(port, "two", "other value=3 7", policy="short")

    found = dump(port, ("one", "two"))

    expected: dict[Key, Fields] = {
        Key("one", (("a", "x"),), t): {"value": float(f"{t}.1")} for t in many
    }
    expected[Key("one", (("a", "y"), ("b", "z")), 1750032000000000001)] = {
        "value": 0.1,
        "text": "hello, you",
        "flag": True,
    }
    expected[Key("two", (("a", "x"),), 7)] = {"value": 1.0}
    other: dict[Key, Fields] = {Key("two", (), 7): {"value": 3.0}}
    assert found == {"m": expected, "other": other}
    assert dump(port, ("one", "two"), only="other") == {"other": other}


@pytest.mark.integration
def test_a_failed_query_is_no_empty_answer(influx_process: InfluxDb1) -> None:
    with pytest.raises(DumpError, match="nowhere"):
        dump(influx_process.port, ("nowhere",))
