"""What stands still in a scene: lamps, signals, trees, kiosks, benches, bins, signs, bollards."""

import math
from collections.abc import Callable
from typing import Final

import cv2
import numpy as np

from simulators.scene.camera import Camera
from simulators.scene.draw import Drawer, Place, Pose, Sprite
from simulators.scene.figure import Disc, Limb, Stroke
from simulators.scene.layout import Prop
from simulators.scene.look import Look, paint, tone
from simulators.scene.mesh import GLASS, GLOSS, LIT, MATT, Body, Mesh

LAMP_HEIGHT: Final = 6.2
_LEAVES: Final = ("#3b5324", "#45602a", "#324a20", "#546d30", "#5f7336")
_BARK: Final = "#4a3a2c"


def sprite(prop: Prop, camera: Camera, drawer: Drawer, look: Look, place: Place) -> Sprite | None:
    """One thing's picture; None where it is out of the picture."""
    at = (prop.x, prop.y)
    if prop.kind == "tree":
        return _tree(prop, camera, look, place)
    if prop.kind in _BODIES:
        return drawer.body(_BODIES[prop.kind](prop), at, prop.heading, place, "off")
    strokes = _STROKES[prop.kind](prop, look)
    return drawer.figure(Pose(strokes, *at, prop.heading, place))


def _lamp(prop: Prop, look: Look) -> list[Stroke]:
    grey = paint("#4b5055")
    bulb = np.array([1.6, 2.2, 2.6], np.float32) * 3 if look.lamps else paint("#c9ccc8")
    high = LAMP_HEIGHT * prop.size
    return [
        Limb((0, 0, 0), (0, 0, 1.0), 0.2, grey),
        Limb((0, 0, 1.0), (0, 0, high), 0.12, grey),
        Limb((0, 0, high), (1.3, 0, high + 0.25), 0.09, grey),
        Limb((1.2, 0, high + 0.25), (1.75, 0, high + 0.28), 0.17, grey),
        Limb((1.3, 0, high + 0.17), (1.7, 0, high + 0.19), 0.1, bulb),
    ]


def _signal(prop: Prop, look: Look) -> list[Stroke]:
    del look
    dark = paint("#2a2d2f")
    return [
        Limb((0, 0, 0), (0, 0, 3.1 * prop.size), 0.13, dark),
        Limb((0, 0, 2.35), (0, 0, 3.05), 0.34, paint("#16181a")),
    ]


def _sign(prop: Prop, look: Look) -> list[Stroke]:
    del look
    colours = ("#2b5fa0", "#b3262a", "#e2b100")
    face = paint(colours[prop.seed % len(colours)])
    return [
        Limb((0, 0, 0), (0, 0, 2.5), 0.07, paint("#8b8f93")),
        Disc((0, 0.0, 2.35), 0.62, 0.62, paint("#e8e8e8")),
        Disc((0.01, 0.0, 2.35), 0.5, 0.5, face),
    ]


def _bollard(prop: Prop, look: Look) -> list[Stroke]:
    del prop, look
    return [
        Limb((0, 0, 0.05), (0, 0, 0.85), 0.14, paint("#33373a")),
        Limb((0, 0, 0.68), (0, 0, 0.74), 0.15, paint("#d8d8d0")),
    ]


def _bin(prop: Prop) -> Body:
    del prop
    mesh = Mesh()
    mesh.box((-0.25, 0.25), (-0.25, 0.25), (0, 0.95), "#2f4a3a", GLOSS, top="#1d2a24")
    return mesh.done()


def _bench(prop: Prop) -> Body:
    del prop
    mesh = Mesh()
    for x in (-0.8, 0.7):
        mesh.box((x, x + 0.1), (-0.22, 0.22), (0, 0.42), "#2b2d2f")
    mesh.box((-0.95, 0.95), (-0.25, 0.25), (0.42, 0.5), "#8a5f38", top="#9a6d42")
    mesh.box((-0.95, 0.95), (-0.3, -0.24), (0.5, 0.95), "#8a5f38")
    return mesh.done()


def _planter(prop: Prop) -> Body:
    mesh = Mesh()
    half = 0.8 * prop.size
    mesh.box((-half, half), (-half, half), (0, 0.55), "#8f8a80", top="#3a2f22")
    for number, colour in enumerate(("#4d6b2a", "#5d7a33", "#3f5a22")):
        inset = half * (0.9 - 0.22 * number)
        low = 0.5 + 0.2 * number
        mesh.box((-inset, inset), (-inset, inset), (low, low + 0.24), colour, top=colour)
    return mesh.done()


def _kiosk(prop: Prop) -> Body:
    mesh = Mesh()
    half, wall = 1.5 * prop.size, 2.35 * prop.size
    colour = ("#2f5a3f", "#7d2026", "#1f3f5f")[prop.seed % 3]
    mesh.box((-half, half), (-half, half), (0, wall), colour, GLOSS)
    for side in (-1, 1):
        y = side * (half + 0.01)
        pane = [(-half * 0.8, y, 1.0), (half * 0.8, y, 1.0), (half * 0.8, y, 2.0)]
        mesh.face([*pane, (-half * 0.8, y, 2.0)], paint("#caa45a"), LIT)
        x = side * (half + 0.01)
        pane = [(x, -half * 0.8, 1.0), (x, half * 0.8, 1.0), (x, half * 0.8, 2.0)]
        mesh.face([*pane, (x, -half * 0.8, 2.0)], paint("#b5b8b0"), LIT)
        for number in range(5):  # papers and bottles on the shelf
            y0 = -half * 0.7 + number * half * 0.3
            goods = paint(("#c23b34", "#e2b100", "#2b5fa0", "#e6e4de", "#3c7a4c")[number])
            spot = [(x * 1.005, y0, 1.05), (x * 1.005, y0 + half * 0.2, 1.05)]
            mesh.face([*spot, (x * 1.005, y0 + half * 0.2, 1.5), (x * 1.005, y0, 1.5)], goods)
    out = half + 0.45
    mesh.box((-out, out), (-out, out), (wall, wall + 0.28), "#e6e2d6", MATT, top="#a8443a")
    mesh.box((-half, half), (-half, half), (wall + 0.28, wall + 0.5), colour, top="#7c3a32")
    return mesh.done()


def _shelter(prop: Prop) -> Body:
    """A bus stop's shelter: open to its front (+Y of its own axes)."""
    del prop
    mesh = Mesh()
    mesh.box((-1.9, 1.9), (-0.72, -0.66), (0.15, 2.3), "#50606a", GLASS)
    mesh.box((-1.9, -1.84), (-0.7, 0.5), (0.15, 2.3), "#50606a", GLASS)
    mesh.box((1.4, 1.9), (-0.7, 0.5), (0.0, 2.3), "#2d3033", LIT)
    mesh.box((-1.2, 1.0), (-0.6, -0.25), (0.42, 0.5), "#8a5f38")
    mesh.box((-2.0, 2.0), (-0.8, 0.8), (2.3, 2.42), "#3a3f43", GLOSS, top="#565d63")
    return mesh.done()


def _fountain(prop: Prop) -> Body:
    mesh = Mesh()
    for radius, low, high, top in (
        (3.0, 0.0, 0.5, "#5f86a0"),
        (1.1, 0.45, 1.15, "#6f93aa"),
        (0.35, 1.1, 2.3, "#a8a49a"),
    ):
        ring = [
            (radius * prop.size * math.cos(a), radius * prop.size * math.sin(a))
            for a in (2 * math.pi * n / 14 for n in range(14))
        ]
        mesh.part((0, 0, (low + high) / 2))
        for (x, y), (u, v) in zip(ring, [*ring[1:], ring[0]], strict=True):
            mesh.face([(x, y, low), (u, v, low), (u, v, high), (x, y, high)], paint("#a8a49a"))
        mesh.face([(x, y, high) for x, y in ring], paint("#bdb9ae"))
        mesh.face([(x * 0.86, y * 0.86, high + 0.01) for x, y in ring], paint(top), GLOSS)
    return mesh.done()


def _tree(prop: Prop, camera: Camera, look: Look, place: Place) -> Sprite | None:
    """A trunk, and a crown of many leafy blobs, the lower and inner ones darker."""
    chance = np.random.default_rng(prop.seed)
    size = prop.size
    count = 420
    spread = chance.normal(0, 1, (count, 3))
    spread /= np.maximum(1, np.linalg.norm(spread, axis=1, keepdims=True) / 1.5)
    balls = spread * (1.25 * size, 1.25 * size, 1.05 * size) + (prop.x, prop.y, 4.35 * size)
    posts = np.array([(prop.x, prop.y, 0.0), (prop.x, prop.y, 3.3 * size)])
    pixels, depths = camera.project(np.vstack([posts, balls]))
    if depths.min() < 1:
        return None
    scales = camera.focal / depths
    scale = 3
    reach = 0.75 * size * float(scales.max())
    low = np.floor(np.maximum(pixels.min(axis=0) - reach, (-camera.width, -camera.height)))
    high = np.ceil(np.minimum(pixels.max(axis=0) + reach, (2 * camera.width, 2 * camera.height)))
    wide, tall = (int(side) for side in high - low)
    if wide < 1 or tall < 1:
        return None
    canvas = np.zeros((tall * scale, wide * scale, 4), np.uint8)
    points = np.rint((pixels - low) * scale).astype(int)
    leaves = np.array([paint(code) for code in _LEAVES])[chance.integers(0, len(_LEAVES), count)]
    # Outside towards the light is bright, inside and below is dark.
    top = look.to_sun if look.sunny else np.array([0, 0, 1.0])
    facing = np.clip(spread @ top * 0.42 + 0.42, 0.06, 1)[:, None]
    light = look.ambient * (0.45 + 0.6 * facing) + place.lamps * (0.5 - 0.3 * facing)
    light = light + look.sun * facing * np.float32(0.85)
    bark = paint(_BARK) * (look.ambient + place.lamps + look.sun * np.float32(0.3))
    seen = np.vstack([bark[None], leaves * light]).astype(np.float32)
    seen = seen + (look.haze[0] - seen) * np.float32(place.haze)
    shown = [(*row, 255.0) for row in tone(seen).tolist()]
    trunk = max(1, round(0.3 * size * float(scales[0]) * scale))
    cv2.line(canvas, points[0].tolist(), points[1].tolist(), shown[0], trunk)
    order = np.argsort(facing[:, 0] - 0.12 * depths[2:] / size)
    for number in order:
        radius = float(chance.uniform(0.11, 0.3)) * size * float(scales[number + 2]) * scale
        axes = max(1, round(radius)), max(1, round(radius * float(chance.uniform(0.55, 0.9))))
        turn = float(chance.uniform(0, 180))
        spot = points[number + 2].tolist()
        cv2.ellipse(canvas, spot, axes, turn, 0, 360, shown[number + 1], -1)
    small = np.asarray(cv2.resize(canvas, (wide, tall), interpolation=cv2.INTER_AREA), np.uint8)
    x, y = (int(side) for side in low)
    return Sprite(x, y, np.ascontiguousarray(small[..., :3]), np.ascontiguousarray(small[..., 3]))


_BODIES: Final[dict[str, Callable[[Prop], Body]]] = {
    "bin": _bin,
    "bench": _bench,
    "planter": _planter,
    "kiosk": _kiosk,
    "shelter": _shelter,
    "fountain": _fountain,
}
_STROKES: Final[dict[str, Callable[[Prop, Look], list[Stroke]]]] = {
    "lamp": _lamp,
    "signal": _signal,
    "sign": _sign,
    "bollard": _bollard,
}
