import pytest

from edge.camera.capture import for_people


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("rtsp://admin:hunter2@10.0.0.7/stream1", "rtsp://10.0.0.7/stream1"),
        ("rtsp://admin:hunter2@2@10.0.0.7:554/a", "rtsp://10.0.0.7:554/a"),
        ("rtsp://admin:hunter2/x@10.0.0.7/a", "rtsp://10.0.0.7/a"),
        (
            "rtsp://h/user=admin&password=hunter2&channel=1",
            "rtsp://h/user=admin&password=***&channel=1",
        ),
        ("rtsp://h/live?Token=hunter2", "rtsp://h/live?Token=***"),
        ("rtsp://10.0.0.7/stream1", "rtsp://10.0.0.7/stream1"),
        (0, "0"),
    ],
)
def test_no_password_is_shown(source: str | int, shown: str) -> None:
    assert for_people(source) == shown
