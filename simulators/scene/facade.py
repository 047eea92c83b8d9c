"""Fronts of buildings: walls with windows, shops and doors, painted flat and put into place."""

import math
from typing import Final, NamedTuple

import cv2
import numpy as np

from simulators.scene.camera import Camera, Floats, Grid
from simulators.scene.ground import lamplight
from simulators.scene.layout import Building, Layout
from simulators.scene.look import Colour, Look, paint

_WALLS: Final = (
    *("#c9b79c", "#b98f6b", "#a65b45", "#8e4a3a", "#d8cdb8", "#9aa0a3", "#c7c3ba"),
    *("#d9c39a", "#a9b3a0", "#8a7f78", "#cfae8e", "#b7c0c7", "#e0d6c6"),
)
_SHOPS: Final = (
    "#7d2026",
    "#1f3f5f",
    "#2f5a3f",
    "#d0a030",
    "#33302e",
    "#c2502e",
    "#3d6b70",
    "#6d4a86",
)
_GLASS: Final = "#2c3942"
_STOREY: Final = 3.1
_SHOP: Final = 3.9
_LEAST_DEPTH: Final = 0.6


class Front(NamedTuple):
    """A painted wall: colours, own light, and metres: width and height."""

    albedo: Grid
    shine: Grid
    width: float
    height: float


def build(building: Building, layout: Layout, camera: Camera, look: Look, picture: Grid) -> None:
    """Paint one building into a picture of linear light; it must lie before the camera."""
    (ax, ay), (bx, by), _, _ = building
    shares = _before(building, camera)
    if shares is None:
        return
    corners = _corners(building, *shares)
    pixels, depths = camera.project(corners)
    front = _front(building, camera.focal / float(depths.min()), look)
    normal = np.array([by - ay, ax - bx, 0.0])
    normal /= np.linalg.norm(normal)
    if normal @ (camera.centre - corners[3]) < 0:
        normal = -normal
    light = look.ambient * np.float32(0.85)
    if look.sunny:
        light = light + look.sun * np.float32(max(0.0, float(normal @ look.to_sun)))
    seen = front.albedo * (light + _lamps(layout, look, building, normal, front)) + front.shine
    depth = float(depths.mean())
    haze = np.float32(1 - math.exp(-look.haze[1] * depth))
    seen = seen + (look.haze[0] - seen) * haze
    wide = seen.shape[1]
    left, right = (round(share * wide) for share in shares)
    if right - left > 1:
        _place(np.ascontiguousarray(seen[:, left:right]), pixels, picture)


def _corners(building: Building, first: float, last: float) -> Floats:
    """Of the part of a front between two shares of its width: upper two, then lower two."""
    (ax, ay), (bx, by), high, _ = building
    one = ax + first * (bx - ax), ay + first * (by - ay)
    other = ax + last * (bx - ax), ay + last * (by - ay)
    return np.array([(*one, high), (*other, high), (*other, 0.0), (*one, 0.0)])


def _before(building: Building, camera: Camera) -> tuple[float, float] | None:
    """Between which shares of its width a front lies before the camera; None if nowhere."""
    (ax, ay), (bx, by), high, _ = building
    near = [
        min(camera.depth(x, y), camera.depth(x, y, high)) - _LEAST_DEPTH
        for x, y in ((ax, ay), (bx, by))
    ]
    if max(near) <= 0:
        return None
    if min(near) >= 0:
        return 0.0, 1.0
    share = near[0] / (near[0] - near[1])
    return (share, 1.0) if near[0] < 0 else (0.0, share)


def _place(seen: Grid, pixels: Floats, picture: Grid) -> None:
    tall, wide = seen.shape[:2]
    flat = np.array([(0, 0), (wide, 0), (wide, tall), (0, tall)], np.float32)
    matrix = cv2.getPerspectiveTransform(flat, pixels.astype(np.float32))
    low = np.floor(pixels.min(axis=0)).astype(int) - 1
    high = np.ceil(pixels.max(axis=0)).astype(int) + 1
    x0, y0 = max(0, int(low[0])), max(0, int(low[1]))
    x1, y1 = min(picture.shape[1], int(high[0])), min(picture.shape[0], int(high[1]))
    if x1 <= x0 or y1 <= y0:
        return
    moved = np.array([[1, 0, -x0], [0, 1, -y0], [0, 0, 1.0]]) @ matrix
    size = x1 - x0, y1 - y0
    area = np.asarray(
        cv2.warpPerspective(
            seen, moved, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
    )
    mask = np.zeros((size[1], size[0]), np.uint8)
    points = np.rint((pixels - (x0, y0) - 0.5) * 16).astype(np.int32)
    cv2.fillConvexPoly(mask, points, 255, cv2.LINE_AA, 4)
    share = (mask / np.float32(255))[..., None]
    part = picture[y0:y1, x0:x1]
    part += share * (area - part)


def _lamps(
    layout: Layout, look: Look, building: Building, normal: Floats, front: Front
) -> Grid | np.float32:
    if not look.lamps:
        return np.float32(0)
    (ax, ay), (bx, by), high, _ = building
    tall, wide = front.albedo.shape[:2]
    along = np.linspace(0, 1, 24, dtype=np.float32)[None, :]
    up = np.linspace(high, 0, 16, dtype=np.float32)[:, None]
    x = np.broadcast_to(ax + along * (bx - ax) + normal[0] * 0.5, (16, 24)).astype(np.float32)
    y = np.broadcast_to(ay + along * (by - ay) + normal[1] * 0.5, (16, 24)).astype(np.float32)
    light = lamplight(layout, look, x, y, np.broadcast_to(up, (16, 24)).astype(np.float32))
    return np.asarray(cv2.resize(light * np.float32(0.7), (wide, tall)), np.float32)


def _front(building: Building, scale: float, look: Look) -> Front:
    """``scale``: pixels that a metre takes in the picture, about."""
    (ax, ay), (bx, by), high, seed = building
    width = math.hypot(bx - ax, by - ay)
    scale = min(26.0, max(6.0, scale))
    wide, tall = max(8, round(width * scale)), max(8, round(high * scale))
    chance = np.random.default_rng(seed)
    wall = paint(str(chance.choice(_WALLS))) * np.float32(chance.uniform(0.75, 1.05))
    albedo = np.empty((tall, wide, 3), np.float32)
    albedo[:] = wall
    grain = chance.normal(0, 1, (tall // 2 + 1, wide // 2 + 1)).astype(np.float32)
    albedo *= 1 + 0.05 * cv2.resize(grain, (wide, tall))[..., None]
    albedo *= np.linspace(1.06, 0.86, tall, dtype=np.float32)[:, None, None]
    brush = _Brush(albedo, np.zeros_like(albedo), scale, high)
    trim = np.minimum(1, wall * np.float32(1.35))
    shops = bool(chance.random() < 0.7) and high > 5  # noqa: PLR2004
    floor = _SHOP if shops else 0.7
    if shops:
        _shops(brush, width, chance, look)
    else:
        brush.rectangle(0, 0, width, 0.7, wall * np.float32(0.6))
    bay = float(chance.uniform(2.1, 3.2))
    bays = max(1, int((width - 0.6) / bay))
    edge = (width - bays * bay) / 2
    glass_w, glass_h = bay * float(chance.uniform(0.42, 0.6)), float(chance.uniform(1.5, 1.95))
    shutters = chance.random() < 0.25  # noqa: PLR2004
    balconies = chance.random() < 0.3  # noqa: PLR2004
    shutter = paint(str(chance.choice(_SHOPS)))
    while floor + glass_h + 1.2 < high:
        brush.rectangle(0, floor - 0.12, width, floor + 0.06, trim)
        for number in range(bays):
            x = edge + number * bay + (bay - glass_w) / 2
            _window(brush, x, floor + 0.8, glass_w, glass_h, trim, chance, look)
            if shutters:
                for side in (x - glass_w * 0.42, x + glass_w * 1.02):
                    brush.rectangle(
                        side, floor + 0.8, side + glass_w * 0.4, floor + 0.8 + glass_h, shutter
                    )
            if balconies and number % 2:
                brush.rectangle(x - 0.3, floor + 0.5, x + glass_w + 0.3, floor + 0.68, trim * 0.7)
                brush.bars(x - 0.3, floor + 0.68, x + glass_w + 0.3, floor + 1.5)
        floor += _STOREY
    brush.rectangle(0, high - 0.45, width, high, trim)
    brush.rectangle(0, high - 0.6, width, high - 0.45, wall * np.float32(0.55))
    brush.rectangle(0, 0, 0.08, high, wall * np.float32(0.6))
    return Front(brush.albedo, brush.shine, width, high)


class _Brush(NamedTuple):
    """Paints rectangles in metres; Y upwards."""

    albedo: Grid
    shine: Grid
    scale: float
    high: float

    def rectangle(
        self,
        x0: float,
        y0: float,
        x1: float,
        y1: float,
        colour: Colour,
        shine: Colour | None = None,
    ) -> None:
        left, right = round(x0 * self.scale), round(x1 * self.scale)
        top, low = round((self.high - y1) * self.scale), round((self.high - y0) * self.scale)
        area = slice(max(0, top), max(0, low)), slice(max(0, left), max(0, right))
        self.albedo[area] = colour
        self.shine[area] = 0 if shine is None else shine

    def bars(self, x0: float, y0: float, x1: float, y1: float) -> None:
        """A railing: every other column dark, and a hand rail."""
        left, right = round(x0 * self.scale), round(x1 * self.scale)
        top, low = round((self.high - y1) * self.scale), round((self.high - y0) * self.scale)
        step = max(2, round(0.14 * self.scale))
        self.albedo[max(0, top) : low, max(0, left) : right : step] *= 0.35
        self.albedo[max(0, top) : max(0, top) + 1, max(0, left) : right] *= 0.3


def _window(
    brush: _Brush,
    x: float,
    y: float,
    wide: float,
    high: float,
    trim: Colour,
    chance: np.random.Generator,
    look: Look,
) -> None:
    dice, tint, curtain = chance.random(3)
    brush.rectangle(x - 0.1, y - 0.14, x + wide + 0.1, y, trim)
    brush.rectangle(x - 0.07, y, x + wide + 0.07, y + high + 0.07, trim * np.float32(0.8))
    glass = paint(_GLASS) * np.float32(0.5 + tint)
    sky = look.sky[1] * np.float32(0.10 + 0.25 * tint)
    if dice < look.windows:
        warm = np.array([0.30, 0.62, 0.95], np.float32) * np.float32(0.35 + 0.75 * tint)
        sky = warm if tint > 0.15 else warm[::-1] * np.float32(0.8)  # noqa: PLR2004 a television
    brush.rectangle(x, y, x + wide, y + high, glass, sky)
    if curtain < 0.4:  # noqa: PLR2004
        cover = np.minimum(1, trim * np.float32(0.8))
        bottom = y + high * (1 - 1.2 * float(curtain))
        brush.rectangle(x, bottom, x + wide, y + high, cover, sky * np.float32(0.35))
    middle = x + wide / 2
    brush.rectangle(middle - 0.035, y, middle + 0.035, y + high, trim * np.float32(0.9))
    brush.rectangle(x, y + high * 0.62, x + wide, y + high * 0.62 + 0.06, trim * np.float32(0.9))
    # The reveal's shadow, which gives the window its depth.
    brush.rectangle(x, y + high - 0.1, x + wide, y + high, glass * np.float32(0.35))


def _shops(brush: _Brush, width: float, chance: np.random.Generator, look: Look) -> None:
    brush.rectangle(0, 0, width, _SHOP - 0.1, paint("#5a5650"))
    x = 0.4
    while x < width - 2.5:
        wide = min(float(chance.uniform(3.2, 5.5)), width - x - 0.3)
        sign = paint(str(chance.choice(_SHOPS)))
        lit = look.windows > 0.2 and chance.random() < 0.75  # noqa: PLR2004
        inside = np.array([0.45, 0.72, 0.9], np.float32) * np.float32(0.55 if lit else 0.0)
        sky = look.sky[1] * np.float32(0.18)
        brush.rectangle(x, 0.45, x + wide, 2.75, paint(_GLASS), inside + sky)
        for _ in range(6):  # goods on display
            at = x + float(chance.uniform(0.1, max(0.2, wide - 0.7)))
            goods = paint(str(chance.choice(_SHOPS)))
            high = float(chance.uniform(0.8, 1.7))
            width_ = float(chance.uniform(0.25, 0.6))
            brush.rectangle(at, 0.5, at + width_, high, goods, goods * inside * np.float32(0.7))
        brush.rectangle(x + wide - 1.15, 0.08, x + wide - 0.15, 2.45, sign * np.float32(0.6))
        brush.rectangle(
            x + wide - 1.0, 0.5, x + wide - 0.3, 2.3, paint(_GLASS), inside * np.float32(0.8) + sky
        )
        brush.rectangle(x, 2.9, x + wide, 3.55, sign, sign * np.float32(0.9) if lit else None)
        letters = np.minimum(1, sign * 0.2 + np.float32(0.6))
        for letter in range(int(wide / 0.55) - 2):
            at = x + 0.6 + letter * 0.42
            if chance.random() < 0.85:  # noqa: PLR2004
                tall = float(chance.uniform(0.22, 0.36))
                shine = letters * np.float32(0.8) if lit else None
                brush.rectangle(at, 3.08, at + 0.24, 3.08 + tall, letters, shine)
        if chance.random() < 0.45:  # noqa: PLR2004 an awning
            stripes = max(2, int(wide / 0.5))
            for stripe in range(stripes):
                at = x + wide * stripe / stripes
                colour = sign * 1.2 if stripe % 2 else paint("#e6e2d6")
                brush.rectangle(at, 2.35, at + wide / stripes, 2.95, np.minimum(1, colour))
        x += wide + 0.35
