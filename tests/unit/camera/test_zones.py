from hypothesis import given
from hypothesis import strategies as st

from edge.camera.config import ZoneConfig
from edge.camera.zones import Zones, contains
from tests.unit.camera.scenes import standing

SQUARE = ZoneConfig(name="s", points=((0.2, 0.2), (0.6, 0.2), (0.6, 0.6), (0.2, 0.6)))
# A U, open at the top.
U = ZoneConfig(
    name="u",
    points=((0, 0), (0.2, 0), (0.2, 0.8), (0.8, 0.8), (0.8, 0), (1, 0), (1, 1), (0, 1)),
)


def test_counts_go_zone_by_zone_class_by_class() -> None:
    tracks = [
        standing(1, 0, 0.4, 0.5, cls=0),
        standing(2, 0, 0.5, 0.4, cls=1),
        standing(3, 0, 0.1, 0.5, cls=1),
        standing(4, 0, 0.5, 0.5, cls=1),
    ]
    assert Zones([SQUARE, U]).count(tracks, 2) == [1, 2, 0, 1]


def test_a_track_stands_where_its_feet_are() -> None:
    # The head is inside, the feet are not.
    assert Zones([SQUARE]).count([standing(1, 0, 0.4, 0.7, height=0.3)], 1) == [0]


@given(st.integers(0, 99), st.integers(0, 99))
def test_a_polygon_with_a_bay(column: int, row: int) -> None:
    x, y = (column + 0.5) / 100, (row + 0.5) / 100
    in_the_bay = 0.2 < x < 0.8 and y < 0.8
    assert contains(U.points, x, y) is not in_the_bay


@given(st.floats(0, 1), st.floats(0, 1))
def test_neighbours_share_the_picture_without_gap_or_overlap(x: float, y: float) -> None:
    corners = ((0, 0), (1, 0), (1, 1), (0, 1))
    middle = (0.37, 0.61)
    parts = [(corners[n], corners[(n + 1) % 4], middle) for n in range(4)]
    if x < 1 and y < 1:
        assert sum(contains(part, x, y) for part in parts) == 1
