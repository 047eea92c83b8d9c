"""All of a scene that does not move, in one look: painted once, drawn over for each frame."""

import math
from dataclasses import dataclass
from typing import Final, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from simulators.scene import facade, ground, props
from simulators.scene.camera import Camera, Grid, Pixels
from simulators.scene.draw import Drawer, Place, Sprite
from simulators.scene.layout import Building, Layout
from simulators.scene.look import Look, tone
from simulators.scene.vehicles import Vehicle

_LARGER: Final = 2
_HEADLIGHT: Final = np.array([0.75, 0.9, 1.0], np.float32)
_FOOT: Final = {"kiosk": 3.4, "shelter": 3.6, "fountain": 5.6, "planter": 1.4, "bench": 1.8}
"""How broad things are on the ground, metres; all others are narrow."""


class Standing(NamedTuple):
    """Something that stands still: its picture, and its rectangle on the ground.

    ``ground`` is X, Y, heading, length and width; ``number`` the actor's, or 0 for what is none.
    """

    sprite: Sprite
    ground: tuple[float, float, float, float, float]
    number: int


@dataclass(frozen=True, slots=True, eq=False)
class Backdrop:
    """See the module.

    Attributes:
        picture: Height x width x 3.
        dark: What an actor's shadow takes from each pixel, as a share of 255.
        lit: What the light of a headlight adds.
        wet: How much each pixel mirrors, 0 to 255.
        standing: What may hide actors.
        lamps: The street lamps' light on the ground, an eighth of the picture's size.
        sun: The share of sunlight there.
    """

    picture: Pixels
    dark: Pixels
    lit: Pixels
    wet: Pixels
    standing: tuple[Standing, ...]
    lamps: Grid
    sun: Grid
    camera: Camera
    look: Look

    def place(self, x: float, y: float) -> Place:
        """The light at a place on the ground."""
        return _place(self.camera, self.look, self.lamps, self.sun, x, y)


class Parked(NamedTuple):
    """A car that stands at the kerb."""

    number: int
    x: float
    y: float
    heading: float
    vehicle: Vehicle


def _place(camera: Camera, look: Look, lamps: Grid, sun: Grid, x: float, y: float) -> Place:
    depth = max(1.0, camera.depth(x, y))
    u, v = camera.pixel(x, y) if depth > 1 else (0.0, 0.0)
    row = min(max(int(v / 8), 0), lamps.shape[0] - 1)
    column = min(max(int(u / 8), 0), lamps.shape[1] - 1)
    haze = 1 - math.exp(-look.haze[1] * depth)
    return Place(lamps[row, column], float(sun[row, column]), haze)


def make(
    layout: Layout, camera: Camera, look: Look, seed: int, parked: tuple[Parked, ...]
) -> Backdrop:
    """Paint what stands still."""
    large = Camera(camera.stand, camera.width * _LARGER, camera.height * _LARGER)
    chance = np.random.default_rng(seed)
    land = ground.lay(layout, large, chance)
    reached = ground.sunlight(layout, large, look) if look.sunny else None
    lamps = ground.lamplight(layout, look, land.x, land.y)
    lamps *= land.below[..., None]
    water = land.puddles * np.float32(look.wet)
    wet = np.float32(look.wet) * (0.35 + 0.65 * land.puddles)
    albedo = land.albedo * (1 - 0.45 * wet[..., None])
    still = albedo * (look.ambient + lamps)
    # Seen at a flat angle the wet ground mirrors the sky: Schlick's approximation.
    distance = np.hypot(land.depth, camera.stand.height)
    fresnel = 0.03 + 0.97 * (1 - camera.stand.height / distance) ** 5
    still += (wet * fresnel * (0.5 + 0.5 * water))[..., None] * look.sky[1] * np.float32(0.8)
    light = still
    if reached is not None:
        share = _share(reached)[..., None]
        light = still + albedo * look.sun * np.float32(look.to_sun[2]) * share
    far = np.exp(-look.haze[1] * land.depth)[..., None].astype(np.float32)

    def hazy(seen: Grid) -> Grid:
        mixed: Grid = (look.haze[0] + (seen - look.haze[0]) * far).astype(np.float32)
        return mixed

    picture = np.where(land.below[..., None], hazy(light), _sky(large, look, chance))
    flat = picture.astype(np.float32)
    for building in sorted(layout.buildings, key=lambda one: -_distance(one, camera)):
        facade.build(building, layout, large, look, flat)
    if look.wet and look.windows:
        _mirror(layout, large, look, flat, land.below)
    shadow = hazy(
        still if look.sunny else albedo * look.ambient * np.float32(1 - look.shade) + lamps * albedo
    )
    lost = 1 - tone(np.maximum(0, shadow)) / np.maximum(1, tone(np.maximum(0, flat)))
    dark = (np.clip(lost, 0, 0.8) * land.below[..., None]).astype(np.float32)
    beam = tone(np.maximum(0, flat + albedo * _HEADLIGHT * np.float32(2.6 * look.beams))) - tone(
        np.maximum(0, flat)
    )
    beam = beam * land.below[..., None]
    small = (
        _shrink(lamps, camera, 8),
        _shrink(
            _share(reached) if reached is not None else np.zeros_like(land.depth),
            camera,
            8,
        ),
    )
    result = _shrunk(tone(np.maximum(0, flat)), camera)
    drawer = Drawer(camera, look)
    standing = _standing(layout, camera, look, drawer, parked, small)
    picture8 = np.clip(result, 0, 255).astype(np.uint8)
    for thing in sorted(standing, key=lambda one: -camera.depth(one.ground[0], one.ground[1])):
        paste(picture8, thing.sprite)
    return Backdrop(
        picture8,
        _shrunk(dark * 255, camera).astype(np.uint8),
        _shrunk(np.clip(beam, 0, 255), camera).astype(np.uint8),
        _shrunk(np.minimum(255, wet * np.float32(255)) * land.below, camera).astype(np.uint8),
        tuple(standing),
        *small,
        camera,
        look,
    )


def _standing(
    layout: Layout,
    camera: Camera,
    look: Look,
    drawer: Drawer,
    parked: tuple[Parked, ...],
    maps: tuple[Grid, Grid],
) -> list[Standing]:
    found = []
    for prop in layout.props:
        if prop.kind == "parked":
            continue
        place = _place(camera, look, *maps, prop.x, prop.y)
        drawn = props.sprite(prop, camera, drawer, look, place)
        if drawn is not None:
            broad = _FOOT.get(prop.kind, 0.35) * prop.size
            foot = prop.x, prop.y, prop.heading, broad, broad
            found.append(Standing(drawn, foot, 0))
    for car in parked:
        place = _place(camera, look, *maps, car.x, car.y)
        vehicle = car.vehicle
        drawn = drawer.body(vehicle.body, (car.x, car.y), car.heading, place, "off")
        if drawn is not None:
            foot = car.x, car.y, car.heading, vehicle.length, vehicle.width
            found.append(Standing(drawn, foot, car.number))
    return found


def paste(picture: Pixels, sprite: Sprite, alpha: Pixels | None = None) -> None:
    """Lay a sprite over a picture; what reaches past its edges is left out."""
    box = inside(picture, sprite)
    if box is None:
        return
    x0, y0, x1, y1 = box
    area = slice(y0 - sprite.y, y1 - sprite.y), slice(x0 - sprite.x, x1 - sprite.x)
    colours, cover = sprite.colours[area], sprite.alpha[area]
    part = picture[y0:y1, x0:x1]
    if alpha is not None:
        seen = cv2.cvtColor(alpha, cv2.COLOR_GRAY2BGR)
        colours = np.asarray(cv2.multiply(colours, seen, scale=1 / 255), np.uint8)
        cover = np.asarray(cv2.multiply(cover, alpha, scale=1 / 255), np.uint8)
    rest = cv2.cvtColor(cv2.bitwise_not(cover), cv2.COLOR_GRAY2BGR)
    cv2.add(cv2.multiply(part, rest, scale=1 / 255), colours, dst=part)


def inside(picture: NDArray[np.uint8], sprite: Sprite) -> tuple[int, int, int, int] | None:
    """The part of the picture that a sprite lies on: left, top, right, bottom; None if none."""
    height, width = sprite.alpha.shape
    x0, y0 = max(0, sprite.x), max(0, sprite.y)
    x1 = min(picture.shape[1], sprite.x + width)
    y1 = min(picture.shape[0], sprite.y + height)
    return (x0, y0, x1, y1) if x1 > x0 and y1 > y0 else None


def _distance(building: Building, camera: Camera) -> float:
    (ax, ay), (bx, by) = building.a, building.b
    return camera.depth((ax + bx) / 2, (ay + by) / 2)


def _share(mask: Pixels) -> Grid:
    """0 to 255 as 0 to 1."""
    return mask.astype(np.float32) / np.float32(255)


def _shrunk(grid: Grid, camera: Camera) -> Grid:
    size = camera.width, camera.height
    return np.asarray(
        cv2.resize(grid.astype(np.float32), size, interpolation=cv2.INTER_AREA), np.float32
    )


def _shrink(grid: Grid, camera: Camera, factor: int) -> Grid:
    size = -(-camera.width // factor), -(-camera.height // factor)
    return np.asarray(cv2.resize(grid, size, interpolation=cv2.INTER_AREA), np.float32)


def _sky(camera: Camera, look: Look, chance: np.random.Generator) -> Grid:
    """From the horizon's colour to the top's, with clouds."""
    height, width = camera.height, camera.width
    horizon = height / 2 - camera.focal * math.tan(math.radians(camera.stand.pitch))
    rows = np.clip((horizon - np.arange(height, dtype=np.float32)) / (0.35 * height), 0, 1)
    share = (rows**0.8)[:, None, None]
    sky = look.sky[1] + (look.sky[0] - look.sky[1]) * share
    clouds = np.zeros((height, width), np.float32)
    for cells, weight in ((6, 0.5), (14, 0.3), (34, 0.2)):
        noise = chance.random((max(2, cells // 2), cells)).astype(np.float32)
        clouds += weight * cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)
    cover = np.clip((clouds - 0.5) * 3, 0, 1)[..., None]
    bright = look.sky[1] * np.float32(1.15 if look.sunny else 0.85)
    painted: Grid = (sky + (bright - sky) * cover * 0.7).astype(np.float32)
    return np.broadcast_to(painted, (height, width, 3)).copy()


def _mirror(
    layout: Layout, camera: Camera, look: Look, picture: Grid, below: NDArray[np.bool_]
) -> None:
    """Long reflections of street lamps on the wet ground."""
    glow = np.zeros(below.shape, np.float32)
    for x, y, high in layout.lamps:
        depth = camera.depth(x, y)
        if depth < 2:  # noqa: PLR2004 metres
            continue
        # A lamp's mirror image lies as deep below the ground as the lamp hangs above it.
        pixels, _ = camera.project(np.array([(x, y, 0.0), (x, y, -high)]))
        (u, v), (_, low) = pixels.tolist()
        broad = max(2, int(0.35 * camera.focal / depth))
        cv2.ellipse(
            glow,
            (int(u), int((v + low) / 2)),
            (broad, max(2, int((low - v) * 0.62))),
            0,
            0,
            360,
            1.0,
            -1,
        )
    soft = cv2.GaussianBlur(glow, (0, 0), camera.width / 160, sigmaY=camera.width / 50)
    warm = ground.LAMPLIGHT * np.float32(0.30 * look.lamps)
    picture += (soft * below)[..., None] * warm
