"""The ground: patches, paint, paving, puddles, and the light and shadow that lie on it."""

from typing import Final, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from simulators.scene.camera import Camera, Floats, Grid, Pixels, Spot
from simulators.scene.layout import Layout
from simulators.scene.look import Look, paint

_TEXTURES: Final = ("plain", "asphalt", "slabs", "setts", "grass")
LAMPLIGHT: Final = np.array([0.40, 0.71, 1.0], np.float32)
"""The street lamps' colour."""

_FARTHEST: Final = 400.0
_TILE: Final = 512
_LINEAR: Final = ((np.arange(256) / 255) ** 2.2).astype(np.float32)


class Ground(NamedTuple):
    """What lies below the horizon; all arrays are as large as the picture that is painted.

    Attributes:
        x: World X of each pixel; above the horizon it means nothing.
        y: World Y.
        below: Whether a pixel shows ground.
        depth: Metres before the camera's plane.
        albedo: Linear colours.
        puddles: 0 to 1, how much water stands there when it rains.
    """

    x: Grid
    y: Grid
    below: NDArray[np.bool_]
    depth: Grid
    albedo: Grid
    puddles: Grid


def lay(layout: Layout, camera: Camera, chance: np.random.Generator) -> Ground:
    """Paint the ground of a scene for a camera's picture."""
    height, width = camera.height, camera.width
    columns, rows = np.meshgrid(
        np.arange(width, dtype=np.float32) + 0.5, np.arange(height, dtype=np.float32) + 0.5
    )
    back = camera.to_ground.astype(np.float32)
    u, v, w = (back[n, 0] * columns + back[n, 1] * rows + back[n, 2] for n in range(3))
    sign = np.sign(back[2] @ np.array([width / 2, height * 1.0, 1.0], np.float32))
    w = w * sign
    with np.errstate(divide="ignore", invalid="ignore"):
        x, y = u * sign / w, v * sign / w
    ahead = camera.matrix[2]
    depth = (ahead[0] * x + ahead[1] * y + ahead[3]).astype(np.float32)
    below = (w > 0) & (depth < _FARTHEST) & (depth > 0)
    x, y = np.where(below, x, 0).astype(np.float32), np.where(below, y, 0).astype(np.float32)
    depth = np.where(below, depth, _FARTHEST).astype(np.float32)

    picture = np.full((height, width, 3), 90, np.uint8)
    kinds = np.zeros((height, width), np.uint8)
    for patch in layout.patches:
        corners = outline(camera, patch.points)
        code = patch.colour
        bgr = tuple(int(code[at : at + 2], 16) for at in (5, 3, 1))
        cv2.fillPoly(picture, [corners], bgr, cv2.LINE_AA, 4)
        cv2.fillPoly(kinds, [corners], _TEXTURES.index(patch.texture), cv2.LINE_8, 4)
    albedo = np.asarray(cv2.LUT(picture, _LINEAR), np.float32)
    # How many metres a pixel spans down the picture: what is finer cannot be seen.
    span = (depth**2 / (camera.focal * camera.stand.height)).astype(np.float32)
    noise = _noise(chance)
    fine = _sampled(noise, x, y, 0.012) * np.clip(0.06 / span, 0, 1)
    broad = _sampled(noise, x, y, 0.09)
    wide = _sampled(noise, y, x, 0.35)
    rough = 1 + np.select(
        [kinds == 1, kinds == 2, kinds == 3, kinds == 4],  # noqa: PLR2004 the textures above
        [
            0.17 * fine + 0.07 * broad + 0.08 * wide,
            0.06 * fine + 0.05 * broad + _joints(x, y, span, (0.6, 0.6), chance),
            0.10 * fine + 0.06 * broad + _joints(x, y, span, (0.22, 0.22), chance),
            0.22 * fine + 0.2 * broad + 0.15 * wide,
        ],
        0.05 * broad,
    )
    albedo *= rough.astype(np.float32)[..., None]
    _mark(layout, camera, albedo, broad + 0.5 * fine)
    puddles = np.clip((wide + 0.6 * broad - 0.2) * 1.6, 0, 1) * (kinds < 4)  # noqa: PLR2004
    return Ground(x, y, below, depth, np.maximum(albedo, 0.004), puddles.astype(np.float32))


def outline(camera: Camera, points: tuple[Spot, ...]) -> NDArray[np.int32]:
    """A polygon of the ground as one of the picture, in sixteenths of pixels."""
    return outline3(camera, np.array([(x, y, 0.0) for x, y in points]))


def outline3(camera: Camera, corners: Floats) -> NDArray[np.int32]:
    """A polygon in space as one of the picture, in sixteenths of pixels."""
    seen = camera.before(corners)
    if not len(seen):
        return np.zeros((3, 2), np.int32)
    pixels, _ = camera.project(seen)
    return np.rint(np.clip((pixels - 0.5) * 16, -4e6, 4e6)).astype(np.int32)


def _mark(layout: Layout, camera: Camera, albedo: Grid, worn: Grid) -> None:
    marks = np.zeros(albedo.shape[:2], np.uint8)
    for points in layout.marks:
        cv2.fillPoly(marks, [outline(camera, points)], 255, cv2.LINE_AA, 4)
    share = (marks / np.float32(255)) * np.clip(0.86 - 0.2 * worn, 0.35, 0.95)
    albedo += share[..., None] * (paint("#dcdcd4") - albedo)


def _noise(chance: np.random.Generator) -> Grid:
    """A tile of soft noise that fits itself at its edges; mean 0, spread about 1."""
    total = np.zeros((_TILE, _TILE), np.float32)
    for size, weight in ((512, 0.6), (128, 0.6), (32, 0.55), (8, 0.4)):
        cells = chance.standard_normal((size, size)).astype(np.float32)
        around = np.pad(cells, 2, mode="wrap")
        factor = _TILE // size
        large = cv2.resize(around, None, fx=factor, fy=factor, interpolation=cv2.INTER_CUBIC)
        total += weight * large[2 * factor : -2 * factor, 2 * factor : -2 * factor]
    return total


def _sampled(noise: Grid, x: Grid, y: Grid, cell: float) -> Grid:
    """The noise at places of the ground; one of its cells is ``cell`` metres wide."""
    at = np.mod(x / cell, _TILE).astype(np.float32), np.mod(y / cell, _TILE).astype(np.float32)
    return np.asarray(
        cv2.remap(noise, *at, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP), np.float32
    )


def _joints(
    x: Grid, y: Grid, span: Grid, size: tuple[float, float], chance: np.random.Generator
) -> Grid:
    """Paving stones: dark joints, and each stone a little lighter or darker than its neighbours."""
    tints = chance.uniform(-1, 1, 4096).astype(np.float32)
    column, row = np.floor(x / size[0]).astype(np.int64), np.floor(y / size[1]).astype(np.int64)
    tint = tints[(column * 73 + row * 151) % 4096]
    in_x = np.abs(x / size[0] - column - 0.5) * 2
    in_y = np.abs(y / size[1] - row - 0.5) * 2
    width = np.maximum(0.03, span / size[1])
    edge = np.maximum(
        np.clip((in_x - 1) / np.maximum(0.03, width * 0.5) + 1, 0, 1),
        np.clip((in_y - 1) / width + 1, 0, 1),
    )
    seen = np.clip(size[1] / (span * 2.2) - 0.3, 0, 1)
    joints: Grid = ((0.06 * tint - 0.28 * edge) * seen).astype(np.float32)
    return joints


def lamplight(layout: Layout, look: Look, x: Grid, y: Grid, z: Grid | float = 0.0) -> Grid:
    """The street lamps' light at places (H x W x 3), falling as the square of the distance."""
    total = np.zeros(np.broadcast_shapes(x.shape, np.shape(z)), np.float32)
    if look.lamps:
        for lamp_x, lamp_y, high in layout.lamps:
            below = np.maximum(high - z, 0.3)
            away = (x - lamp_x) ** 2 + (y - lamp_y) ** 2 + below**2
            # A lamp is brightest at some angle from straight down; 1 right below it.
            total += high**2 * np.minimum(1.0, below / 2) / away * (below**2 / away) ** 0.7
    warm = LAMPLIGHT * np.float32(look.lamps)
    lit: Grid = total[..., None] * warm
    return lit


def sunlight(layout: Layout, camera: Camera, look: Look) -> Pixels:
    """255 where the sun reaches the ground, 0 in the shadow of what stands still."""
    reached = np.full((camera.height, camera.width), 255, np.uint8)
    slant = -look.to_sun[:2] / look.to_sun[2]

    def shade(corners: list[tuple[float, float, float]]) -> None:
        flat = np.array([(x + z * slant[0], y + z * slant[1], 0.0) for x, y, z in corners])
        cv2.fillPoly(reached, [outline3(camera, flat)], 0, cv2.LINE_AA, 4)

    for (ax, ay), (bx, by), high, _ in layout.buildings:
        shade([(ax, ay, 0), (bx, by, 0), (bx, by, high), (ax, ay, high)])
    for prop in layout.props:
        for part in _SHADES.get(prop.kind, _nothing)(prop.x, prop.y, prop.size, prop.seed):
            shade(part)
    return np.asarray(cv2.GaussianBlur(reached, (5, 5), 1.2), np.uint8)


_Part = list[tuple[float, float, float]]


def _nothing(*_: float) -> list[_Part]:
    return []


def _post(x: float, y: float, size: float, seed: int) -> list[_Part]:
    del seed
    high = 6.5 * size
    return [[(x - 0.07, y, 0), (x + 0.07, y, 0), (x + 0.07, y, high), (x - 0.07, y, high)]]


def _tree(x: float, y: float, size: float, seed: int) -> list[_Part]:
    chance = np.random.default_rng(seed)
    parts = [[(x - 0.15, y, 0.0), (x + 0.15, y, 0.0), (x + 0.1, y, 3.0), (x - 0.1, y, 3.0)]]
    turns = np.linspace(0, 2 * np.pi, 10, endpoint=False)
    for _ in range(26):
        across, along, up = chance.normal(0, 0.42, 3) * 2.0 * size
        radius = chance.uniform(0.35, 0.8) * size
        z = max(2.0, 4.3 * size + up)
        parts.append(
            [
                (
                    x + across + radius * float(np.cos(a)),
                    y + along + radius * float(np.sin(a)),
                    z,
                )
                for a in turns
            ]
        )
    return parts


def _hut(x: float, y: float, size: float, seed: int) -> list[_Part]:
    del seed
    half, high = 1.5 * size, 2.9 * size
    top = [(x + a * half, y + b * half, high) for a, b in ((-1, -1), (1, -1), (1, 1), (-1, 1))]
    walls = [
        [(a, b, 0.0), (c, d, 0.0), (c, d, high), (a, b, high)]
        for (a, b, _), (c, d, _) in zip(top, [*top[1:], top[0]], strict=True)
    ]
    return [top, *walls]


_SHADES: Final = {"lamp": _post, "signal": _post, "tree": _tree, "kiosk": _hut, "shelter": _hut}
