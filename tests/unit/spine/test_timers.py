import doctest

from citynerve import timers
from citynerve.timers import Timers


def test_the_docstring_runs() -> None:
    found = doctest.testmod(timers)
    assert found.attempted
    assert not found.failed


def test_what_is_due_comes_in_the_order_of_its_time_and_once() -> None:
    one = Timers[int]()
    for key in (3, 1, 2):
        one.put(key, float(key))
    assert one.take(0.5) == []
    assert one.take(2.0) == [1, 2]
    assert one.take(10.0) == [3]
    assert one.next is None
    assert len(one) == 0


def test_a_new_time_replaces_the_old_one_and_a_dropped_key_is_due_at_none() -> None:
    one = Timers[str]()
    one.put("a", 1.0)
    one.put("a", 5.0)
    one.put("b", 2.0)
    one.drop("b")
    assert one.next == 5.0
    assert one.take(4.0) == []
    assert one.take(5.0) == ["a"]


def test_who_is_put_back_while_it_is_taken_waits_for_the_next_time() -> None:
    one = Timers[str]()
    one.put("a", 1.0)
    for _ in range(3):
        assert one.take(1.0) == ["a"]
        one.put("a", 0.0)
