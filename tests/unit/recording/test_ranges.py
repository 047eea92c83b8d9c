"""Ranges are a set of numbers."""

from hypothesis import given
from hypothesis import strategies as st

from simulators.recording.ranges import Ranges

numbers = st.lists(st.integers(1, 40), max_size=60)


@given(numbers, st.integers(0, 45))
def test_ranges_hold_what_a_set_holds(added: list[int], limit: int) -> None:
    ranges, known = Ranges(), set[int]()
    for number in added:
        assert ranges.add(number) == (number not in known)
        known.add(number)
    assert list(ranges) == sorted(known)
    assert len(ranges) == len(known)
    assert ranges.last == max(known, default=0)
    assert [number for number in range(50) if number in ranges] == sorted(known)
    assert list(ranges.upto(limit)) == sorted(number for number in known if number <= limit)
    assert len(ranges.upto(limit)) == len(list(ranges.upto(limit)))
    missing = {n for first, last in ranges.missing() for n in range(first, last + 1)}
    assert missing == set(range(1, max(known, default=0) + 1)) - known
