"""Two streets that cross, with signals and zebras on all four arms.

The middle is at X = Y = 0. Each street has two lanes; traffic keeps right.
"""

import math
import random

from simulators.scene.camera import Spot, Stand
from simulators.scene.layout import (
    Building,
    Lane,
    Layout,
    Line,
    Patch,
    Prop,
    Signal,
    Texture,
    Walk,
    Zone,
    rectangle,
)

_HALF = 3.7
_LANE = 1.8
_STOP = 9.2
_FRONT = 10.5
_FAR = 75.0
_NEAR = 45.0
_FEET = 6.9
"""How far from the middle people walk and cross."""
_VEHICLES = (("car", 0.76), ("bus", 0.07), ("truck", 0.1), ("bicycle", 0.07))
_TURNS = 0.22
_SIGNALS = (
    (4.5, -_STOP - 0.6, -math.pi / 2, 0),
    (-4.5, _STOP + 0.6, math.pi / 2, 0),
    (-_STOP - 0.6, -4.5, math.pi, 1),
    (_STOP + 0.6, 4.5, 0.0, 1),
)
"""X, Y, where it faces, and the phase that is its green."""


def layout(seed: int) -> Layout:
    """The crossing as a seed has it."""
    chance = random.Random(f"crossing/{seed}")
    asphalt = chance.choice(("#66676a", "#5f6164", "#706e6b", "#696a6a"))
    slabs = chance.choice(("#a8a39a", "#9d9c99", "#b3a898", "#a19a90"))
    kerb = _HALF + 0.15
    patches = [Patch(rectangle(-90, -90, 90, 90), slabs, "slabs")]
    layers: tuple[tuple[float, str, Texture], ...] = (
        (kerb, "#bdbab3", "plain"),
        (_HALF, asphalt, "asphalt"),
    )
    for half, colour, kind in layers:
        patches.append(Patch(rectangle(-half, -90, half, 90), colour, kind))
        patches.append(Patch(rectangle(-90, -half, 90, half), colour, kind))
        patches += [Patch(_corner(x, y, half, 2.2), colour, kind) for x in (-1, 1) for y in (-1, 1)]
    patches += [
        Patch(
            rectangle(x, y, x + chance.uniform(0.8, 2.4), y + chance.uniform(0.8, 3)),
            "#5a5b5d",
            "asphalt",
        )
        for x, y in ((chance.uniform(-3, 1.5), chance.uniform(-20, 30)) for _ in range(5))
    ]
    props, lamps, blocks = _things(chance)
    return Layout(
        stand=Stand(
            chance.uniform(-11.5, -9.5),
            chance.uniform(-15.5, -13.5),
            chance.uniform(7.2, 8.4),
            chance.uniform(34, 40),
            chance.uniform(20, 22.5),
            chance.uniform(72, 78),
        ),
        patches=tuple(patches),
        marks=tuple(_marks()),
        buildings=tuple(_fronts(chance)),
        props=tuple(props),
        lamps=tuple(lamps),
        lanes=tuple(_lanes(chance)),
        walks=tuple(
            Walk(points, 2.4, chance.uniform(120, 240), ((1, 2, 2),))
            for side in (-_FEET, _FEET)
            for points in (
                ((side, -30), (side, -4.6), (side, 4.6), (side, _FAR)),
                ((-30, side), (-4.6, side), (4.6, side), (_FAR, side)),
            )
        ),
        lines=(
            Line("north", (-4.6, 9.1), (5.0, 9.1), "out", "in"),
            Line("east", (9.1, 4.6), (9.1, -5.4), "out", "in"),
            Line("zebra", (4.0, 3.0), (10.2, 3.0), "north", "south"),
        ),
        zones=(
            Zone("middle", rectangle(-_HALF, -_HALF, _HALF, _HALF)),
            Zone("corner", rectangle(4.0, 4.0, 9.6, 9.6)),
        ),
        sun=(chance.uniform(0, 360), chance.uniform(36, 60)),
        signals=tuple(Signal(x, y, heading, phase) for x, y, heading, phase in _SIGNALS),
        cycle=(20.0, 18.0, 15.0),
        blocks=tuple(blocks),
    )


def _corner(x: int, y: int, half: float, radius: float) -> tuple[Spot, ...]:
    """Rounds a corner off, so that wheels can turn."""
    centre = x * (half + radius), y * (half + radius)
    turns = [math.pi / 2 * n / 8 for n in range(9)]
    arc = [
        (centre[0] - x * radius * math.cos(a), centre[1] - y * radius * math.sin(a)) for a in turns
    ]
    return (x * half, y * half), *arc


def _marks() -> list[tuple[Spot, ...]]:
    marks: list[tuple[Spot, ...]] = []
    for turned in (False, True):

        def put(x0: float, y0: float, x1: float, y1: float, *, turned: bool = turned) -> None:
            marks.append(rectangle(y0, x0, y1, x1) if turned else rectangle(x0, y0, x1, y1))

        for side in (-1, 1):
            for number in range(7):
                x = -3.25 + number * 1.0
                put(x, side * (_FEET - 1.6), x + 0.5, side * (_FEET + 1.6))
            for number in range(14):
                y = side * (_STOP + 1.5 + number * 5)
                put(-0.07, y, 0.07, y + side * 2.5)
            # The street along X keeps the other side when its axes are turned.
            lane = side if turned else -side
            put(
                min(lane * 0.2, lane * 3.5),
                side * _STOP,
                max(lane * 0.2, lane * 3.5),
                side * (_STOP + 0.4),
            )
    return marks


def _fronts(chance: random.Random) -> list[Building]:
    found = []
    for x in (-1, 1):
        for y in (-1, 1):
            if (x, y) == (-1, -1):
                continue  # the camera hangs at that corner
            for along in (False, True):
                at = _FRONT
                while at < _FAR:
                    wide = chance.uniform(8, 14)
                    high = 3.9 + 3.1 * chance.randint(2, 5) + chance.uniform(0.9, 1.4)
                    a, b = (at, _FRONT), (at + wide, _FRONT)
                    if along:
                        a, b = (a[1], a[0]), (b[1], b[0])
                    one = Building(
                        (x * a[0], y * a[1]), (x * b[0], y * b[1]), high, chance.getrandbits(30)
                    )
                    found.append(one)
                    at += wide
    found.append(Building((-_FRONT, _FAR), (_FRONT, _FAR), 15, chance.getrandbits(30)))
    found.append(Building((_FAR, _FRONT), (_FAR, -_FRONT), 15, chance.getrandbits(30)))
    return found


def _things(
    chance: random.Random,
) -> tuple[list[Prop], list[tuple[float, float, float]], list[tuple[float, float, float]]]:
    props, lamps, blocks = [], [], []
    for x, y, heading in (
        *((5.0, 15.0, 3.14), (-5.0, 24.0, 0.0), (5.0, 40.0, 3.14), (15.0, -5.0, 1.57)),
        *((24.0, 5.0, -1.57), (40.0, -5.0, 1.57), (-5.0, 5.0, -0.78), (-16.0, 5.0, -1.57)),
    ):
        props.append(Prop("lamp", x, y, heading))
        lamps.append((x + 1.5 * math.cos(heading), y + 1.5 * math.sin(heading), 6.3))
        blocks.append((x, y, 0.15))
    for x, y, _, _ in _SIGNALS:
        props.append(Prop("signal", x, y))
        blocks.append((x, y, 0.15))
    for x, y in (
        (8.7, 16),
        (8.7, 27),
        (-8.7, 17),
        (-8.7, 29),
        (17, 8.7),
        (29, 8.7),
        (18, -8.7),
        (30, -8.7),
    ):
        if chance.random() < 0.7:  # noqa: PLR2004
            size = chance.uniform(0.75, 1.0)
            props.append(Prop("tree", x, y, 0.0, size, chance.getrandbits(30)))
            blocks.append((x, y, 0.3))
    if chance.random() < 0.6:  # noqa: PLR2004
        props.append(Prop("kiosk", -8.6, 9.0, 0.0, 0.8, chance.getrandbits(20)))
        blocks.append((-8.6, 9.0, 1.5))
    props += [Prop("bin", 9.6, 5.2), Prop("bench", 13.0, 9.4, 3.14), Prop("bin", -5.2, 12.0)]
    props += [Prop("bollard", 4.3 + 0.9 * n, 4.3 + 0.9 * (3 - n)) for n in range(4)]
    for x, y, heading in ((_HALF + 1.2, 24, 1.57), (26, -_HALF - 1.2, 0.0)):
        props.append(Prop("sign", x, y, heading + 3.14, 1.0, chance.getrandbits(4)))
    return props, lamps, blocks


def _lanes(chance: random.Random) -> list[Lane]:
    """Four arms: what comes in goes on straight, or turns to the right."""
    found = []
    quarters = ("south", "east", "north", "west")
    reach = {"south": _NEAR, "east": _FAR, "north": _FAR, "west": _NEAR}
    for number, name in enumerate(quarters):
        turn = math.pi / 2 * number

        def at(x: float, y: float, *, turn: float = turn) -> Spot:
            # As if the arm lay in the south: a lane north at +X, then turned.
            cos, sin = math.cos(turn), math.sin(turn)
            return x * cos - y * sin, x * sin + y * cos

        far = reach[name]
        ahead, right = quarters[(number + 2) % 4], quarters[(number + 1) % 4]
        stop = far - _STOP
        into = Lane(
            f"{name}-in",
            (at(_LANE, -far), at(_LANE, -_STOP + 0.3)),
            10.0,
            chance.uniform(380, 560),
            _VEHICLES,
            ((stop - 0.2, number % 2),),
            ((f"{name}-on", 1 - _TURNS), (f"{name}-right", _TURNS)),
        )
        arc = [
            at(_LANE + 4.2 - 4.2 * math.cos(a), -_LANE - 4.2 + 4.2 * math.sin(a))
            for a in (math.pi / 2 * n / 10 for n in range(11))
        ]
        found += [
            into,
            Lane(
                f"{name}-on",
                (at(_LANE, -_STOP + 0.3), at(_LANE, _STOP)),
                10.0,
                0,
                (),
                (),
                ((f"{ahead}-out", 1.0),),
            ),
            Lane(
                f"{name}-right",
                (at(_LANE, -_STOP + 0.3), *arc, at(_STOP, -_LANE)),
                4.8,
                0,
                (),
                (),
                ((f"{right}-out", 1.0),),
            ),
            Lane(f"{name}-out", (at(-_LANE, -_STOP), at(-_LANE, -far)), 10.5, 0, ()),
        ]
    return found
