import random

import numpy as np

from edge.camera.track import Box, Tracker
from tests.unit.camera.scenes import box, found

FRAME = 100


def test_a_track_is_confirmed_by_its_third_frame_and_a_flicker_never() -> None:
    tracker = Tracker(0.5)
    shown = []
    for frame in range(6):
        rows = [(box(0.3 + 0.01 * frame, 0.6), 0.9, 0)]
        if frame in (1, 2, 4):
            rows.append((box(0.8, 0.6), 0.9, 0))
        shown.append([track.id for track in tracker.update(frame * FRAME, found(*rows))])
    assert shown == [[], [], [1], [1], [1], [1]]


def test_an_id_survives_a_short_occlusion_in_motion() -> None:
    tracker = Tracker(0.5)
    ids = []
    for frame in range(40):
        hidden = 15 <= frame < 25
        rows = [] if hidden else [(box(0.1 + 0.015 * frame, 0.6), 0.9, 0)]
        ids += [track.id for track in tracker.update(frame * FRAME, found(*rows))]
    assert set(ids) == {1}


def test_a_track_unseen_for_long_is_another_when_it_comes_back() -> None:
    tracker = Tracker(0.5)
    for frame in range(10):
        tracker.update(frame * FRAME, found((box(0.5, 0.6), 0.9, 0)))
    assert not tracker.update(2000, found())
    assert tracker.known() == {1}
    tracker.update(4000, found())
    assert tracker.known() == set()
    for frame in range(41, 45):
        tracks = tracker.update(frame * FRAME, found((box(0.5, 0.6), 0.9, 0)))
    assert [track.id for track in tracks] == [2]


def test_two_who_pass_one_another_keep_their_ids() -> None:
    tracker = Tracker(0.5)
    where = {}
    for frame in range(50):
        left, right = 0.2 + 0.012 * frame, 0.8 - 0.012 * frame
        rows = [(box(left, 0.6), 0.9, 0)]
        if abs(left - right) > 0.04:  # the one behind is hidden
            rows.append((box(right, 0.62), 0.8, 0))
        for track in tracker.update(frame * FRAME, found(*rows)):
            if track.seen == frame * FRAME:
                where[track.id] = (track.box[0] + track.box[2]) / 2
    assert len(where) == 2
    assert where[1] > 0.7
    assert where[2] < 0.3


def test_unsure_detections_keep_a_track_for_a_while_but_begin_none() -> None:
    tracker = Tracker(0.5)
    for frame in range(5):
        tracker.update(frame * FRAME, found((box(0.5, 0.6), 0.9, 0)))
    rows = [(box(0.5, 0.6), 0.3, 0), (box(0.9, 0.6), 0.3, 0)]
    counts = [len(tracker.update(frame * FRAME, found(*rows))) for frame in range(5, 60)]
    assert counts[:30] == [1] * 30
    assert counts[30:] == [0] * 25


def test_a_class_is_what_most_of_the_score_says() -> None:
    tracker = Tracker(0.5)
    for frame, cls in enumerate((1, 0, 0, 1, 0)):
        tracks = tracker.update(frame * FRAME, found((box(0.5, 0.6), 0.9, cls)))
    assert [track.cls for track in tracks] == [0]


def test_two_labels_on_one_object_are_one_track() -> None:
    tracker = Tracker(0.5)
    for frame in range(5):
        rows = [(box(0.5, 0.6), 0.9, 2)]
        if frame >= 2:
            rows.append((box(0.501, 0.6), 0.6, 5))
        tracks = tracker.update(frame * FRAME, found(*rows))
    assert [track.cls for track in tracks] == [2]


def test_the_same_input_gives_the_same_ids() -> None:
    def run() -> list[tuple[int, Box]]:
        rng = random.Random(3)
        tracker = Tracker(0.5)
        seen = []
        for frame in range(60):
            rows = [
                (box(rng.random(), rng.uniform(0.3, 1)), rng.random(), rng.randrange(3))
                for _ in range(rng.randrange(12))
            ]
            rows.sort(key=lambda row: -row[1])
            seen += [(t.id, t.box) for t in tracker.update(frame * FRAME, found(*rows))]
        return seen

    assert run() == run()


def test_a_crowd_on_a_grid_with_noise_keeps_its_ids() -> None:
    rng = np.random.default_rng(5)
    tracker = Tracker(0.5)
    starts = [(x, y) for x in (0.1, 0.3, 0.5) for y in (0.3, 0.6, 0.9)]
    ids = set()
    for frame in range(60):
        rows = [
            (box(x + 0.006 * frame + jitter[0], y + jitter[1]), 0.9, 0)
            for (x, y), jitter in zip(starts, rng.normal(0, 0.003, (9, 2)), strict=True)
            if rng.random() > 0.15
        ]
        ids |= {track.id for track in tracker.update(frame * FRAME, found(*rows))}
    assert len(ids) == 9
