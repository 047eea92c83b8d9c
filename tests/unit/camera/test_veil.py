import numpy as np

from edge.camera.detect import Picture
from edge.camera.veil import Veil

HEIGHT, WIDTH = 240, 320


def ground(seed: int = 1) -> Picture:
    """A place full of detail, the same at every call."""
    coarse = np.random.default_rng(seed).integers(0, 255, (HEIGHT // 2, WIDTH // 2, 3))
    return np.kron(coarse, np.ones((2, 2, 1))).astype(np.uint8)


def with_person(left: int, top: int = 60) -> Picture:
    """Somebody with as much detail as the ground."""
    picture = ground()
    picture[top : top + 120, left : left + 60] = ground(2)[:120, :60]
    return picture


def detail(picture: Picture, rows: slice, columns: slice) -> float:
    """Mean difference of neighbours: what tells one face from another."""
    part = picture[rows, columns].astype(float)
    return float(np.abs(np.diff(part, axis=1)).mean())


PERSON = (slice(60, 180), slice(100, 160))
ELSEWHERE = (slice(0, 40), slice(200, 320))


def test_nothing_is_sharp_at_first_and_the_still_background_after_three_seconds() -> None:
    veil = Veil()
    sharp = detail(ground(), *ELSEWHERE)
    for t in range(0, 2501, 500):
        assert detail(veil.over(t, ground(), []), *ELSEWHERE) < sharp / 5
    for t in range(3000, 6001, 500):
        shown = veil.over(t, ground(), [])
    assert np.abs(shown.astype(int) - ground()).max() <= 2


def test_one_who_is_detected_is_coarse_however_long_he_stands() -> None:
    veil = Veil()
    box = (100 / WIDTH, 60 / HEIGHT, 160 / WIDTH, 180 / HEIGHT)
    for t in range(0, 60_001, 500):
        shown = veil.over(t, with_person(100), [box])
    assert detail(shown, *PERSON) < detail(with_person(100), *PERSON) / 5
    assert detail(shown, *ELSEWHERE) > detail(ground(), *ELSEWHERE) / 2


def test_one_who_is_missed_is_coarse_while_he_moves_and_three_seconds_longer() -> None:
    veil = Veil()
    for t in range(0, 5001, 500):
        veil.over(t, ground(), [])
    for step in range(12):
        left = 10 + 20 * step
        shown = veil.over(5500 + 500 * step, with_person(left), [])
        here = slice(60, 180), slice(left, left + 60)
        assert detail(shown, *here) < detail(with_person(left), *here) / 5
    for t in range(11_500, 14_000, 500):
        shown = veil.over(t, with_person(left), [])
        assert detail(shown, *here) < detail(with_person(left), *here) / 5


def test_no_frame_shows_through_where_it_differs_from_the_background() -> None:
    """What is shown where somebody is depends on means over cells alone."""
    one, other = Veil(), Veil()
    for t in range(0, 5001, 500):
        one.over(t, ground(), [])
        other.over(t, ground(), [])
    person = with_person(100)
    twin = person.copy()
    # The same means over two by two pixels, but mirrored within: another face.
    twin[60:180, 100:160] = (
        person[60:180, 100:160].reshape(60, 2, 30, 2, 3)[:, ::-1, :, ::-1].reshape(120, 60, 3)
    )
    box = [(100 / WIDTH, 60 / HEIGHT, 160 / WIDTH, 180 / HEIGHT)]
    difference = one.over(5500, person, box).astype(int) - other.over(5500, twin, box)
    assert np.abs(difference).max() <= 2


def test_another_size_of_picture_begins_anew() -> None:
    veil = Veil()
    for t in range(0, 5001, 500):
        veil.over(t, ground(), [])
    small = ground()[:120, :160]
    assert veil.over(5500, small, []).shape == small.shape
    assert detail(veil.over(6000, small, []), slice(0, 120), slice(0, 160)) < 20
