"""Cars, vans, buses and trucks: shapes of many sizes and colours, chosen by a seed."""

import random
from typing import Final, NamedTuple

from simulators.scene.look import Colour, paint
from simulators.scene.mesh import GLASS, GLOSS, HEAD, LIT, MATT, TAIL, Body, Lamp, Mesh, Point

_PAINTS: Final = (
    *("#e8e9ea", "#f4f4f2", "#b9bdc1", "#8b9096", "#55595e", "#2a2c2f", "#17181a"),
    *("#9b1c1c", "#c0392b", "#1f3f77", "#2f6db0", "#7fa8cf", "#2c5a3f", "#7a6a4f"),
    *("#c9b458", "#d97b29", "#5a2a3a", "#e7dfc6", "#3d6b70", "#b33a5b"),
)
_COMMON: Final = 7
"""So many of the paints, the first ones, are common."""
_BUS_PAINTS: Final = (
    *(("#c8202f", "#f0f0ee"), ("#1d5fa8", "#f2f2f0"), ("#e2b100", "#f4f0e0")),
    *(("#2e8b57", "#f0f3ee"), ("#f1f1ef", "#c8202f"), ("#e36f1e", "#efefec")),
)
_BOX_PAINTS: Final = ("#f2f2ef", "#e9e6da", "#d8dde2", "#2f5f9e", "#c33b2e", "#3a7d4f", "#e0a32e")
_LOAD_PAINTS: Final = ("#8a7350", "#9a9a96", "#6b4b33", "#b9b2a3")
_TYRE: Final = "#141415"
_RIM: Final = "#8d9196"
_GLASS: Final = "#1b242b"
_SILL: Final = "#242527"
_LAMP: Final = "#e9edf0"
_TAIL: Final = "#a01512"
_PLATE: Final = "#e8e6da"
_CHASSIS: Final = "#222426"

Profile = list[tuple[float, float, float]]
"""Side view: X, Z and half the width there."""


class Vehicle(NamedTuple):
    """A vehicle's shape and size (metres)."""

    cls: str
    body: Body
    length: float
    width: float
    height: float


def car(chance: random.Random) -> Vehicle:
    """A saloon, hatchback, estate, off-roader or van."""
    kind = chance.choices(("saloon", "hatch", "estate", "suv", "van"), (3, 4, 2, 3, 1.4))[0]
    colour = paint(chance.choice(_PAINTS[: _COMMON if chance.random() < 0.62 else None]))  # noqa: PLR2004
    scale = chance.uniform(0.95, 1.05)
    match kind:
        case "saloon":
            body = _car(4.65 * scale, 1.82, 0.93, 1.44, (0.86, 0.10, -0.95, -1.72), colour)
            size = 4.65, 1.82, 1.44
        case "hatch":
            body = _car(3.95 * scale, 1.76, 0.97, 1.50, (0.80, 0.12, -1.45, -1.88), colour)
            size = 3.95, 1.76, 1.50
        case "estate":
            body = _car(4.70 * scale, 1.83, 0.95, 1.49, (0.92, 0.20, -1.90, -2.22), colour)
            size = 4.70, 1.83, 1.49
        case "suv":
            body = _car(4.50 * scale, 1.88, 1.08, 1.70, (0.95, 0.30, -1.75, -2.12), colour)
            size = 4.50, 1.88, 1.70
        case _:
            body = _van(5.1 * scale, 1.98, 2.05, colour)
            size = 5.1, 1.98, 2.05
    return Vehicle("car", body, size[0] * scale, size[1], size[2])


def bus(chance: random.Random) -> Vehicle:
    """A city bus."""
    colour, second = (paint(code) for code in chance.choice(_BUS_PAINTS))
    length, width, height = chance.uniform(10.6, 12.2), 2.55, chance.uniform(2.95, 3.15)
    mesh = Mesh()
    half, end = width / 2, length / 2
    mesh.hull(
        [
            (end, 0.32, half - 0.06),
            (end, 1.2, half - 0.04),
            (end - 0.12, height - 0.25, half - 0.08),
            (end - 0.35, height, half - 0.18),
            (-end + 0.2, height, half - 0.18),
            (-end, height - 0.2, half - 0.06),
            (-end, 0.34, half - 0.05),
        ],
        colour,
    )
    for side in (-1, 1):
        y = side * half
        _panel(mesh, y, (-end + 0.1, end - 0.1), (0.32, 0.55), _SILL)
        _panel(mesh, y, (-end + 0.1, end - 0.1), (0.98, 1.12), second, GLOSS)
        windows = 6
        span = (length - 1.2) / windows
        for number in range(windows):
            x = -end + 0.55 + number * span
            _panel(mesh, y, (x, x + span - 0.12), (1.3, 2.45), _GLASS, GLASS)
            _panel(mesh, y, (x + 0.1, x + span - 0.22), (1.95, 2.38), "#3a4650", LIT)
        if side < 0:  # doors stand on the pavement's side
            for x in (end - 1.55, 0.1):
                _panel(mesh, y - 0.01, (x, x + 1.25), (0.42, 2.5), "#2b3238", GLASS)
                _panel(mesh, y - 0.02, (x + 0.6, x + 0.66), (0.42, 2.5), "#0f1113")
        _wheels(mesh, (end - 2.6, -end + 3.1), y, 0.48)
    _front(mesh, end + 0.01, half - 0.14, (1.2, 2.55), _GLASS, GLASS)
    _front(mesh, end - 0.06, half - 0.3, (2.58, 2.86), "#f3b53a", LIT)
    _front(mesh, -end - 0.01, half - 0.35, (1.5, 2.5), _GLASS, GLASS)
    _lights(mesh, (end + 0.02, -end - 0.02), half - 0.32, (0.72, 1.05), 0.24)
    for x in (-length / 4, length / 6):
        mesh.box((x - 1.0, x + 1.0), (-0.8, 0.8), (height, height + 0.16), second, top=second)
    return Vehicle("bus", mesh.done(), length, width, height)


def truck(chance: random.Random) -> Vehicle:
    """A box truck, a tipper or a flat bed with a load."""
    kind = chance.choices(("box", "tipper", "flat"), (5, 2, 2))[0]
    colour = paint(chance.choice(_PAINTS))
    length = chance.uniform(6.6, 8.6)
    width, cab = 2.35, 1.75
    high = chance.uniform(2.3, 2.6)
    end, half = length / 2, 1.15
    mesh = Mesh()
    nose = end - cab
    mesh.box((-end, nose), (-0.9, 0.9), (0.5, 0.95), _CHASSIS, at=-end)
    mesh.hull(
        [
            (end, 0.4, half - 0.05),
            (end, 1.25, half - 0.04),
            (end - 0.28, high - 0.1, half - 0.12),
            (end - 0.5, high, half - 0.2),
            (nose, high, half - 0.2),
            (nose, 0.55, half - 0.05),
        ],
        colour,
        at=end,
    )
    for side in (-1, 1):
        _panel(mesh, side * half, (nose + 0.45, end - 0.3), (1.35, high - 0.35), _GLASS, GLASS)
        _panel(mesh, side * (half + 0.01), (nose + 0.05, end - 0.05), (0.42, 0.62), _SILL)
        _wheels(mesh, (end - 1.25,), side * (half + 0.02), 0.46)
    mesh.face(
        _across(end - 0.03, end - 0.25, half - 0.15, (1.32, high - 0.22)), paint(_GLASS), GLASS
    )
    _front(mesh, end + 0.01, half - 0.3, (0.75, 1.12), "#1c1d1f")
    _lights(mesh, (end + 0.02, None), half - 0.22, (0.62, 0.82), 0.26)
    _load(mesh, kind, (-end, nose - 0.12), width / 2, chance)
    height = {"box": 3.35, "tipper": high, "flat": high}[kind]
    return Vehicle("truck", mesh.done(), length, width, height)


def _load(
    mesh: Mesh, kind: str, x: tuple[float, float], half: float, chance: random.Random
) -> None:
    rear, front = x
    if kind == "box":
        colour = paint(chance.choice(_BOX_PAINTS))
        mesh.box(x, (-half, half), (0.85, 3.35), colour, GLOSS, top=colour * 0.9, at=rear)
        stripe = paint(chance.choice(_BOX_PAINTS))
        low = chance.uniform(1.1, 2.0)
        for side in (-1, 1):
            y = side * (half + 0.01)
            _panel(mesh, y, (rear + 0.3, front - 0.3), (low, low + 0.55), stripe, GLOSS)
            _panel(mesh, y, (rear, front), (0.85, 0.97), _SILL)
            _panel(mesh, y, (rear + 1.0, rear + 2.6), (low + 0.7, low + 0.95), stripe)
        _front(mesh, rear - 0.01, half - 0.1, (0.98, 3.25), colour * 0.82)
        _front(mesh, rear - 0.02, 0.03, (0.98, 3.25), _SILL)
    else:
        boards = paint("#8f2f22" if kind == "tipper" else "#5d6064")
        top = paint(chance.choice(_LOAD_PAINTS))
        wall = 1.9 if kind == "tipper" else 1.35
        mesh.box(x, (-half, half), (0.9, wall), boards, GLOSS, top=top, at=rear)
        for number in range(5):
            post = rear + 0.1 + number * (front - rear - 0.2) / 4
            for edge in (-1, 1):
                y = edge * (half + 0.01)
                _panel(mesh, y, (post - 0.06, post + 0.06), (0.9, wall), boards * 0.6)
        heap = (rear + 0.5, front - 0.4)
        mesh.box(
            heap, (-half + 0.35, half - 0.35), (wall, wall + 0.35), top, top=top * 1.1, at=rear
        )
    _lights(mesh, (None, rear - 0.03), half - 0.25, (0.7, 0.9), 0.24)
    _wheels_both(mesh, rear + 1.55, half + 0.02)


def _wheels_both(mesh: Mesh, x: float, half: float) -> None:
    for side in (-1, 1):
        _wheels(mesh, (x,), side * half, 0.46)


def _car(
    length: float,
    width: float,
    belt: float,
    height: float,
    cabin: tuple[float, float, float, float],
    colour: Colour,
) -> Body:
    """``cabin``: X of windscreen's foot and top, rear window's top and foot, of 4.4 m."""
    mesh = Mesh()
    end, half = length / 2, width / 2
    foot, front, back, rear = (x * length / 4.4 for x in cabin)
    low = 0.24
    outline: Profile = [
        (end - 0.12, low, half - 0.12),
        (end, low + 0.25, half - 0.1),
        (end - 0.08, belt - 0.24, half - 0.08),
        (end - 0.35, belt - 0.15, half - 0.03),
        (foot, belt, half),
        (rear, belt + 0.02, half),
        (-end + 0.12, belt - 0.02, half - 0.05),
        (-end, low + 0.35, half - 0.08),
        (-end + 0.1, low, half - 0.1),
    ]
    mesh.hull(outline, colour)
    for side in (-1, 1):
        y = side * half
        _panel(mesh, y, (-end + 0.35, end - 0.35), (low - 0.02, low + 0.12), _SILL)
        _panel(mesh, y * 1.002, (-end + 0.5, end - 0.75), (belt - 0.27, belt - 0.23), colour * 0.55)
        _panel(mesh, y * 1.003, (-0.12, -0.06), (low + 0.15, belt - 0.02), colour * 0.5)
        axles = (end - 0.82, -end + 0.80)
        for x in axles:
            mesh.disc((x, y * 1.004, 0.34), 0.40, "#0c0c0d")
        _wheels(mesh, axles, y * 1.01, 0.32)
    _lights(mesh, (end - 0.03, -end - 0.02), half - 0.32, (belt - 0.38, belt - 0.2), 0.2)
    _front(mesh, end + 0.01, half - 0.55, (low + 0.1, low + 0.28), "#101112")
    _front(mesh, end + 0.02, 0.26, (low + 0.14, low + 0.26), _PLATE)
    _front(mesh, -end - 0.01, 0.26, (belt - 0.34, belt - 0.21), _PLATE)
    base, top = half - 0.06, half - 0.26
    roof: Profile = [
        (foot, belt, base),
        (front, height - 0.02, top),
        ((front + back) / 2, height, top),
        (back, height - 0.03, top),
        (rear, belt + 0.02, base),
    ]
    mesh.hull(roof, colour)
    mesh.face(
        _slope((foot, belt, base), (front, height - 0.02, top), 0.1, 0.06), paint(_GLASS), GLASS
    )
    mesh.face(
        _slope((rear, belt + 0.02, base), (back, height - 0.03, top), 0.16, 0.1),
        paint(_GLASS),
        GLASS,
    )
    middle = (front + back) / 2
    for side in (-1, 1):
        panes = (
            ((foot - 0.22, front - 0.06), (middle + 0.06, middle + 0.06)),
            ((middle - 0.04, middle - 0.04), (rear + 0.32, back + 0.06)),
        )
        low, high = belt + 0.04, height - 0.09
        for fore, aft in panes:
            window: list[Point] = []
            for x, z in ((fore[0], low), (aft[0], low), (aft[1], high), (fore[1], high)):
                share = (z - belt) / (height - belt)
                window.append((x, side * (base + (top - base) * share + 0.004), z))
            mesh.face(window, paint(_GLASS), GLASS)
    return mesh.done()


def _van(length: float, width: float, height: float, colour: Colour) -> Body:
    mesh = Mesh()
    end, half = length / 2, width / 2
    outline: Profile = [
        (end - 0.1, 0.3, half - 0.1),
        (end, 0.6, half - 0.08),
        (end - 0.15, 0.98, half - 0.05),
        (end - 0.75, 1.22, half - 0.02),
        (end - 1.45, height - 0.06, half - 0.14),
        (end - 1.9, height, half - 0.16),
        (-end + 0.15, height, half - 0.16),
        (-end, height - 0.15, half - 0.1),
        (-end, 0.35, half - 0.04),
    ]
    mesh.hull(outline, colour)
    mesh.face(
        _slope(
            (end - 0.75, 1.22, half - 0.02), (end - 1.45, height - 0.06, half - 0.14), 0.12, 0.08
        ),
        paint(_GLASS),
        GLASS,
    )
    for side in (-1, 1):
        y = side * (half + 0.003)
        _panel(mesh, y, (-end + 0.1, end - 0.3), (0.3, 0.5), _SILL)
        slope = [(end - 0.95, 1.26), (end - 1.95, 1.26), (end - 1.95, 1.78), (end - 1.32, 1.78)]
        mesh.face([(x, y, z) for x, z in slope], paint(_GLASS), GLASS)
        _panel(mesh, y * 1.001, (end - 2.05, end - 2.0), (0.5, 1.85), colour * 0.5)
        axles = (end - 0.95, -end + 1.0)
        for x in axles:
            mesh.disc((x, y * 1.003, 0.36), 0.42, "#0c0c0d")
        _wheels(mesh, axles, y * 1.01, 0.34)
    _lights(mesh, (end - 0.02, -end - 0.02), half - 0.25, (0.78, 0.98), 0.2)
    for side in (-1, 1):
        edge = side * half / 2
        pane = [(-end - 0.01, edge - 0.32, 1.25), (-end - 0.01, edge + 0.32, 1.25)]
        pane += [(-end - 0.01, edge + 0.3, 1.75), (-end - 0.01, edge - 0.3, 1.75)]
        mesh.face(pane, paint(_GLASS), GLASS)
    _front(mesh, end + 0.01, half - 0.4, (0.4, 0.6), "#101112")
    _front(mesh, -end - 0.02, 0.26, (0.7, 0.84), _PLATE)
    return mesh.done()


def _panel(
    mesh: Mesh,
    y: float,
    x: tuple[float, float],
    z: tuple[float, float],
    colour: Colour | str,
    kind: int = MATT,
) -> None:
    """A rectangle on a side."""
    (x0, x1), (z0, z1) = x, z
    mesh.face([(x0, y, z0), (x1, y, z0), (x1, y, z1), (x0, y, z1)], colour, kind)


def _front(
    mesh: Mesh,
    x: float,
    half: float,
    z: tuple[float, float],
    colour: Colour | str,
    kind: int = MATT,
) -> None:
    """A rectangle on the front or the rear."""
    mesh.face(_across(x, x, half, z), colour, kind)


def _across(low: float, high: float, half: float, z: tuple[float, float]) -> list[Point]:
    return [(low, -half, z[0]), (low, half, z[0]), (high, half, z[1]), (high, -half, z[1])]


def _slope(
    low: tuple[float, float, float], high: tuple[float, float, float], side: float, end: float
) -> list[Point]:
    """A pane on the slope between two cross-sections (X, Z, half width), with a frame around it."""

    def at(share: float) -> tuple[float, float, float]:
        x, z, half = (one + share * (other - one) for one, other in zip(low, high, strict=True))
        return x, z, half - side * 0.7

    (x0, z0, h0), (x1, z1, h1) = at(end), at(1 - end)
    return [(x0, -h0, z0), (x0, h0, z0), (x1, h1, z1), (x1, -h1, z1)]


def _wheels(mesh: Mesh, at: tuple[float, ...], y: float, radius: float) -> None:
    for x in at:
        mesh.disc((x, y, radius), radius, _TYRE)
        mesh.disc((x, y * 1.005, radius), radius * 0.6, _RIM)


def _lights(
    mesh: Mesh,
    x: tuple[float | None, float | None],
    y: float,
    z: tuple[float, float],
    half: float,
) -> None:
    """Head lights at the first X, tail lights at the second."""
    for place, colour, kind in zip(x, (_LAMP, _TAIL), (HEAD, TAIL), strict=True):
        if place is None:
            continue
        for side in (-1, 1):
            left, right = side * y - half, side * y + half
            corners = [(place, left, z[0]), (place, right, z[0])]
            mesh.face([*corners, (place, right, z[1]), (place, left, z[1])], colour, kind)
            mesh.lamps.append(Lamp((place, side * y, sum(z) / 2), kind == TAIL))
