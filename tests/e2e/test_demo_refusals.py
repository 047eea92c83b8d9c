"""What ``citynerve demo`` says when it cannot run: one message, exit code 2, nothing left."""

import re
from pathlib import Path

import pytest

from tests.e2e.running import Running, Start, assert_nothing_left
from tests.servers import InfluxDb1, Mosquitto

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]


def refused(demo: Running) -> str:
    """The one message of a demo that could not run."""
    assert demo.wait() == 2, demo.text()
    text = demo.text()
    assert "Traceback" not in text
    assert len(re.findall(r"^error: ", text, re.MULTILINE)) == 1, text
    assert_nothing_left(demo.folder)
    return text


def test_no_broker(start: Start, dead_port: int) -> None:
    url = f"mqtt://127.0.0.1:{dead_port}"
    text = refused(start(CITYNERVE_MQTT_URL=url))
    assert url in text
    assert "CITYNERVE_MQTT_URL" in text


def test_no_influxdb(start: Start, dead_port: int) -> None:
    url = f"http://127.0.0.1:{dead_port}"
    text = refused(start(CITYNERVE_INFLUX_URL=url))
    assert url in text
    assert "CITYNERVE_INFLUX_URL" in text


def test_something_else_on_the_port(start: Start, broker: Mosquitto) -> None:
    url = f"http://127.0.0.1:{broker.port}"
    assert url in refused(start(CITYNERVE_INFLUX_URL=url))


def test_a_wrong_password(start: Start, tmp_path: Path) -> None:
    server = InfluxDb1(tmp_path / "influxdb", user=("writer", "secret"))
    server.start()
    try:
        text = refused(
            start(CITYNERVE_INFLUX_URL=server.config.url, CITYNERVE_INFLUX_TOKEN="writer:guess")
        )
    finally:
        server.stop()
    assert "refuses the credentials" in text
    assert "guess" not in text


def test_a_video_that_is_not_there(start: Start) -> None:
    text = refused(start("--video", "none.mp4", "--model", "none.onnx"))
    assert "--video: no such file (got 'none.mp4')" in text


def test_a_file_that_no_mapping_fits(start: Start, tmp_path: Path) -> None:
    path = tmp_path / "odd.csv"
    path.write_text("this,that\n1,2\n", encoding="utf-8")
    text = refused(start("--replay", str(path)))
    assert str(path) in text
    assert "mapping" in text


def test_a_model_that_is_no_detector(start: Start, samples: Path, tmp_path: Path) -> None:
    model = tmp_path / "noise.onnx"
    model.write_bytes(bytes(range(256)))
    video = samples / "footage" / "one-by-one-person-detection.mp4"
    text = refused(start("--video", str(video), "--model", str(model)))
    assert str(model) in text
    assert "fix: " in text


def test_footage_that_is_no_video(start: Start, samples: Path, tmp_path: Path) -> None:
    video = tmp_path / "noise.mp4"
    video.write_bytes(bytes(range(256)))
    model = samples / "models" / "picodet_s_320_coco.onnx"
    assert str(video) in refused(start("--video", str(video), "--model", str(model)))
