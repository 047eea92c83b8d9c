from pathlib import Path

import numpy as np
import pytest

from edge.camera.detect import Detector, Scaler
from edge.inference import CPU, PREFERENCE, Session
from models.load import load
from models.manifest import Input
from tests.unit.models.onnx_bytes import write_colour_detector


def test_a_picture_is_scaled_as_the_manifest_says() -> None:
    picture = np.zeros((40, 80, 3), np.uint8)
    picture[:, :40] = (10, 20, 30)
    to = Input(width=64, height=32, mean=(1, 2, 3), std=(2, 4, 5))
    tensor = Scaler(to).scale(picture)
    assert tensor.shape == (1, 3, 32, 64)
    assert tensor[0, :, 5, 5].tolist() == pytest.approx([29 / 2, 18 / 4, 7 / 5])
    assert tensor[0, :, 5, 60].tolist() == pytest.approx([-1 / 2, -2 / 4, -3 / 5])
    other = Input(width=64, height=32, colour="bgr")
    assert Scaler(other).scale(picture)[0, :, 5, 5].tolist() == [10, 20, 30]


def test_a_letterbox_keeps_the_aspect() -> None:
    picture = np.full((100, 200, 3), 50, np.uint8)
    scaler = Scaler(Input(width=64, height=64, resize="letterbox"))
    tensor = scaler.scale(picture)
    assert (tensor[0, 0, :32] == 50).all()
    assert (tensor[0, 0, 32:] == 0).all()
    shares = scaler.shares(np.array([[16, 8, 64, 40]], np.float32), picture)
    assert shares.tolist() == [[0.25, 0.25, 1.0, 1.0]]


def test_detections_are_classes_of_the_city_in_shares_of_the_picture(tmp_path: Path) -> None:
    write_colour_detector(tmp_path)
    model = load("colours.toml", tmp_path)
    detector = Detector(Session(model), model.manifest, ("car", "person"))
    picture = np.zeros((256, 512, 3), np.uint8)
    for column, row, colour in ((2, 3, (0, 0, 255)), (5, 6, (255, 0, 0)), (7, 0, (0, 255, 0))):
        picture[row * 32 : row * 32 + 32, column * 64 : column * 64 + 64] = colour
    found = detector.detect(picture)
    assert found.scores.tolist() == pytest.approx([1, 1])
    by_class = dict(zip(found.classes.tolist(), found.boxes.tolist(), strict=True))
    # Centres of the cells at 20, 28 and 44, 52 of 64; 12 to each side.
    assert by_class[1] == pytest.approx([8 / 64, 16 / 64, 32 / 64, 40 / 64], abs=1e-4)
    assert by_class[0] == pytest.approx([32 / 64, 40 / 64, 56 / 64, 1], abs=1e-4)


def test_each_provider_passed_over_is_explained(tmp_path: Path) -> None:
    write_colour_detector(tmp_path)
    session = Session(load("colours.toml", tmp_path), providers=["NoSuchProvider", *PREFERENCE])
    assert session.provider in PREFERENCE
    assert session.skipped["NoSuchProvider"] == "not in this build of ONNX Runtime"
    better = PREFERENCE[: PREFERENCE.index(session.provider)]
    assert set(session.skipped) == {"NoSuchProvider", *better}
    assert CPU not in session.skipped
