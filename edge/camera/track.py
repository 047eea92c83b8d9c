"""From detections to tracks: who in this frame is who in the last one."""

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from edge.camera.assign import assign
from edge.camera.detect import Detections
from edge.camera.motion import Array, Motion
from models.decoders.boxes import Indices, overlaps

Box = tuple[float, float, float, float]
"""Left, top, right, bottom, as shares of the picture."""

_CONFIRMED_AFTER: Final = 3
"""Frames in which something must be seen before it counts: a flicker never gets that far."""
_REMEMBERED_MS: Final = 3000
"""How long a track lives without a sure detection: unseen, waiting to be found again, or kept by
unsure ones alone, as a traffic cone that was once taken for a person would be for ever."""
_PRESENT_MS: Final = 500
"""How long an unseen track still counts as being in the picture."""
_SURE_OVERLAP: Final = 0.2
_UNSURE_OVERLAP: Final = 0.5
_NEW_OVERLAP: Final = 0.3
"""Least overlap of prediction and detection, by stage, as in ByteTrack."""
_SAME_OBJECT: Final = 0.7
"""A detection without a track that overlaps a seen track that much, of whatever class, is that
object under another label, not a second one."""


@dataclass(slots=True)
class Track:
    """One object over time: ``since`` it was first ``seen``, and last ``sure``ly so.

    Times are media time, ms since 1970 UTC.
    """

    id: int
    since: int
    seen: int
    sure: int
    box: Box
    hits: int = 1
    confirmed: bool = False
    votes: dict[int, float] = field(default_factory=dict)

    @property
    def cls(self) -> int:
        """The class with the greatest sum of scores so far; of equals, the first met."""
        return max(self.votes, key=self.votes.__getitem__)


class Tracker:
    """Gives every object an id that survives short occlusions.

    Association in stages in the manner of ByteTrack (Zhang et al. 2022,
    https://arxiv.org/abs/2110.06864): sure detections go to confirmed tracks, lost ones too; the
    unsure ones that are left over go to confirmed tracks just now in sight (someone half hidden
    scores low, but hardly anywhere else than where he was); the sure ones still left over go to
    tracks not yet confirmed, or begin one. Same input, same ids.

    Args:
        score: From here on a detection is sure.
    """

    def __init__(self, score: float) -> None:
        self._score = score
        self._motion = Motion()
        self._tracks: list[Track] = []
        self._now: int | None = None
        self._next_id = 1

    def update(self, now: int, found: Detections) -> list[Track]:
        """Take in one frame.

        Args:
            now: Media time, ms; greater than at the last call.
            found: Its detections.

        Returns:
            The confirmed tracks that are in the picture: seen now, or a moment ago.
        """
        boxes = found.boxes.astype(np.float64)
        seconds = 0.0 if self._now is None else (now - self._now) / 1000
        unseen = np.array([track.seen != self._now for track in self._tracks], bool)
        self._motion.predict(seconds, unseen)
        just_seen = [row for row in range(len(unseen)) if not unseen[row]]
        self._now = now

        sure = np.flatnonzero(found.scores >= self._score)
        unsure = np.flatnonzero(found.scores < self._score)
        rows = list(range(len(self._tracks)))
        old = [row for row in rows if self._tracks[row].confirmed]
        young = [row for row in rows if not self._tracks[row].confirmed]
        pairs = self._match(old, sure, boxes, _SURE_OVERLAP)
        taken = {row for row, _ in pairs}
        near = [row for row in just_seen if self._tracks[row].confirmed and row not in taken]
        pairs += self._match(near, unsure, boxes, _UNSURE_OVERLAP)
        left = _without(sure, pairs)
        pairs += self._match(young, left, boxes, _NEW_OVERLAP)
        self._see(now, sorted(pairs), boxes, found)
        self._forget(now)
        self._begin(now, _without(sure, pairs), boxes, found)
        return [
            track for track in self._tracks if track.confirmed and now - track.seen <= _PRESENT_MS
        ]

    def known(self) -> set[int]:
        """The ids that may still turn up again."""
        return {track.id for track in self._tracks}

    def _match(
        self, rows: list[int], columns: Indices, boxes: Array, least: float
    ) -> list[tuple[int, int]]:
        if not rows or not len(columns):
            return []
        predicted = self._motion.boxes()[rows].astype(np.float32)
        shares = overlaps(predicted, boxes[columns].astype(np.float32))
        return [(rows[row], int(columns[column])) for row, column in assign(shares, least)]

    def _see(self, now: int, pairs: list[tuple[int, int]], boxes: Array, found: Detections) -> None:
        if not pairs:
            return
        self._motion.update([row for row, _ in pairs], boxes[[column for _, column in pairs]])
        smooth = self._motion.boxes()
        for row, column in pairs:
            track = self._tracks[row]
            track.seen = now
            track.hits += 1
            if found.scores[column] >= self._score:
                track.sure = now
            track.confirmed = track.confirmed or track.hits >= _CONFIRMED_AFTER
            track.box = _box(smooth[row])
            _vote(track, found, column)

    def _forget(self, now: int) -> None:
        """Drop confirmed tracks not surely seen for long, and others at their first miss."""
        kept = [
            row
            for row, track in enumerate(self._tracks)
            if now == track.sure or (track.confirmed and now - track.sure <= _REMEMBERED_MS)
        ]
        if len(kept) < len(self._tracks):
            self._motion.keep(kept)
            self._tracks = [self._tracks[row] for row in kept]

    def _begin(self, now: int, columns: Indices, boxes: Array, found: Detections) -> None:
        seen = np.array([track.box for track in self._tracks if track.seen == now], np.float32)
        if len(seen) and len(columns):
            shares = overlaps(boxes[columns].astype(np.float32), seen)
            columns = columns[shares.max(axis=1) < _SAME_OBJECT]
        if not len(columns):
            return
        self._motion.add(boxes[columns])
        for column in columns.tolist():
            track = Track(self._next_id, now, now, now, _box(boxes[column]))
            _vote(track, found, column)
            self._tracks.append(track)
            self._next_id += 1


def _without(columns: Indices, pairs: list[tuple[int, int]]) -> Indices:
    return np.setdiff1d(columns, np.array([column for _, column in pairs], np.int64))


def _vote(track: Track, found: Detections, column: int) -> None:
    cls = int(found.classes[column])
    track.votes[cls] = track.votes.get(cls, 0.0) + float(found.scores[column])


def _box(row: Array) -> Box:
    left, top, right, bottom = row.tolist()
    return left, top, right, bottom
