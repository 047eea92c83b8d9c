from collections.abc import Callable
from random import Random

import pytest

from edge.window import FIRST_RETRY, FIRST_WINDOW, LAST_RETRY, Window

SIZE = 10_000


def window() -> Window:
    return Window(Random(1))


def test_it_starts_with_one_batch_of_whatever_size() -> None:
    one = window()
    assert one.admits(500_000)
    one.sent(1, 500_000, now=0)
    assert not one.admits(1)


def test_it_doubles_with_progress_up_to_the_credit() -> None:
    one, sizes = window(), []
    for batch in range(1, 6):
        one.granted(credit=100_000, retry=10_000)
        one.sent(batch, SIZE, now=0)
        one.progress(batch, now=0)
        sizes.append(one.limit)
    assert sizes == [32_768, 65_536, 100_000, 100_000, 100_000]


def test_a_smaller_credit_holds_at_once() -> None:
    one = window()
    one.granted(credit=1 << 20, retry=1_000)
    for batch in range(1, 8):
        one.sent(batch, SIZE, now=0)
        one.progress(batch, now=0)
    assert one.limit == 1 << 20
    one.granted(credit=70_000, retry=1_000)
    assert one.limit == 70_000


def test_it_asks_for_an_ack_when_half_is_used() -> None:
    one = window()
    assert not one.wants_ack(FIRST_WINDOW // 2 - 1)
    assert one.wants_ack(FIRST_WINDOW // 2)


def test_without_progress_it_falls_back_and_waits_twice_as_long_each_time() -> None:
    one, now, waits = window(), 0, []
    for _ in range(8):
        one.sent(1, SIZE, now)
        start = now
        while not one.overdue(now):
            now += 100
        waits.append(now - start)
        assert (one.last, one.bytes, one.limit) == (None, 0, FIRST_WINDOW)
    for step, wait in enumerate(waits):
        usual = min(FIRST_RETRY << step, LAST_RETRY)
        assert usual <= wait <= 1.5 * usual + 100
    assert (one.collapses, one.resent_up_to) == (8, 1)


@pytest.mark.parametrize("calm", [Window.hurry, lambda one: one.progress(1, now=0)])
def test_progress_and_a_new_connection_make_it_patient_as_at_first(
    calm: Callable[[Window], None],
) -> None:
    one = window()
    one.granted(credit=65_536, retry=4_000)
    for _ in range(4):
        one.sent(1, SIZE, now=0)
        assert one.overdue(10**9)
    calm(one)
    one.sent(2, SIZE, now=0)
    assert not one.overdue(3_999)
    assert one.overdue(6_000)


def test_with_nothing_on_its_way_nothing_is_overdue() -> None:
    one = window()
    one.sent(1, SIZE, now=0)
    one.progress(1, now=0)
    assert not one.overdue(10**12)
    one.sent(2, SIZE, now=0)
    one.given_up(2)
    assert not one.overdue(10**12)
