from citynerve.demo.account import Key
from citynerve.demo.score import AFTER_MS, BEFORE_MS, Crossed, Found, Outcome, compare, judge
from simulators.city.truth import Incident, Touched

HOUR = 3_600_000
DAY = 24 * HOUR


def incident(name: str, kind: str, start: int, end: int, *touched: Touched) -> Incident:
    return Incident(name, kind, "north", None, 56.0, 10.0, start, end, 1.0, touched)


def touched(sensor: str, start: int, end: int) -> Touched:
    return Touched("n", sensor, "p", start, end, "up")


def found(sensor: str, opened: int, ended: int | None) -> Found:
    return Found(Key("n", sensor, "p"), "spike", opened, ended)


FIRE = incident("fire-1", "fire", 10 * HOUR, 12 * HOUR, touched("a", 10 * HOUR, 13 * HOUR))
JAM = incident("jam-1", "jam", 20 * HOUR, 21 * HOUR, touched("b", 20 * HOUR, 21 * HOUR))


def test_found_missed_false_and_how_late() -> None:
    anomalies = [
        found("a", 10 * HOUR + 90_000, 11 * HOUR),
        found("a", 10 * HOUR + 30_000, 10 * HOUR + 60_000),
        found("a", 16 * HOUR, 17 * HOUR),
        found("b", 10 * HOUR, 11 * HOUR),
    ]
    score = judge([FIRE, JAM], anomalies, start=0, end=7 * DAY, datastreams=2)
    assert score.incidents == Outcome(found=1, missed=1, running=0, delay_s=30.0)
    assert score.missed_incidents == ["jam-1"]
    assert (score.anomalies, score.false, score.false_a_week) == (4, 2, 1.0)
    assert score.kinds == {"fire": Outcome(1, 0, 0, 30.0), "jam": Outcome(0, 1, 0, None)}


def test_what_has_not_begun_does_not_count_and_what_goes_on_is_not_missed() -> None:
    score = judge([FIRE, JAM], [], start=0, end=11 * HOUR, datastreams=1)
    assert score.incidents == Outcome(found=0, missed=0, running=1, delay_s=None)


def test_the_slack_around_what_an_incident_touched() -> None:
    first, last = 10 * HOUR - BEFORE_MS, 13 * HOUR + AFTER_MS
    near = [found("a", first - HOUR, first), found("a", last, last + HOUR)]
    far = [found("a", first - HOUR, first - 1), found("a", last + 1, None)]
    scores = [judge([FIRE], [one], start=0, end=DAY, datastreams=1) for one in [*near, *far]]
    assert [score.incidents.found for score in scores] == [1, 1, 0, 0]


def test_an_open_anomaly_reaches_up_to_now() -> None:
    open_since_nine = found("a", 9 * HOUR, None)
    score = judge([FIRE], [open_since_nine], start=0, end=DAY, datastreams=1)
    # It was there before the incident: that counts as no delay, not as a negative one.
    assert (score.incidents.found, score.incidents.delay_s, score.false) == (1, 0.0, 0)


def test_crossings_by_line_direction_and_class() -> None:
    east = Crossed("gate", "door", "in", "person")
    west = Crossed("gate", "door", "out", "person")
    cars = Crossed("gate", "door", "in", "car")
    score = compare("cam-1", [east, east, west], [east, east, east, cars])
    assert (score.truth, score.counted) == (3, 4)
    assert [(line.direction, line.cls, line.truth, line.counted) for line in score.lines] == [
        ("in", "car", 0, 1),
        ("in", "person", 2, 3),
        ("out", "person", 1, 0),
    ]
