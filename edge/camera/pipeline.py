"""What happens to a frame, from top to bottom."""

from typing import Final, NamedTuple

from citynerve.messages import Crossing
from edge.camera.capture import Frame
from edge.camera.config import CameraConfig, count_property, zone_property
from edge.camera.detect import Detections, Detector
from edge.camera.lines import Lines, Passage, event_id
from edge.camera.occupancy import SECOND, Occupancy
from edge.camera.track import Track, Tracker
from edge.camera.zones import Zones
from edge.sensor.driver import Item, Mark

_AFTER_THE_END: Final = 3_600_000
"""How far each watermark moves past the last time when a recording ends, ms."""
_OVER_AFTER: Final = 2 * SECOND
"""When a live camera has given no frame for so long after a second began, it is over, ms."""


def properties(camera: CameraConfig, classes: tuple[str, ...]) -> list[str]:
    """What a camera observes: counts in the picture, then in each zone, by class."""
    return [count_property(cls) for cls in classes] + [
        zone_property(zone.name, cls) for zone in camera.zones for cls in classes
    ]


class Seen(NamedTuple):
    """One frame's results, stage by stage; for pictures and tests."""

    detections: Detections
    tracks: list[Track]
    passages: list[Passage]
    items: list[Item]


class Pipeline:
    """Detect, track, count: all stages of one camera after its capture.

    Args:
        camera: The configuration.
        detector: Finds ``classes``.
        classes: What is counted.
        score: From here on a detection may begin a track.
    """

    def __init__(
        self, camera: CameraConfig, detector: Detector, classes: tuple[str, ...], score: float
    ) -> None:
        self._camera = camera.name
        self._detector = detector
        self._classes = classes
        self._properties = properties(camera, classes)
        self._tracker = Tracker(score)
        self._lines = Lines(camera.lines)
        self._zones = Zones(camera.zones)
        self._occupancy = Occupancy(camera.name, self._properties)
        self._last: int | None = None

    def look(self, frame: Frame) -> Seen:
        """The readings and events that a frame brings about, and what each stage found."""
        self._last = frame.t
        height, width = frame.picture.shape[:2]
        detections = self._detector.detect(frame.picture)
        tracks = self._tracker.update(frame.t, detections)
        passages = self._lines.observe(frame.t, tracks, width / height)
        self._lines.forget(self._tracker.known())
        items: list[Item] = list(self._occupancy.observe(frame.t, self._count(tracks)))
        items += [self._crossing(passage) for passage in passages]
        return Seen(detections, tracks, passages, items)

    def idle(self, now: int) -> list[Item]:
        """What is left to say of its last second when a live camera gives no more frames.

        That nothing follows is for the agent to say (``edge.order``).

        Args:
            now: The clock that frames are timed by, ms.
        """
        if self._last is None or now - (self._last - self._last % SECOND) < _OVER_AFTER:
            return []
        return list(self._occupancy.flush())

    def finish(self) -> list[Item]:
        """What is left to say at the end of a recording: its last second, and that it was that."""
        readings = self._occupancy.flush()
        if self._last is None:
            return []
        second = self._last - self._last % SECOND
        marks = (Mark(self._camera, name, second + _AFTER_THE_END) for name in self._properties)
        return [*readings, *marks]

    def _count(self, tracks: list[Track]) -> list[int]:
        classes = [track.cls for track in tracks]
        counts = [classes.count(number) for number in range(len(self._classes))]
        return counts + self._zones.count(tracks, len(self._classes))

    def _crossing(self, passage: Passage) -> Crossing:
        line, direction, track, t = passage
        return Crossing(
            id=event_id((self._camera, line, direction, track.id, t)),
            t=t,
            camera=self._camera,
            line=line,
            cls=self._classes[track.cls],
            direction=direction,
            track=track.id,
        )
