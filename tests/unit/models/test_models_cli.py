from pathlib import Path

import pytest
from click.testing import CliRunner

from citynerve.errors import ConfigError
from models.cli import models
from tests.unit.models.onnx_bytes import write_colour_detector


def test_list_tells_what_is_here_and_what_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_colour_detector(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CITYNERVE_MODELS", str(tmp_path))
    result = CliRunner().invoke(models, ["list"], catch_exceptions=False)
    assert f"colours  picodet 64x64  licence unknown\n  weights: {tmp_path}" in result.stdout
    assert "weights: not here: picodet_s_320_coco.onnx\n  source:" in result.stdout


def test_check_runs_the_model(tmp_path: Path) -> None:
    path = write_colour_detector(tmp_path, weights_as_inputs=True)
    result = CliRunner().invoke(models, ["check", str(path)], catch_exceptions=False)
    assert "counts:   person, car" in result.stdout
    assert "8 weights are listed as inputs" in result.stdout
    assert "runs on:  CPUExecutionProvider, 1 thread(s)" in result.stdout


def test_check_refuses_what_cannot_run(tmp_path: Path) -> None:
    path = write_colour_detector(tmp_path)
    onnx = tmp_path / "colours.onnx"
    onnx.write_bytes(onnx.read_bytes().replace(b"Transpose", b"Transpoze"))
    with pytest.raises(ConfigError, match="ONNX Runtime cannot run it") as caught:
        CliRunner().invoke(models, ["check", str(path)], catch_exceptions=False)
    assert caught.value.file == str(onnx)
