import subprocess
import sys
from typing import Any

import pytest

from citynerve.config import convert
from citynerve.errors import ConfigError
from edge.camera.config import CameraConfig, check

LINE = {"name": "door", "from": [0.1, 0.6], "to": [0.9, 0.6]}
ZONE = {"name": "square", "points": [[0.2, 0.4], [0.8, 0.4], [0.9, 1.0]]}


def camera(**changes: object) -> CameraConfig:
    table = {"name": "gate", "source": "a.avi", "model": "m", "lines": [LINE], "zones": [ZONE]}
    return convert({**table, **changes}, CameraConfig, file="node.toml")


def test_a_whole_table() -> None:
    config = camera(source=0, start="2026-05-01T12:00:00+02:00", speed="max", classes=["person"])
    check(config, ["person", "car"])
    assert config.lines[0].to == (0.9, 0.6)
    assert config.start is not None
    assert config.start.timestamp() == 1_777_629_600


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"lines": [{**LINE, "to": [1.2, 0.5]}]}, "lines[0].to[0]"),
        ({"lines": [{**LINE, "to": [0.5]}]}, "lines[0].to"),
        ({"lines": [{**LINE, "form": [0, 0]}]}, "lines[0].form"),
        ({"zones": [{**ZONE, "points": [[0, 0], [1, 1]]}]}, "zones[0].points"),
        ({"name": "The Gate"}, "name"),
        ({"source": -1}, "source"),
        ({"fps": 0}, "fps"),
        ({"score": 1.5}, "score"),
        ({"start": "2026-05-01T12:00:00"}, "start"),
        ({"speed": "fast"}, "speed"),
        ({"thread": 2}, "thread"),
    ],
)
def test_what_the_types_refuse(changes: dict[str, Any], key: str) -> None:
    with pytest.raises(ConfigError) as caught:
        camera(**changes)
    assert caught.value.file == "node.toml"
    assert caught.value.key == key


@pytest.mark.parametrize(
    ("changes", "says", "key"),
    [
        ({"classes": ["horse"]}, "knows no such class", "camera.gate.classes"),
        ({"lines": [LINE, LINE]}, "two lines have one name", "camera.gate.lines"),
        ({"zones": [ZONE, ZONE]}, "two zones have one name", "camera.gate.zones"),
        ({"lines": [{**LINE, "to": LINE["from"]}]}, "where it ends", "camera.gate.lines.door"),
        ({"lines": [{**LINE, "left": "right"}]}, "one name", "camera.gate.lines.door"),
        (
            {"zones": [{**ZONE, "points": [[0, 0], [0.5, 0.5], [1, 1]]}]},
            "no area",
            "camera.gate.zones.square",
        ),
        ({"zones": [{**ZONE, "name": "z" * 60}]}, "longer than 63", "camera.gate.zones"),
    ],
)
def test_what_does_not_fit_together(changes: dict[str, Any], says: str, key: str) -> None:
    with pytest.raises(ConfigError, match=says) as caught:
        check(camera(**changes), ["person", "car"])
    assert caught.value.key == key
    assert caught.value.value
    assert caught.value.fix


def test_reading_a_table_imports_nothing_heavy() -> None:
    code = (
        "import sys, edge.camera.config; "
        "print([m for m in ('numpy', 'cv2', 'onnxruntime') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
