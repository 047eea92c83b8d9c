import numpy as np

from models.training.augment import piece, relight
from models.training.targets import Objects

GREY, WHITE = 70, 255


def scene(*boxes: tuple[int, int, int, int]) -> tuple[np.ndarray, Objects]:
    """White rectangles on grey, 512 x 288."""
    picture = np.full((288, 512, 3), GREY, np.uint8)
    for left, top, right, bottom in boxes:
        picture[top:bottom, left:right] = WHITE
    table = np.array(boxes, np.float32)
    count = len(boxes)
    return picture, Objects(table, np.zeros(count, np.int64), np.zeros(count, bool))


def test_boxes_move_with_the_pixels() -> None:
    random = np.random.default_rng(5)
    seen = 0
    for _ in range(60):
        picture, objects = piece(*scene((200, 100, 290, 160)), random, around=0)
        assert picture.shape == (224, 320, 3)
        for box, ignored in zip(objects.boxes, objects.ignored, strict=True):
            bright = picture.astype(int).sum(axis=2) > 3 * 150
            if ignored or not bright.any():
                continue
            rows, columns = np.nonzero(bright)
            edges = columns.min(), rows.min(), columns.max() + 1, rows.max() + 1
            assert np.abs(np.array(edges) - box).max() <= 4
            seen += 1
    assert seen > 30


def test_what_is_cut_to_a_rest_is_not_judged() -> None:
    random = np.random.default_rng(6)
    kinds = set()
    for _ in range(80):
        _, objects = piece(*scene((10, 10, 500, 280)), random, around=0, size=(64, 64))
        kinds |= set(objects.ignored.tolist())
    assert kinds == {True}


def test_the_same_draw_gives_the_same_piece() -> None:
    stored = scene((200, 100, 290, 160), (20, 40, 30, 80))
    one, other = (piece(*stored, np.random.default_rng(7), around=1) for _ in range(2))
    assert np.array_equal(one[0], other[0])
    assert np.array_equal(one[1].boxes, other[1].boxes)


def test_relighting_keeps_what_can_be_seen() -> None:
    random = np.random.default_rng(8)
    picture, _ = scene((100, 100, 200, 200))
    for _ in range(30):
        lit = relight(picture, random).astype(float)
        assert lit[120:180, 120:180].mean() > lit[:80, :80].mean() + 40
