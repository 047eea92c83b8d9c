import numpy as np
import pytest

from edge.camera.motion import Motion


def test_it_is_the_kalman_filter_of_the_textbook() -> None:
    """Against the matrix form, for one coordinate of one track with a box of constant size."""
    motion = Motion()
    size, q = 0.2, (0.5 * 0.2) ** 2
    state = np.array([0.5, 0.0])
    covariance = np.diag([(size / 20) ** 2, size**2])
    motion.add(np.array([[0.4, 0.4, 0.6, 0.6]]))
    for step, seconds in enumerate((0.1, 0.1, 0.3, 0.1)):
        move = np.array([[1, seconds], [0, 1]])
        noise = q * np.array([[seconds**3 / 3, seconds**2 / 2], [seconds**2 / 2, seconds]])
        state = move @ state
        covariance = move @ covariance @ move.T + noise
        motion.predict(seconds, np.array([False]))
        measured = 0.5 + 0.03 * (step + 1)
        gain = covariance[:, 0] / (covariance[0, 0] + (size / 20) ** 2)
        state = state + gain * (measured - state[0])
        covariance = covariance - np.outer(gain, covariance[0])
        motion.update([0], np.array([[measured - 0.1, 0.4, measured + 0.1, 0.6]]))
        left, _, right, _ = motion.boxes()[0]
        assert (left + right) / 2 == pytest.approx(state[0], abs=1e-12)
        assert right - left == pytest.approx(size)


def test_rows_are_kept_apart() -> None:
    motion = Motion()
    boxes = np.array([[0.1, 0.1, 0.2, 0.3], [0.5, 0.5, 0.6, 0.9], [0.7, 0.1, 0.8, 0.2]])
    motion.add(boxes)
    motion.predict(0.1, np.zeros(3, bool))
    motion.update([1], boxes[[1]] + 0.01)
    motion.keep([1, 2])
    assert len(motion) == 2
    assert motion.boxes()[1].tolist() == pytest.approx(boxes[2].tolist())
    assert motion.boxes()[0, 0] > 0.5


def test_an_unseen_track_goes_on_but_does_not_grow() -> None:
    motion = Motion()
    motion.add(np.array([[0.1, 0.1, 0.2, 0.3]]))
    for step in range(1, 6):
        motion.predict(0.1, np.array([False]))
        grown = 0.02 * step
        motion.update([0], np.array([[0.1 + grown, 0.1, 0.2 + 2 * grown, 0.3]]))
    before = motion.boxes()[0]
    motion.predict(0.5, np.array([True]))
    after = motion.boxes()[0]
    assert after[2] - after[0] == pytest.approx(before[2] - before[0])
    assert after[0] > before[0] + 0.05
