import hashlib
from pathlib import Path

import numpy as np
import pytest

from citynerve.errors import ConfigError, UnavailableError
from models.load import catalog, load
from models.manifest import read
from tests.unit.models.onnx_bytes import (
    INT64,
    colour_detector,
    model,
    node,
    tensor,
    value_info,
    write_colour_detector,
)


def test_a_manifest_and_its_file(tmp_path: Path) -> None:
    write_colour_detector(tmp_path)
    found = load("colours.toml", tmp_path)
    assert found.name == "colours"
    assert found.path == tmp_path / "colours.onnx"
    assert found.sha256 == hashlib.sha256(colour_detector()).hexdigest()
    assert found.manifest.city_classes() == {"person": ("red",), "car": ("blue",)}


def test_a_folder_of_models_is_searched_for_manifests_and_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_colour_detector(tmp_path)
    monkeypatch.setenv("CITYNERVE_MODELS", f"/nowhere:{tmp_path}")
    assert load("colours", Path("/")).path == tmp_path / "colours.onnx"
    assert "colours" in dict(catalog())


def test_every_shipped_manifest_is_complete() -> None:
    shipped = dict(catalog())
    assert "picodet-s-320-coco" in shipped
    for path in shipped.values():
        manifest = read(path)
        assert manifest.sha256
        assert manifest.source
        assert manifest.licence


def test_weights_that_are_not_there_say_where_to_get_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CITYNERVE_MODELS", str(tmp_path / "models"))
    with pytest.raises(UnavailableError, match=r"picodet-onnxruntime.*CITYNERVE_MODELS"):
        load("picodet-s-320-coco", tmp_path)


def test_a_name_like_a_known_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="did you mean 'picodet-s-320-coco'"):
        load("picodet-s-320", tmp_path)


def test_another_file_than_the_manifest_means(tmp_path: Path) -> None:
    manifest = write_colour_detector(tmp_path)
    manifest.write_text(f'sha256 = "{"0" * 64}"\n' + manifest.read_text())
    with pytest.raises(ConfigError, match="is another file") as caught:
        load("colours.toml", tmp_path)
    assert caught.value.key == "sha256"


def test_a_bare_file_without_coco_labels_needs_a_manifest(tmp_path: Path) -> None:
    write_colour_detector(tmp_path)
    with pytest.raises(ConfigError, match="with 3 classes, and no manifest names them"):
        load("colours.onnx", tmp_path)


def test_a_bare_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such file"):
        load("none.onnx", tmp_path)


def _classifier(shape: list[int | str], element: int = 1) -> bytes:
    return model(
        [node("Identity", ["w"], "y")],
        inputs=[value_info("x", shape, element)],
        outputs=[value_info("y", [1, 1000])],
        weights=[tensor("w", np.ones((1, 1000), np.float32))],
    )


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (_classifier([1, 3, 224, 224]), r"its outputs are y\[1, 1000\]"),
        (_classifier(["n", 3, "h", "w"]), r"it takes x\[\?, 3, \?, \?\]"),
        (_classifier([1, 3, 224, 224], INT64), "not one float picture"),
        (_classifier([1, 16000]), "not one float picture"),
    ],
)
def test_a_model_that_is_no_detector(tmp_path: Path, data: bytes, says: str) -> None:
    (tmp_path / "m.onnx").write_bytes(data)
    with pytest.raises(ConfigError, match=says) as caught:
        load("m.onnx", tmp_path)
    assert caught.value.file == str(tmp_path / "m.onnx")
    assert caught.value.fix


@pytest.mark.parametrize(
    ("old", "new", "key", "says"),
    [
        ('["red", "green", "blue"]', '["red", "blue"]', "labels", "where it is 3"),
        ("width = 64", "width = 128", "input.width", "where it is 64"),
        ('["red"]', '["rot"]', "classes.person", "is no label of this model"),
        ("low = 0.4", "low = 0.9", "thresholds.low", "is above thresholds.score"),
        ('"picodet"', '"picodot"', "family", "picodot"),
        ("person =", '"a person" =', "classes", "is no name"),
        ('["red"]', "[]", "classes.person", "length >= 1"),
        ('["red", "green", "blue"]', '"coco"', "labels", "no such set of labels"),
        ("height = 64", "hight = 64", "input.hight", "unknown key"),
    ],
)
def test_a_manifest_that_does_not_fit(
    tmp_path: Path, old: str, new: str, key: str, says: str
) -> None:
    manifest = write_colour_detector(tmp_path)
    assert old in manifest.read_text()
    manifest.write_text(manifest.read_text().replace(old, new, 1))
    with pytest.raises(ConfigError, match=says) as caught:
        load("colours.toml", tmp_path)
    assert (caught.value.file, caught.value.key) == (str(manifest), key)


def test_real_detectors(samples: Path) -> None:
    found = load(str(samples / "models" / "picodet_s_320_coco.onnx"), Path("/"))
    assert found.name == "picodet-s-320-coco"
    assert found.graph.weights_in_inputs == 279
    for other in ("fastestdet_352_coco", "yolox_nano_416_coco"):
        with pytest.raises(ConfigError, match="is no detector that can be decoded"):
            load(str(samples / "models" / f"{other}.onnx"), Path("/"))
