"""One frame: actors over the backdrop, with their shadows, lights and mirror images."""

import math
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from simulators.scene import figure
from simulators.scene.backdrop import Backdrop, inside, paste
from simulators.scene.camera import Spot
from simulators.scene.draw import Drawer, Lights, Pixels, Place, Pose, Sprite
from simulators.scene.figure import Cyclist, Person
from simulators.scene.layout import Signal
from simulators.scene.mesh import turn
from simulators.scene.order import Rectangle, nearer, overlapping, painted
from simulators.scene.truth import Object
from simulators.scene.vehicles import Vehicle
from simulators.scene.world import Actor, State

DRAWN: Final = 64
"""From this alpha on a pixel belongs to a silhouette."""

_HALF: Final = 2
_FINE: Final = 17.0
"""Pixels a metre from which on hands and shoes are drawn."""
_NEAREST: Final = 1.5
_FARTHEST: Final = 140.0
"""Depths between which actors are drawn, metres."""
_WHITE: Final = np.array([0.80, 0.93, 1.0], np.float32)
_RED: Final = np.array([0.12, 0.10, 1.0], np.float32)
_CONE: Final = ((0, 0.25), (0.6, 1), (1, 0.8), (1, -0.8), (0.6, -1), (0, -0.25))
"""The outline of what headlights light up: ahead as a share of the reach, aside of the spread."""
_BEAMS: Final = ((15.0, 3.2, 60), (10.0, 2.3, 120), (6.0, 1.5, 190))
"""Reach and spread of headlights (metres), and how bright it is there, of 255."""
_SIGNAL_COLOURS: Final = {"red": (60, 60, 255), "amber": (60, 190, 255), "green": (150, 240, 70)}
_SIGNAL_Z: Final = (2.98, 2.7, 2.42)
"""Heights of red, amber and green, metres."""

_Mover = tuple[int, Actor, State]


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
        self._glows: dict[tuple[int, str], Pixels] = {}
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
        shadows = np.zeros((-(-picture.shape[0] // _HALF), -(-picture.shape[1] // _HALF)), np.uint8)
        beams = np.zeros_like(shadows) if self._look.beams else None
        self._shade(shadows, beams, near)
        self._ground(picture, shadows, beams)
        self._signal(picture, signals)
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

    def _show(self, t: float, near: Sequence[_Mover], beams: Pixels | None) -> list[_Shown]:
        """Everyone's sprite, of those who are in the picture."""
        sprites: list[Sprite | None] = []
        poses: list[Pose] = []
        for _, actor, state in near:
            place = self._lit(state, beams)
            if isinstance(actor, Vehicle):
                at, lights = (state.x, state.y), _lights(state)
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
        for number, actor, state in near:
            sprite = next(bodies if isinstance(actor, Vehicle) else figures)
            box = None if sprite is None else inside(self._backdrop.picture, sprite)
            if sprite is not None and box is not None:
                size = (actor.length, actor.width) if isinstance(actor, Vehicle) else actor.size
                foot = (state.x, state.y, state.heading, *size)
                shown.append(_Shown(number, actor, state, sprite, box, foot))
        return shown

    def _lit(self, state: State, beams: Pixels | None) -> Place:
        """The light where somebody is; headlights add to it."""
        place = self._backdrop.place(state.x, state.y)
        if beams is not None:
            u, v = self._camera.pixel(state.x, state.y)
            row, column = int(v / _HALF), int(u / _HALF)
            if 0 <= row < beams.shape[0] and 0 <= column < beams.shape[1]:
                lit = float(beams[row, column]) / 255 * self._look.beams * 0.7
                return place._replace(lamps=place.lamps + np.float32(lit) * _WHITE)
        return place

    # What lies on the ground

    def _shade(self, shadows: Pixels, beams: Pixels | None, near: Sequence[_Mover]) -> None:
        dark: list[tuple[int, list[Spot]]] = []
        light: list[tuple[int, list[Spot]]] = []
        sunny = self._look.sunny
        slant_x, slant_y = (-self._look.to_sun[:2] / self._look.to_sun[2]).tolist()
        for _, actor, state in near:
            cos, sin = math.cos(state.heading), math.sin(state.heading)

            def at(
                along: float, across: float, c: float = cos, s: float = sin, o: State = state
            ) -> Spot:
                return o.x + along * c - across * s, o.y + along * s + across * c

            if isinstance(actor, Vehicle):
                fore, side = actor.length / 2, actor.width / 2
                foot = [
                    at(a, b)
                    for a, b in ((fore, side), (fore, -side), (-fore, -side), (-fore, side))
                ]
                if sunny:
                    high = actor.height
                    tops = [
                        (x + slant_x * high, y + slant_y * high)
                        for x, y in (
                            at(0.9 * a, 0.9 * b)
                            for a, b in ((fore, side), (fore, -side), (-fore, -side), (-fore, side))
                        )
                    ]
                    hull = cv2.convexHull(np.array([*foot, *tops], np.float32))
                    foot = [(float(x), float(y)) for x, y in hull[:, 0].tolist()]
                dark.append((255 if sunny else 230, foot))
                if beams is not None:
                    light += [
                        (bright, [at(fore + 0.3 + a * reach, b * spread) for a, b in _CONE])
                        for reach, spread, bright in _BEAMS
                    ]
                continue
            length, width = actor.size
            fore, side = length / 2, width * 0.35
            if not sunny:
                dark.append(
                    (
                        230,
                        [
                            at(a, b)
                            for a, b in ((fore, side), (fore, -side), (-fore, -side), (-fore, side))
                        ],
                    )
                )
            else:
                dark += _lean(actor, state, (slant_x, slant_y))
        self._fill(shadows, dark)
        if beams is not None:
            self._fill(beams, sorted(light, key=operator.itemgetter(0)))

    def _fill(self, mask: Pixels, polygons: Sequence[tuple[int, list[Spot]]]) -> None:
        """Fill polygons of the ground, seen before the camera, with values."""
        if not polygons:
            return
        spots = np.array([spot for _, points in polygons for spot in points])
        matrix = self._camera.to_picture
        seen = spots @ matrix[:, :2].T + matrix[:, 2]
        depths = seen[:, 2]
        pixels = seen[:, :2] / (np.maximum(depths, 0.1)[:, None] * _HALF) - 0.5
        corners = np.rint(pixels * 16).astype(np.int32)
        # What reaches behind the camera is not filled.
        behind = (depths < 0.5).tolist()  # noqa: PLR2004 metres
        first = 0
        for value, points in polygons:
            last = first + len(points)
            if not any(behind[first:last]):
                cv2.fillConvexPoly(mask, corners[first:last], value, cv2.LINE_AA, 4)
            first = last

    def _ground(self, picture: Pixels, shadows: Pixels, beams: Pixels | None) -> None:
        size = picture.shape[1], picture.shape[0]
        soft = (
            cv2.GaussianBlur(shadows, (3, 3), 0)
            if self._look.sunny
            else cv2.GaussianBlur(shadows, (7, 7), 2.0)
        )
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

    def _signal(self, picture: Pixels, signals: Sequence[tuple[Signal, str]]) -> None:
        """The lights of those signals that face the camera."""
        for signal, shown in signals:
            cos, sin = math.cos(signal.heading), math.sin(signal.heading)
            if (self._eye[0] - signal.x) * cos + (self._eye[1] - signal.y) * sin <= 0:
                continue
            depth = self._camera.depth(signal.x, signal.y, 2.7)
            if depth < _NEAREST:
                continue
            radius = self._camera.focal / depth * 0.11
            at = np.array([(signal.x + 0.12 * cos, signal.y + 0.12 * sin, z) for z in _SIGNAL_Z])
            pixels, _ = self._camera.project(at)
            for (u, v), name in zip(pixels.tolist(), _SIGNAL_COLOURS, strict=True):
                on = name == shown
                colour = [value if on else value * 0.16 for value in _SIGNAL_COLOURS[name]]
                middle = round((u - 0.5) * 16), round((v - 0.5) * 16)
                cv2.circle(picture, middle, max(14, round(radius * 16)), colour, -1, cv2.LINE_AA, 4)
                if on:
                    self._halo(picture, int(u), int(v), max(3, round(radius * 3.2)), name)

    def _halo(self, picture: Pixels, x: int, y: int, radius: int, name: str) -> None:
        """The light around a signal."""
        share = 0.25 + 0.45 * self._look.glow
        colour = np.array(_SIGNAL_COLOURS[name], np.float32) / 255
        self._add(
            picture, x, y, (radius, name), lambda: _soft(radius)[..., None] * colour * 150 * share
        )

    # What hides what

    def _covers(
        self, shown: Sequence[_Shown], boxes: NDArray[np.int64], grounds: NDArray[np.float64]
    ) -> list[Pixels | None]:
        """What things that stand still leave of each sprite: 255 all; None where nothing hides it."""
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
        self,
        picture: Pixels,
        x: int,
        y: int,
        radius: int,
        tail: bool,
        braking: bool,  # noqa: FBT001
    ) -> None:
        bright = 230 if not tail else 190 if braking else 100
        share = 0.45 + 0.55 * self._look.glow
        colour = _RED if tail else _WHITE
        key = radius, f"{tail}{braking}"
        self._add(picture, x, y, key, lambda: _soft(radius)[..., None] * colour * bright * share)

    def _add(
        self,
        picture: Pixels,
        x: int,
        y: int,
        key: tuple[int, str],
        make: Callable[[], NDArray[np.float32]],
    ) -> None:
        """Add a glow of radius ``key[0]`` around a pixel; it is made once for each key."""
        if key not in self._glows:
            self._glows[key] = np.clip(make(), 0, 255).astype(np.uint8)
        glow, radius = self._glows[key], key[0]
        x0, y0 = max(0, x - radius), max(0, y - radius)
        x1, y1 = min(picture.shape[1], x + radius + 1), min(picture.shape[0], y + radius + 1)
        if x1 <= x0 or y1 <= y0:
            return
        part = picture[y0:y1, x0:x1]
        left, top = x0 - x + radius, y0 - y + radius
        cv2.add(part, glow[top : top + y1 - y0, left : left + x1 - x0], dst=part)


def _lights(state: State) -> Lights:
    return "braking" if state.braking else "driving"


def _soft(radius: int) -> NDArray[np.float32]:
    """1 in the middle, 0 from ``radius`` on."""
    rows, columns = np.mgrid[-radius : radius + 1, -radius : radius + 1]
    away = np.hypot(rows, columns) / radius
    return (np.clip(1 - away, 0, 1) ** 2.2).astype(np.float32)


def _lean(
    actor: Person | Cyclist, state: State, slant: tuple[float, float]
) -> list[tuple[int, list[Spot]]]:
    """Somebody's shadow by sunlight: legs and body laid down on the ground."""
    high = actor.height if isinstance(actor, Person) else 1.6
    broad = 0.2 if isinstance(actor, Person) else 0.3
    step = 0.22 * math.cos(4.3 * state.way) if state.speed > 0.3 else 0.1  # noqa: PLR2004
    long = max(1e-6, math.hypot(*slant))
    across_x, across_y = -slant[1] / long, slant[0] / long

    def at(z: float, aside: float, fore: float = 0.0) -> Spot:
        return (
            state.x + slant[0] * z + across_x * aside + math.cos(state.heading) * fore,
            state.y + slant[1] * z + across_y * aside + math.sin(state.heading) * fore,
        )

    hip, neck = 0.45 * high, 0.85 * high
    legs = [
        (255, [at(0, -0.1, fore), at(0, 0.1, fore), at(hip, 0.1), at(hip, -0.1)])
        for fore in (step, -step)
    ]
    trunk = [(hip, -broad * 0.8), (hip, broad * 0.8), (neck, broad), (high, 0.08), (high, -0.08)]
    return [*legs, (255, [*(at(z, aside) for z, aside in trunk), at(neck, -broad)])]


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
