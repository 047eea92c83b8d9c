"""One frame: actors over the backdrop, with their shadows, lights and mirror images."""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from simulators.scene import figure
from simulators.scene.backdrop import Backdrop, inside, paste
from simulators.scene.camera import Pixels
from simulators.scene.draw import Drawer, Lights, Place, Pose, Sprite
from simulators.scene.figure import Cyclist
from simulators.scene.floor import HALF, Floor, Mover
from simulators.scene.glow import Glow
from simulators.scene.layout import Signal
from simulators.scene.order import Rectangle, nearer, overlapping, painted
from simulators.scene.truth import Object
from simulators.scene.vehicles import Vehicle
from simulators.scene.world import Actor, State

DRAWN: Final = 64
"""From this alpha on a pixel belongs to a silhouette."""

_HIDES: Final = 128
"""From this alpha on a thing that stands still hides what is behind it."""
_FINE: Final = 17.0
"""Pixels a metre from which on hands and shoes are drawn."""
_TALLEST: Final = 2.6
_BROADEST: Final = 1.5
"""How far from where somebody stands they may reach, metres: up, and to the sides."""
_NEAREST: Final = 1.5
_FARTHEST: Final = 140.0
"""Depths between which actors are drawn, metres."""
_WHITE: Final = np.array([0.80, 0.93, 1.0], np.float32)


class _Shown(NamedTuple):
    """An actor in this frame: ``inside`` is the part of the picture that its sprite lies on."""

    number: int
    actor: Actor
    state: State
    sprite: Sprite
    inside: tuple[int, int, int, int]
    ground: Rectangle


class Renderer:
    """Draws actors over one backdrop.

    Args:
        backdrop: What stands still.
        standing: Truth of parked cars: number to actor and state.
    """

    def __init__(self, backdrop: Backdrop, standing: Mapping[int, tuple[Actor, State]]) -> None:
        self._backdrop = backdrop
        self._camera = backdrop.camera
        self._look = backdrop.look
        self._drawer = Drawer(backdrop.camera, backdrop.look)
        self._parked = standing
        self._eye = (backdrop.camera.stand.x, backdrop.camera.stand.y)
        self._floor = Floor(backdrop)
        self._glow = Glow(backdrop.camera, backdrop.look)
        self._still = self._numbered()
        self._occluders = [
            (thing, box)
            for thing in backdrop.standing
            if (box := inside(backdrop.picture, thing.sprite)) is not None
        ]
        self._boxes = np.array([box for _, box in self._occluders], np.int64).reshape(-1, 4)
        self._grounds = np.array([thing.ground for thing, _ in self._occluders]).reshape(-1, 5)

    def frame(
        self,
        t: float,
        actors: Mapping[int, Actor],
        states: Mapping[int, State],
        signals: Sequence[tuple[Signal, str]] = (),
    ) -> tuple[Pixels, list[Object]]:
        """The picture, without what the lens and the sensor do to it, and what is in it.

        Args:
            t: Seconds since the beginning.
            actors: By number.
            states: Of those that are there.
            signals: Each signal and its colour just now.
        """
        picture = self._backdrop.picture.copy()
        near = [
            (number, actors[number], state)
            for number, state in states.items()
            if _NEAREST < self._camera.depth(state.x, state.y, 1.0) < _FARTHEST
        ]
        beams = self._floor.lay(picture, near)
        self._glow.signals(picture, signals)
        shown = self._show(t, near, beams)
        boxes = np.array([one.inside for one in shown], np.int64).reshape(-1, 4)
        grounds = np.array([one.ground for one in shown]).reshape(-1, 5)
        ones, others = overlapping(boxes, boxes)
        order = painted(
            len(shown),
            ones,
            others,
            nearer(grounds[ones], grounds[others], self._eye) & (ones != others),
        )
        ids = self._still.copy()
        if self._look.wet:
            for number in order:
                self._mirror(picture, shown[number])
        covers = self._covers(shown, boxes, grounds)
        first = len(self._parked) + 1
        for position, number in enumerate(order, first):
            one = shown[number]
            paste(picture, one.sprite, covers[number])
            x0, y0, x1, y1 = one.inside
            alpha = self._inside_alpha(one)
            cover = covers[number]
            if cover is not None:
                alpha = np.asarray(cv2.multiply(alpha, cover, scale=1 / 255), np.uint8)
            ids[y0:y1, x0:x1][alpha >= DRAWN] = position
        if self._look.glow:
            places = ((place, shown[number]) for place, number in enumerate(order, first))
            lit = [(p, one.actor, one.state) for p, one in places if isinstance(one.actor, Vehicle)]
            self._glow.vehicles(picture, ids, lit)
        return picture, self._truth(ids, [shown[number] for number in order])

    def _show(self, t: float, near: Sequence[Mover], beams: Pixels | None) -> list[_Shown]:
        """Everyone's sprite, of those who are in the picture."""
        sprites: list[Sprite | None] = []
        poses: list[Pose] = []
        seen = [one for one in near if self._may_be_seen(one[1], one[2])]
        for _, actor, state in seen:
            place = self._lit(state, beams)
            if isinstance(actor, Vehicle):
                at = state.x, state.y
                lights: Lights = "braking" if state.braking else "driving"
                sprites.append(self._drawer.body(actor.body, at, state.heading, place, lights))
                continue
            fine = self._camera.focal / self._camera.depth(state.x, state.y, 1.0) > _FINE
            strokes = (
                figure.riding(actor, state.way, state.speed, t)
                if isinstance(actor, Cyclist)
                else figure.walking(actor, state.way, state.speed, t, fine=fine)
            )
            poses.append(Pose(strokes, state.x, state.y, state.heading, place))
        figures = iter(self._drawer.figures(poses))
        bodies = iter(sprites)
        shown = []
        for number, actor, state in seen:
            sprite = next(bodies if isinstance(actor, Vehicle) else figures)
            box = None if sprite is None else inside(self._backdrop.picture, sprite)
            if sprite is not None and box is not None:
                size = (actor.length, actor.width) if isinstance(actor, Vehicle) else actor.size
                foot = (state.x, state.y, state.heading, *size)
                shown.append(_Shown(number, actor, state, sprite, box, foot))
        return shown

    def _may_be_seen(self, actor: Actor, state: State) -> bool:
        """Whether some of somebody might be in the picture; spares the drawing if not."""
        if isinstance(actor, Vehicle):
            return True
        u, v = self._camera.pixel(state.x, state.y)
        scale = self._camera.focal / max(0.5, self._camera.depth(state.x, state.y, _TALLEST))
        aside = _BROADEST * scale
        return (
            -aside < u < self._camera.width + aside
            and -aside < v < self._camera.height + _TALLEST * scale
        )

    def _lit(self, state: State, beams: Pixels | None) -> Place:
        """The light where somebody is; headlights add to it."""
        place = self._backdrop.place(state.x, state.y)
        if beams is not None:
            u, v = self._camera.pixel(state.x, state.y)
            row, column = int(v / HALF), int(u / HALF)
            if 0 <= row < beams.shape[0] and 0 <= column < beams.shape[1]:
                lit = float(beams[row, column]) / 255 * self._look.beams * 0.7
                return place._replace(lamps=place.lamps + np.float32(lit) * _WHITE)
        return place

    def _mirror(self, picture: Pixels, one: _Shown) -> None:
        """Somebody's image in the wet ground, upside down below their feet."""
        x0, _, x1, _ = one.inside
        rows = np.flatnonzero(one.sprite.alpha.max(axis=1) >= DRAWN)
        if not len(rows):
            return
        foot = one.sprite.y + int(rows[-1]) + 1
        high = int(rows[-1] - rows[0]) + 1
        y1 = min(picture.shape[0], foot + high)
        if y1 - foot < 2 or foot < 0:  # noqa: PLR2004 pixels
            return
        if isinstance(one.actor, Vehicle):
            foot -= int(0.12 * high)
        columns = slice(x0 - one.sprite.x, x1 - one.sprite.x)
        last = int(rows[-1]) + 1
        first = max(0, last - (y1 - foot))
        colours = cv2.blur(cv2.flip(one.sprite.colours[first:last, columns], 0), (3, 7))
        alpha = cv2.blur(cv2.flip(one.sprite.alpha[first:last, columns], 0), (3, 7))
        area = slice(foot, foot + last - first), slice(x0, x1)
        wet = cv2.convertScaleAbs(self._backdrop.wet[area], alpha=0.5)
        seen = cv2.cvtColor(wet, cv2.COLOR_GRAY2BGR)
        cover = cv2.cvtColor(cv2.multiply(alpha, wet, scale=1 / 255), cv2.COLOR_GRAY2BGR)
        part = picture[area]
        rest = cv2.multiply(part, cv2.bitwise_not(cover), scale=1 / 255)
        cv2.add(rest, cv2.multiply(colours, seen, scale=1 / 255), dst=part)

    # What hides what

    def _covers(
        self, shown: Sequence[_Shown], boxes: NDArray[np.int64], grounds: NDArray[np.float64]
    ) -> list[Pixels | None]:
        """What standing things leave of each sprite: 255 all; None where nothing hides it."""
        covers: list[Pixels | None] = [None] * len(shown)
        if not shown or not self._occluders:
            return covers
        things, ones = overlapping(self._boxes, boxes)
        before = nearer(self._grounds[things], grounds[ones], self._eye)
        for row, column in zip(things[before].tolist(), ones[before].tolist(), strict=True):
            (thing, box), one = self._occluders[row], shown[column]
            x0, y0 = max(box[0], one.inside[0]), max(box[1], one.inside[1])
            x1, y1 = min(box[2], one.inside[2]), min(box[3], one.inside[3])
            cover = covers[column]
            if cover is None:
                size = one.inside[3] - one.inside[1], one.inside[2] - one.inside[0]
                cover = covers[column] = np.full(size, 255, np.uint8)
            part = cover[
                y0 - one.inside[1] : y1 - one.inside[1], x0 - one.inside[0] : x1 - one.inside[0]
            ]
            alpha = thing.sprite.alpha[
                y0 - thing.sprite.y : y1 - thing.sprite.y,
                x0 - thing.sprite.x : x1 - thing.sprite.x,
            ]
            cv2.multiply(part, cv2.bitwise_not(alpha), dst=part, scale=1 / 255)
        return covers

    def _inside_alpha(self, one: _Shown) -> Pixels:
        x0, y0, x1, y1 = one.inside
        return one.sprite.alpha[
            y0 - one.sprite.y : y1 - one.sprite.y, x0 - one.sprite.x : x1 - one.sprite.x
        ]

    def _numbered(self) -> Pixels:
        """For each pixel the parked car that is seen there, by its place among them, or 0."""
        ids = np.zeros(self._backdrop.picture.shape[:2], np.uint8)
        places = {number: place for place, number in enumerate(self._parked, 1)}
        things = sorted(
            self._backdrop.standing, key=lambda one: -self._camera.depth(*one.ground[:2])
        )
        for thing in things:
            box = inside(self._backdrop.picture, thing.sprite)
            if box is not None:
                x0, y0, x1, y1 = box
                alpha = thing.sprite.alpha[
                    y0 - thing.sprite.y : y1 - thing.sprite.y,
                    x0 - thing.sprite.x : x1 - thing.sprite.x,
                ]
                least = DRAWN if thing.number else _HIDES
                ids[y0:y1, x0:x1][alpha >= least] = places.get(thing.number, 0)
        return ids

    def _truth(self, ids: Pixels, shown: Sequence[_Shown]) -> list[Object]:
        seen = cv2.calcHist([ids], [0], None, [256], [0, 256]).ravel().tolist()
        found = []
        standing = {thing.number: thing.sprite for thing in self._backdrop.standing if thing.number}
        for place, (number, (actor, state)) in enumerate(self._parked.items(), 1):
            if number in standing:
                found.append(_object(number, actor, state, standing[number], ids, seen[place]))
        for place, one in enumerate(shown, len(self._parked) + 1):
            found.append(_object(one.number, one.actor, one.state, one.sprite, ids, seen[place]))
        return sorted((one for one in found if one is not None), key=lambda one: one.id)


def _object(
    number: int, actor: Actor, state: State, sprite: Sprite, ids: Pixels, seen: float
) -> Object | None:
    mask = cv2.threshold(sprite.alpha, DRAWN - 1, 255, cv2.THRESH_BINARY)[1]
    whole = cv2.countNonZero(mask)
    height, width = ids.shape
    x0, y0 = max(0, -sprite.x), max(0, -sprite.y)
    x1, y1 = width - sprite.x, height - sprite.y
    if not whole or x1 <= x0 or y1 <= y0:
        return None
    left, top, wide, high = cv2.boundingRect(mask[y0:y1, x0:x1])
    if not wide or not high:
        return None
    left, top = left + x0 + sprite.x, top + y0 + sprite.y
    return Object(
        number,
        actor.cls,
        (float(left), float(top), float(left + wide), float(top + high)),
        round(min(1.0, seen / whole), 4),
        (round(state.x, 3), round(state.y, 3)),
        round(state.speed, 3),
    )
