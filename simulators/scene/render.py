"""One frame: actors over the backdrop, with their shadows, lights and mirror images."""

import math
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from simulators.scene import figure
from simulators.scene.backdrop import Backdrop, inside, paste
from simulators.scene.draw import Drawer, Pixels, Sprite
from simulators.scene.figure import Cyclist, Person
from simulators.scene.mesh import turn
from simulators.scene.order import Rectangle, nearer, painted
from simulators.scene.truth import Object
from simulators.scene.vehicles import Vehicle
from simulators.scene.world import Actor, State

DRAWN: Final = 64
"""From this alpha on a pixel belongs to a silhouette."""

_HALF: Final = 2
_WHITE: Final = np.array([0.80, 0.93, 1.0])
_RED: Final = np.array([0.12, 0.10, 1.0])


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
        self._glows: dict[tuple[int, bool, bool], Pixels] = {}
        self._still = self._numbered()
        self._occluders = [
            (thing, box)
            for thing in backdrop.standing
            if (box := inside(backdrop.picture, thing.sprite)) is not None
        ]

    def frame(
        self, t: float, actors: Mapping[int, Actor], states: Mapping[int, State]
    ) -> tuple[Pixels, list[Object]]:
        """The picture, without what the lens and the sensor do to it, and what is in it."""
        picture = self._backdrop.picture.copy()
        shadows = np.zeros(
            (-(-picture.shape[0] // _HALF), -(-picture.shape[1] // _HALF)), np.uint8
        )
        beams = np.zeros_like(shadows) if self._look.beams else None
        near = {key: state for key, state in states.items() if self._near(state)}
        for number, state in near.items():
            self._shade(shadows, beams, actors[number], state)
        self._ground(picture, shadows, beams)
        shown = [
            one for number, state in near.items() if (one := self._show(t, number, actors[number], state, beams))
        ]
        order = (
            painted(
                [one.inside for one in shown],
                nearer([one.ground for one in shown], [one.ground for one in shown], self._eye),
            )
            if shown
            else []
        )
        ids = self._still.copy()
        if self._look.wet:
            for number in order:
                self._mirror(picture, shown[number])
        covers = self._covers(shown)
        for position, number in enumerate(order, 1):
            one = shown[number]
            paste(picture, one.sprite, covers[number])
            x0, y0, x1, y1 = one.inside
            alpha = self._inside_alpha(one)
            if covers[number] is not None:
                alpha = cv2.multiply(alpha, covers[number], scale=1 / 255)
            ids[y0:y1, x0:x1][alpha >= DRAWN] = len(self._parked) + position
        if self._look.glow:
            self._shine(picture, ids, [shown[number] for number in order])
        return picture, self._truth(ids, [shown[number] for number in order])

    def _near(self, state: State) -> bool:
        depth = self._camera.depth(state.x, state.y, 1.0)
        return 1.5 < depth < 140  # noqa: PLR2004 metres

    def _show(
        self, t: float, number: int, actor: Actor, state: State, beams: Pixels | None
    ) -> _Shown | None:
        at = state.x, state.y
        place = self._backdrop.place(*at)
        if beams is not None:
            u, v = self._camera.pixel(*at)
            row, column = int(v / _HALF), int(u / _HALF)
            if 0 <= row < beams.shape[0] and 0 <= column < beams.shape[1]:
                lit = float(beams[row, column]) / 255 * self._look.beams * 0.7
                lamps = place.lamps + np.float32(lit) * _WHITE.astype(np.float32)
                place = place._replace(lamps=lamps)
        if isinstance(actor, Vehicle):
            sprite = self._drawer.body(actor.body, at, state.heading, place, braking=state.braking)
            size = actor.length, actor.width
        else:
            pose = (
                figure.riding(actor, state.way, state.speed, t)
                if isinstance(actor, Cyclist)
                else figure.walking(actor, state.way, state.speed, t)
            )
            sprite = self._drawer.figure(pose, at, state.heading, place)
            size = actor.size
        if sprite is None:
            return None
        box = inside(self._backdrop.picture, sprite)
        if box is None:
            return None
        return _Shown(number, actor, state, sprite, box, (*at, state.heading, *size))

    # What lies on the ground

    def _shade(
        self, shadows: Pixels, beams: Pixels | None, actor: Actor, state: State
    ) -> None:
        if isinstance(actor, Vehicle):
            length, width, high = actor.length, actor.width, actor.height
        else:
            length, width = actor.size
            high = actor.height if isinstance(actor, Person) else 1.6
            width *= 0.7
        turned = turn(state.heading)[:2, :2]
        half = np.array([(1, 1), (1, -1), (-1, -1), (-1, 1)]) * (length / 2, width / 2)
        corners = half @ turned.T + (state.x, state.y)
        if self._look.sunny:
            slant = -self._look.to_sun[:2] / self._look.to_sun[2]
            if isinstance(actor, Vehicle):
                tops = corners * 0.9 + np.array([state.x, state.y]) * 0.1 + slant * high
                flat = np.vstack([corners, tops])
                self._fill(shadows, cv2.convexHull(flat.astype(np.float32))[:, 0], 255)
            else:
                self._lean(shadows, actor, state, slant, high)
                self._fill(shadows, corners * 0.5 + np.array([state.x, state.y]) * 0.5, 200)
        else:
            self._fill(shadows, corners, 230)
        if beams is not None and isinstance(actor, Vehicle):
            for reach, spread, bright in ((15.0, 3.2, 60), (10.0, 2.3, 120), (6.0, 1.5, 190)):
                nose = length / 2 + 0.3
                cone = np.array(
                    [
                        (nose, 0.7),
                        (nose + reach * 0.6, spread),
                        (nose + reach, spread * 0.8),
                        (nose + reach, -spread * 0.8),
                        (nose + reach * 0.6, -spread),
                        (nose, -0.7),
                    ]
                )
                self._fill(beams, cone @ turned.T + (state.x, state.y), bright)

    def _lean(
        self,
        shadows: Pixels,
        actor: Person | Cyclist,
        state: State,
        slant: NDArray[np.float32],
        high: float,
    ) -> None:
        """Somebody's shadow: legs, body and head laid down on the ground."""
        across = np.array([-slant[1], slant[0]]) / max(1e-6, float(np.hypot(*slant)))
        base = np.array([state.x, state.y])
        leg = 0.45 * high
        broad = 0.2 if isinstance(actor, Person) else 0.3
        step = 0.22 * math.cos(4.3 * state.way) if state.speed > 0.3 else 0.1  # noqa: PLR2004
        ahead = np.array([math.cos(state.heading), math.sin(state.heading)])
        for side in (-1, 1):
            foot = base + ahead * step * side
            hip = base + slant * leg
            self._fill(
                shadows,
                np.array([foot - across * 0.07, foot + across * 0.07, hip + across * 0.1, hip - across * 0.1]),
                255,
            )
        hip, neck = base + slant * leg, base + slant * high * 0.85
        top = base + slant * high
        for one, other, wide in ((hip, neck, broad), (neck, top, 0.1)):
            self._fill(
                shadows,
                np.array([one - across * wide, one + across * wide, other + across * wide, other - across * wide]),
                255,
            )

    def _fill(self, mask: Pixels, spots: NDArray[np.float64], value: int) -> None:
        matrix = self._camera.to_picture
        seen = spots @ matrix[:, :2].T + matrix[:, 2]
        if seen[:, 2].min() < 0.5:  # noqa: PLR2004 metres: behind the camera
            return
        pixels = seen[:, :2] / (seen[:, 2:] * _HALF) - 0.5
        cv2.fillConvexPoly(mask, np.rint(pixels * 16).astype(np.int32), value, cv2.LINE_AA, 4)

    def _ground(self, picture: Pixels, shadows: Pixels, beams: Pixels | None) -> None:
        size = picture.shape[1], picture.shape[0]
        soft = cv2.GaussianBlur(shadows, (3, 3), 0) if self._look.sunny else cv2.GaussianBlur(shadows, (7, 7), 2.0)
        large = cv2.cvtColor(cv2.resize(soft, size), cv2.COLOR_GRAY2BGR)
        taken = cv2.multiply(large, self._backdrop.dark, scale=1 / 255)
        cv2.multiply(picture, cv2.bitwise_not(taken), dst=picture, scale=1 / 255)
        if beams is not None:
            cv2.GaussianBlur(beams, (0, 0), 3.0, dst=beams)
            glare = cv2.cvtColor(cv2.resize(beams, size), cv2.COLOR_GRAY2BGR)
            cv2.add(picture, cv2.multiply(glare, self._backdrop.lit, scale=1 / 255), dst=picture)

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

    def _covers(self, shown: Sequence[_Shown]) -> list[Pixels | None]:
        """What things that stand still leave of each sprite: 255 all; None where nothing hides it."""
        covers: list[Pixels | None] = [None] * len(shown)
        if not shown or not self._occluders:
            return covers
        before = nearer(
            [thing.ground for thing, _ in self._occluders],
            [one.ground for one in shown],
            self._eye,
        )
        for row, (thing, box) in enumerate(self._occluders):
            for column, one in enumerate(shown):
                x0, y0 = max(box[0], one.inside[0]), max(box[1], one.inside[1])
                x1, y1 = min(box[2], one.inside[2]), min(box[3], one.inside[3])
                if x1 <= x0 or y1 <= y0 or not before[row, column]:
                    continue
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
                ids[y0:y1, x0:x1][alpha >= 128] = places.get(thing.number, 0)  # noqa: PLR2004
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

    # What shines

    def _shine(self, picture: Pixels, ids: Pixels, shown: Sequence[_Shown]) -> None:
        for place, one in enumerate(shown, len(self._parked) + 1):
            if not isinstance(one.actor, Vehicle):
                continue
            turned = turn(one.state.heading)
            lamps = one.actor.body.lamps
            world = np.array([lamp.at for lamp in lamps]) @ turned.T
            world[:, :2] += (one.state.x, one.state.y)
            pixels, depths = self._camera.project(world)
            to_eye = self._camera.centre[:2] - (one.state.x, one.state.y)
            facing = float(turned[:2, 0] @ to_eye / max(1.0, float(np.hypot(*to_eye))))
            for lamp, (u, v), depth in zip(lamps, pixels.tolist(), depths.tolist(), strict=True):
                towards = -facing if lamp.tail else facing
                row, column = int(v), int(u)
                if towards < 0.1 or not (0 <= row < ids.shape[0] and 0 <= column < ids.shape[1]):  # noqa: PLR2004
                    continue
                if ids[row, column] == place:
                    size = (0.55 if lamp.tail else 1.0 + 0.9 * towards) * self._look.glow
                    radius = max(2, round(self._camera.focal / depth * size * 0.55))
                    self._glow(picture, column, row, radius, lamp.tail, one.state.braking)

    def _glow(  # noqa: PLR0913, PLR0917 a place, a size and a kind
        self, picture: Pixels, x: int, y: int, radius: int, tail: bool, braking: bool  # noqa: FBT001
    ) -> None:
        key = radius, tail, braking
        if key not in self._glows:
            away = np.hypot(*np.mgrid[-radius : radius + 1, -radius : radius + 1]) / radius
            soft = np.clip(1 - away, 0, 1) ** 2.2 * (230 if not tail else 190 if braking else 100)
            soft = soft * (0.45 + 0.55 * self._look.glow)
            colour = _RED if tail else _WHITE
            self._glows[key] = (soft[..., None] * colour).astype(np.uint8)
        glow = self._glows[key]
        x0, y0 = max(0, x - radius), max(0, y - radius)
        x1, y1 = min(picture.shape[1], x + radius + 1), min(picture.shape[0], y + radius + 1)
        part = picture[y0:y1, x0:x1]
        left, top = x0 - x + radius, y0 - y + radius
        cv2.add(part, glow[top : top + y1 - y0, left : left + x1 - x0], dst=part)


def _object(  # noqa: PLR0913, PLR0917 all that is said of an object
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
