"""What live drivers of tests have in common: nothing to say but readings."""

from collections.abc import Sequence

from citynerve.messages import CameraAbout


class QuietDriver:
    """No cameras, no problems, no end."""

    resumable = False
    finished = False

    def cameras(self) -> Sequence[CameraAbout]:
        return []

    def identity(self) -> str:
        return ""

    def open(self, origin: int) -> None:
        assert origin > 0

    def problems(self) -> Sequence[str]:
        return []

    def close(self) -> None:
        pass
