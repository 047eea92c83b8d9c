import os
from pathlib import Path
from typing import Any

import msgspec
import pytest

from dashboards.view.cameras import Cameras

JPEG = b"\xff\xd8\xff\xe0 a picture \xff\xd9"
STATE: dict[str, Any] = {
    "node": "gate-1",
    "camera": "front_1",
    "t": 1_700_000_000_000,
    "width": 640,
    "height": 360,
    "simulated": True,
    "tracks": [{"id": 3, "class": "car", "box": [0.1, 0.2, 0.3, 0.4]}],
    "lines": [
        {
            "name": "door",
            "from": [0, 0.5],
            "to": [1, 0.5],
            "left": "in",
            "right": "out",
            "counts": {"in": {"car": 2}, "out": {}},
        }
    ],
    "zones": [{"name": "z", "points": [[0, 0], [1, 0], [1, 1]], "occupancy": {"car": 1}}],
    "counts": {"car": 1},
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    put(tmp_path, "gate-1.front_1", STATE)
    return tmp_path


def put(folder: Path, stem: str, state: object, picture: bytes = JPEG) -> None:
    content = state if isinstance(state, bytes) else msgspec.json.encode(state)
    (folder / f"{stem}.jpg").write_bytes(picture)
    (folder / f"{stem}.json").write_bytes(content)
    os.utime(folder / f"{stem}.json", (1_000, 1_000))


def at(folder: Path, now: float) -> Cameras:
    return Cameras(folder, lambda: now)


def test_a_camera_is_live_until_no_picture_came_for_five_seconds(folder: Path) -> None:
    (camera,) = at(folder, 1_004.5).list()
    assert (camera.node, camera.camera, camera.condition, camera.age) == (
        "gate-1",
        "front_1",
        "live",
        4.5,
    )
    assert camera.state is not None
    assert camera.state.tracks[0].cls == "car"
    assert camera.state.lines[0].counts == {"in": {"car": 2}, "out": {}}
    (later,) = at(folder, 1_006).list()
    assert (later.condition, later.stem) == ("stalled", "gate-1.front_1")
    (ahead,) = at(folder, 900).list()  # the node's clock may be ahead
    assert (ahead.condition, ahead.age) == ("live", 0)


def test_a_state_that_cannot_be_read_is_said(folder: Path) -> None:
    put(folder, "a.b", b'{"node": 5}')
    broken, _ = at(folder, 1_000).list()
    assert (broken.stem, broken.condition, broken.state) == ("a.b", "broken", None)
    assert broken.problem


def test_only_what_a_node_wrote_is_served(folder: Path, tmp_path: Path) -> None:
    cameras = at(folder, 1_000)
    assert cameras.picture("gate-1.front_1") == JPEG
    (folder / "no-state.x.jpg").write_bytes(JPEG)
    (folder / "secret.jpg").write_bytes(JPEG)
    (folder / "Upper.x.jpg").write_bytes(JPEG)
    (folder / "Upper.x.json").write_bytes(b"{}")
    put(folder, "not.jpeg", STATE, b"#!/bin/sh")
    put(folder, "linked.x", STATE)
    (folder / "linked.x.jpg").unlink()
    (folder / "linked.x.jpg").symlink_to(folder / "secret.jpg")
    outside = tmp_path / "sub"
    outside.mkdir()
    for stem in (
        *("no-state.x", "secret", "Upper.x", "not.jpeg", "linked.x"),
        *("../gate-1.front_1", "gate-1.front_1/..", "gate-1.front_1\n", "", ".", "gone.x"),
    ):
        assert cameras.picture(stem) is None
    assert Cameras(outside).picture("../gate-1.front_1") is None
    assert {camera.node for camera in cameras.list()} == {"gate-1", "linked", "not"}


def test_the_folder_may_come_later(tmp_path: Path) -> None:
    assert Cameras(tmp_path / "later").list() == []
    assert Cameras(tmp_path / "later").find("a.b") is None
