from edge.camera.occupancy import Occupancy
from edge.sensor.driver import Reading


def test_a_second_gives_the_median_of_its_frames() -> None:
    one = Occupancy("gate", ["count_person", "count_car"])
    counts = [(3, 0), (2, 1), (3, 1)]
    for number, pair in enumerate(counts):
        assert one.observe(10_000 + 300 * number, pair) == []
    assert one.observe(11_000, (7, 7)) == [
        Reading("gate", "count_person", 10_000, 3.0),
        Reading("gate", "count_car", 10_000, 1.0),
    ]


def test_of_two_middle_ones_the_higher() -> None:
    one = Occupancy("gate", ["count_person"])
    one.observe(0, [1])
    one.observe(500, [2])
    assert one.flush() == [Reading("gate", "count_person", 0, 2.0)]


def test_a_second_without_frames_has_no_reading() -> None:
    one = Occupancy("gate", ["count_person"])
    one.observe(999, [1])
    assert [r.t for r in one.observe(5_400, [2])] == [0]
    assert [r.t for r in one.flush()] == [5_000]
    assert one.flush() == []
