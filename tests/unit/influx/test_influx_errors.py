import pytest
from hypothesis import given
from hypothesis import strategies as st

from citynerve.errors import CityNerveError, ConfigError, UnavailableError
from citynerve.influx import WriteRejected
from citynerve.influx.errors import refusal
from citynerve.influx.http import Answer

LINES = ["m value=1 1", "m,n=x value= 1", "m value=2 2", "m value 3"]


@given(st.sets(st.integers(0, len(LINES) - 1), min_size=1))
def test_the_lines_that_the_server_quotes_are_named(bad: set[int]) -> None:
    quoted = "\n".join(f"unable to parse '{LINES[i]}': missing fields" for i in sorted(bad))
    rejected = WriteRejected("db", LINES, f"partial write: {quoted} dropped=0")
    assert rejected.refused == tuple(sorted(bad))
    assert f"refused {len(bad)} of {len(LINES)} lines" in str(rejected)


def test_a_line_is_not_named_for_another_that_begins_like_it() -> None:
    lines = ["m value=1", "m value=1x"]
    rejected = WriteRejected("db", lines, "unable to parse 'm value=1x': invalid number")
    assert rejected.refused == (1,)


def test_a_count_alone_is_told() -> None:
    rejected = WriteRejected("db", LINES, "partial write: field type conflict dropped=3")
    assert rejected.refused == ()
    assert "refused 3 of 4 lines" in str(rejected)


@pytest.mark.parametrize(
    "words",
    [
        "partial write: points beyond retention policy dropped=2",
        "failure writing points: partial write: dropped 2 points outside retention policy",
    ],
)
def test_what_is_before_the_retention_are_the_oldest(words: str) -> None:
    rejected = WriteRejected("db", ["m v=1 30", "m v=2 9", "m v=3 200", "m v=4 10", "m v=5"], words)
    assert rejected.too_old
    assert rejected.refused == (1, 3)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, WriteRejected),
        (413, WriteRejected),
        (422, WriteRejected),
        (401, ConfigError),
        (403, ConfigError),
        (404, UnavailableError),
        (429, UnavailableError),
        (500, UnavailableError),
        (503, UnavailableError),
    ],
)
def test_whose_fault_an_answer_is(status: int, kind: type[CityNerveError]) -> None:
    answer = Answer(status, b'{"error":"its words"}', {})
    error = refusal("http://db:8086", "db", LINES, answer)
    assert type(error) is kind
    assert "its words" in str(error)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'{"error":"one"}', "one"),
        (b'{"code":"invalid","message":"two"}', "two"),
        (b"plain words\n", "plain words"),
        (b"", "HTTP 500"),
        (b"[1]", "HTTP 500"),
    ],
)
def test_the_servers_words_are_found(body: bytes, message: str) -> None:
    assert Answer(500, body, {}).message() == message
