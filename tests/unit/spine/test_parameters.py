import pytest

from citynerve.parameters import moment, span, speed


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("90", 90), ("2m", 120), ("1.5h", 5400), ("250ms", 0.25), ("2d", 172_800)],
)
def test_spans(text: str, seconds: float) -> None:
    assert span(text) == seconds


@pytest.mark.parametrize("text", ["", "s", "-1s", "1 day", "1e3", "inf", "0", "0.0h"])
def test_what_is_no_span(text: str) -> None:
    with pytest.raises(ValueError, match="no span"):
        span(text)


def test_speeds() -> None:
    assert speed("max") == "max"
    assert speed("0.5") == 0.5


@pytest.mark.parametrize("text", ["0", "-1", "nan", "inf", "fast", ""])
def test_what_is_no_speed(text: str) -> None:
    with pytest.raises(ValueError, match="no speed"):
        speed(text)


def test_moments() -> None:
    assert moment("1970-01-01T01:00:00.250+01:00") == 250


@pytest.mark.parametrize("text", ["", "today", "2026-03-01", "2026-03-01T06:00:00"])
def test_what_is_no_moment(text: str) -> None:
    with pytest.raises(ValueError, match=r"moment|zone"):
        moment(text)
