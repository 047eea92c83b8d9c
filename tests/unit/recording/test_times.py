"""When things are played, and by how much times move."""

from hypothesis import given
from hypothesis import strategies as st

from citynerve.messages import Column
from citynerve.parameters import Speed
from simulators.recording.survey import Survey, Window
from simulators.recording.times import Extent, Pace, extent, shift
from tests.unit.recording.samples import NODE, T0, batch, hello, stored

NOW = T0 + 86_400_000 * 400
extents = st.builds(
    lambda begin, span, lag, more, interval: Extent(
        T0 + begin, T0 + begin + span, T0 + begin - lag, T0 + begin - lag + more, interval
    ),
    *(st.integers(0, 10_000_000) for _ in range(4)),
    st.integers(1, 60_000),
)
speeds: st.SearchStrategy[Speed] = st.one_of(st.just("max"), st.floats(0.1, 1_000))


@given(extents, speeds, st.floats(0, 1))
def test_times_moved_to_the_present_never_run_ahead_of_the_clock(
    known: Extent, speed: Speed, part: float
) -> None:
    moved = shift(known, "now", speed, NOW)
    at = known.begin + round(part * known.span)
    due = max(NOW, Pace(known, speed, NOW).due(0, at))
    if speed == "max":
        # All is played at once, so all lies in the past.
        assert at + moved <= NOW
        assert known.end + moved == NOW
    else:
        assert at + moved <= due + 1 + 1 / speed
    if speed == 1:
        assert known.begin + moved == NOW


@given(extents, speeds)
def test_times_that_are_kept_do_not_move(known: Extent, speed: Speed) -> None:
    assert shift(known, "kept", speed, NOW) == 0
    assert Pace.clear(NOW * 2, T0, 0) == 0


@given(extents)
def test_a_turn_begins_after_all_of_the_one_before(known: Extent) -> None:
    assert known.first + known.turn > known.last
    assert known.turn >= known.span


def test_the_pace_is_the_recordings() -> None:
    pace = Pace(Extent(T0, T0 + 60_000, T0, T0, 1_000), 4.0, NOW)
    assert [pace.due(0, T0), pace.due(0, T0 + 8_000)] == [NOW, NOW + 2_000]
    assert pace.due(1, T0) == NOW + 15_250


def test_no_reading_is_further_ahead_of_the_clock_than_it_was() -> None:
    assert Pace.clear(T0 + 500, T0 + 700, 10_000) == T0 + 10_500
    assert Pace.clear(T0 + 900, T0 + 700, 10_000) == T0 + 10_700


def test_the_extent_is_that_of_the_window() -> None:
    messages = [
        stored(hello(), 0),
        *(
            stored(batch(n, [Column("s", "a", [T0 + 10_000 * n], [1.0])]), 60_000 * n)
            for n in range(1, 9)
        ),
    ]
    window = Window(T0 + 120_000, T0 + 360_000)
    survey = Survey.of(messages, window)
    assert survey.outside == 4
    assert extent(survey, [NODE]) == Extent(
        T0 + 120_000, T0 + 300_000, T0 + 20_000, T0 + 50_000, 10_000
    )
