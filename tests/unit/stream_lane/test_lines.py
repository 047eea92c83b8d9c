"""Line protocol as it is written."""

import math
import struct

from hypothesis import given
from hypothesis import strategies as st

from stream.lane.lines import head, line, within_ms
from tests.unit.stream_lane.world import parse


def test_tags_are_sorted_escaped_and_never_empty() -> None:
    tags = {"sensor": "a b", "node": "n,1", "district": "x=y", "empty": "", "odd": "a\\\nb"}
    assert head("m", tags) == "m,district=x\\=y,node=n\\,1,odd=a__b,sensor=a\\ b"


@given(st.floats())
def test_numbers_read_back_to_the_same_bits(value: float) -> None:
    written = line("m,a=b", {"v": value}, 5)
    if not math.isfinite(value):
        assert written is None
        return
    assert written is not None
    read = parse(written).fields["v"]
    assert isinstance(read, float)
    assert struct.pack("d", read) == struct.pack("d", value)


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_text_stays_on_one_line_and_reads_back(value: str) -> None:
    written = line("m,a=b", {"s": value, "v": 1.0}, 5)
    assert written is not None
    assert "\n" not in written
    assert "\r" not in written
    assert parse(written).fields == {
        "s": value.replace("\n", " ").replace("\r", " "),
        "v": 1.0,
    }


def test_what_has_no_value_is_left_out() -> None:
    assert line("m", {"a": None, "b": math.nan, "c": 2}, 7) == "m c=2.0 7"
    assert line("m", {"a": None}, 7) is None


def test_a_millisecond_is_divided_by_identity() -> None:
    # printf a | b2sum -l 64
    assert within_ms("a") == 0x40F89E395B66422F % 10**6
