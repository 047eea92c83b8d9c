import math

import numpy as np
import pytest

from simulators.scene import SCENES, Scene
from simulators.scene.camera import Camera, Stand


def test_a_camera_that_looks_straight_ahead_projects_as_on_paper() -> None:
    # 90 degrees across 200 pixels: the focal length is 100 pixels.
    camera = Camera(Stand(0, 0, 2, 0, 0, 90), 200, 100)
    pixels, depths = camera.project(np.array([(0.0, 10.0, 2.0), (1.0, 10.0, 2.0), (0.0, 4.0, 0.0)]))
    assert depths.tolist() == pytest.approx([10, 10, 4])
    assert pixels.tolist() == [
        pytest.approx([100, 50]),
        pytest.approx([110, 50]),
        pytest.approx([100, 50 + 100 * 2 / 4]),
    ]


def test_pitch_and_yaw_turn_the_picture() -> None:
    # Ten metres up and looking down by 45 degrees, the middle shows the ground ten metres ahead.
    down = Camera(Stand(3, 4, 10, 0, 45, 60), 640, 360)
    assert down.spot(320, 180) == pytest.approx((3, 14))
    # Turned to the right by 90 degrees it is ten metres along +X.
    right = Camera(Stand(3, 4, 10, 90, 45, 60), 640, 360)
    assert right.spot(320, 180) == pytest.approx((13, 4))


@pytest.mark.parametrize("name", SCENES)
def test_metres_to_pixels_and_back(name: str) -> None:
    scene = Scene(name, 5)
    camera = scene.camera
    ground = np.array(scene.header(0).ground)
    seen = 0
    for x in np.linspace(-20, 20, 9).tolist():
        for y in np.linspace(0, 60, 9).tolist():
            if camera.depth(x, y) < 2:
                continue
            u, v = camera.pixel(x, y)
            assert camera.spot(u, v) == pytest.approx((x, y), abs=1e-6)
            back = ground @ (u, v, 1)
            assert (back[:2] / back[2]).tolist() == pytest.approx([x, y], abs=1e-6)
            pixels, _ = camera.project(np.array([(x, y, 0.0)]))
            assert pixels[0].tolist() == pytest.approx([u, v])
            seen += 0 <= u < 640 and 0 <= v < 360
    assert seen > 8


@pytest.mark.parametrize("name", SCENES)
def test_lines_and_zones_lie_in_the_picture_whatever_the_seed(name: str) -> None:
    for seed in range(12):
        scene = Scene(name, seed)
        assert len(scene.lines) >= 2
        assert len(scene.zones) >= 2
        for line in scene.lines:
            (ax, ay), (bx, by) = line.from_, line.to
            assert math.hypot((bx - ax) * 640, (by - ay) * 360) > 15
        points = [*(p for line in scene.lines for p in (line.from_, line.to))]
        assert all(0 < x < 1 and 0 < y < 1 for x, y in points), (seed, scene.lines)
