import sqlite3
from pathlib import Path

import pytest

from citynerve.demo.account import Counted, Datastream, Key, Spooled, Stored, read_spool, settle
from citynerve.errors import UnavailableError

KEY = Key("node-1", "loop", "speed")


def account(
    counted: Counted,
    *,
    points: int,
    windows: dict[str, int],
    unsent: int = 0,
    bad: int = 0,
    ended: bool = True,
) -> Datastream:
    stored = Stored(
        {KEY: points}, {KEY: bad} if bad else {}, {name: {KEY: n} for name, n in windows.items()}
    )
    (one,) = settle([Spooled({KEY: counted}, {KEY: unsent})], stored, ended=ended)
    return one


# 100 rows: 10 of them repeated, 5 late.
COUNTED = Counted(read=100, distinct=90, repeated=10, late=5, sent=90)


def test_all_arrived() -> None:
    one = account(COUNTED, points=90, windows={"1m": 85, "10m": 85})
    assert (one.lost, one.doubled) == (0, 0)


def test_a_point_that_is_not_stored_is_lost() -> None:
    one = account(COUNTED, points=88, windows={"1m": 85})
    assert (one.lost, one.doubled) == (2, 0)


def test_a_reading_that_no_window_counted_is_lost() -> None:
    one = account(COUNTED, points=90, windows={"1m": 85, "10m": 84})
    assert (one.lost, one.doubled) == (1, 0)


def test_a_reading_that_a_window_counted_twice_is_doubled() -> None:
    one = account(COUNTED, points=90, windows={"1m": 86, "10m": 85})
    assert (one.lost, one.doubled) == (0, 1)


def test_one_loss_does_not_hide_one_double() -> None:
    one = account(COUNTED, points=89, windows={"1m": 86})
    assert (one.lost, one.doubled) == (1, 1)


def test_readings_out_of_range_are_stored_but_in_no_window() -> None:
    one = account(COUNTED, points=90, windows={"1m": 82}, bad=3)
    assert (one.lost, one.doubled) == (0, 0)


def test_what_stays_on_the_node_is_unsent_and_not_lost() -> None:
    # 80 were handed over; the stream had 84 of the 90 before the node could hear of it.
    counted = COUNTED._replace(read=105, distinct=95)
    for points in (80, 84, 90):
        one = account(counted, points=points, windows={"1m": 60}, unsent=10, ended=False)
        assert (one.unsent, one.lost, one.doubled) == (10, 0, 0)
    assert account(counted, points=79, windows={}, unsent=10, ended=False).lost == 1


def test_a_node_that_ended_with_readings_in_hand_has_lost_them() -> None:
    counted = COUNTED._replace(sent=89)
    assert account(counted, points=89, windows={"1m": 84}).lost == 1


def test_points_that_no_node_knows_are_doubled() -> None:
    stored = Stored({KEY: 3}, {}, {})
    (one,) = settle([], stored, ended=True)
    assert (one.read, one.stored, one.doubled) == (0, 3, 3)


def test_a_spool_is_read_in_both_formats(tmp_path: Path) -> None:
    path = tmp_path / "a spool.db"
    with sqlite3.connect(path) as spool:
        spool.execute(
            "CREATE TABLE counts (sensor, property, read, distinct_, repeated, late, sent)"
        )
        spool.execute("CREATE TABLE batch (id INTEGER PRIMARY KEY, body BLOB)")
        spool.execute("INSERT INTO counts VALUES ('loop', 'speed', 9, 8, 1, 2, 7)")
        as_json = b'{"obs":[{"s":"loop","p":"speed","t":[1,2],"v":[1.0,2.0]}]}'
        # One column of loop and speed with the time 3 and the value 4.0.
        as_msgpack = (
            b"\x81\xa3obs\x91\x84\xa1s\xa4loop\xa1p\xa5speed\xa1t\x91\x03"
            b"\xa1v\x91\xcb\x40\x10\x00\x00\x00\x00\x00\x00"
        )
        spool.executemany("INSERT INTO batch (body) VALUES (?)", [(as_json,), (as_msgpack,)])
    spooled = read_spool(path, "node-1")
    assert spooled.counts == {KEY: Counted(read=9, distinct=8, repeated=1, late=2, sent=7)}
    assert spooled.unsent == {KEY: 3}


def test_a_spool_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match="spool"):
        read_spool(tmp_path / "none.db", "node-1")
