"""A square with a fountain, a kiosk, trees and benches, and a road behind it."""

import math
import random

from simulators.scene.camera import Spot, Stand
from simulators.scene.layout import (
    Building,
    Haunt,
    Lane,
    Layout,
    Line,
    Patch,
    Prop,
    Walk,
    Zone,
    rectangle,
)

_SIDE = 23.0
_EDGE = 30.0
_ROAD = (31.0, 38.0)
_BACK = 41.5
_VEHICLES = (("car", 0.78), ("bus", 0.1), ("truck", 0.12))


def layout(seed: int) -> Layout:
    """The square as a seed has it."""
    chance = random.Random(f"square/{seed}")
    fountain = chance.uniform(2.0, 6.0), chance.uniform(20.0, 23.0)
    kiosk = chance.uniform(-10.5, -7.0), chance.uniform(17.5, 21.0)
    setts = chance.choice(("#a39a8c", "#97938d", "#ab9f8d", "#9f9588"))
    bands = chance.choice(("#8c8478", "#7f7b76", "#b6ab9a"))
    patches = [
        Patch(rectangle(-90, -20, 90, 90), "#98948c", "slabs"),
        Patch(rectangle(-_SIDE - 3, -20, _SIDE + 3, _EDGE), setts, "slabs"),
        *(Patch(rectangle(x, -20, x + 0.6, _EDGE), bands, "setts") for x in range(-24, 25, 6)),
        *(Patch(rectangle(-_SIDE, y, _SIDE, y + 0.6), bands, "setts") for y in range(2, 30, 6)),
        Patch(_circle(*fountain, 4.6), bands, "setts"),
        Patch(rectangle(-90, _ROAD[0] - 0.15, 90, _ROAD[1] + 0.15), "#bdbab3", "plain"),
        Patch(rectangle(-90, *_ROAD[:1], 90, _ROAD[1]), "#66676a", "asphalt"),
    ]
    grass = chance.random() < 0.6  # noqa: PLR2004
    if grass:
        patches.append(Patch(rectangle(10.5, 10.5, 18.5, 15.5), "#5f7a3a", "grass"))
    middle = sum(_ROAD) / 2
    marks = [rectangle(x, middle - 0.07, x + 3, middle + 0.07) for x in range(-90, 90, 6)]
    props, lamps, blocks = _things(chance, fountain, kiosk, grass=grass)
    return Layout(
        stand=Stand(
            chance.uniform(-2, 2),
            -1.0,
            chance.uniform(6.6, 7.8),
            chance.uniform(-4, 4),
            chance.uniform(15.5, 17.5),
            chance.uniform(66, 72),
        ),
        patches=tuple(patches),
        marks=tuple(marks),
        buildings=tuple(_fronts(chance)),
        props=tuple(props),
        lamps=tuple(lamps),
        lanes=(
            Lane(
                "east",
                ((-75, _ROAD[0] + 1.75), (75, _ROAD[0] + 1.75)),
                10.0,
                chance.uniform(420, 640),
                _VEHICLES,
            ),
            Lane(
                "west",
                ((75, _ROAD[1] - 1.75), (-75, _ROAD[1] - 1.75)),
                10.0,
                chance.uniform(420, 640),
                _VEHICLES,
            ),
            Lane(
                "wheels",
                ((-30, 27.3), (-12, 26.8), (0, 26.4), (12, 26.9), (30, 27.4)),
                4.4,
                110,
                (("bicycle", 1.0),),
            ),
            Lane(
                "wheels-near",
                ((26, 8.2), (8, 9.2), (-8, 9.0), (-26, 8.0)),
                3.9,
                80,
                (("bicycle", 1.0),),
            ),
        ),
        walks=(
            Walk(((-27, 14), (0, 15.5), (27, 18.5)), 3.0, chance.uniform(110, 200)),
            Walk(((-13, 1), (-3, 14.5), (10, 29)), 3.0, chance.uniform(80, 160)),
            Walk(((-45, 28.3), (45, 28.3)), 0.7, chance.uniform(60, 120)),
            Walk(((-45, 39.8), (45, 39.8)), 2.0, chance.uniform(120, 240)),
        ),
        lines=(
            Line("middle", (0.0, 10.2), (0.0, 25.2), "west", "east"),
            Line("road", (0.0, 29.9), (0.0, 38.7), "west", "east"),
        ),
        zones=(
            Zone(
                "fountain",
                rectangle(fountain[0] - 5, fountain[1] - 5, fountain[0] + 5, fountain[1] + 4.4),
            ),
            Zone("kiosk", rectangle(kiosk[0] - 3.4, kiosk[1] - 5, kiosk[0] + 3.4, kiosk[1] - 1.2)),
        ),
        haunts=(
            Haunt(
                rectangle(-16, 9.5, 16, 25.5),
                chance.randint(12, 20),
                chance.randint(3, 5),
                ((-27, 15), (27, 18), (-13, 0), (12, 0), (-33, 28), (33, 28)),
            ),
        ),
        sun=(chance.uniform(0, 360), chance.uniform(38, 62)),
        blocks=tuple(blocks),
    )


def _circle(x: float, y: float, radius: float) -> tuple[Spot, ...]:
    turns = [2 * math.pi * n / 24 for n in range(24)]
    return tuple((x + radius * math.cos(a), y + radius * math.sin(a)) for a in turns)


def _things(
    chance: random.Random, fountain: Spot, kiosk: Spot, *, grass: bool
) -> tuple[list[Prop], list[tuple[float, float, float]], list[tuple[float, float, float]]]:
    props = [
        Prop("fountain", *fountain, 0.0, 1.0),
        Prop("kiosk", *kiosk, 0.0, 1.0, chance.getrandbits(20)),
    ]
    blocks: list[tuple[float, float, float]] = [(*fountain, 3.1), (*kiosk, 2.2)]
    lamps = []
    for x, y, heading in (
        *((-14.0, 12.0, 0.0), (14.0, 17.5, 3.14), (-14.5, 25.5, 0.0), (12.0, 29.3, 3.14)),
        *((-4.0, 29.3, 0.0), (24.0, 30.4, 1.57), (-24.0, 30.4, 1.57), (8.0, 39.0, -1.57)),
    ):
        props.append(Prop("lamp", x, y, heading))
        lamps.append((x + 1.5 * math.cos(heading), y + 1.5 * math.sin(heading), 6.3))
        blocks.append((x, y, 0.2))
    trees: list[Spot] = [(x, 29.2) for x in (-19, -14, -9, 5, 16, 20)]
    trees += [(-19, 13), (-19, 20), (19, 14), (19, 22)]
    if grass:
        trees += [(13, 13.2), (16.5, 13)]
    for x, y in trees:
        if chance.random() < 0.75:  # noqa: PLR2004
            size = chance.uniform(0.75, 1.05)
            props.append(Prop("tree", x, y, 0.0, size, chance.getrandbits(30)))
            blocks.append((x, y, 0.35))
    for x, y, heading in (
        (-4.5, 12.6, 0.0),
        (-12.5, 15.5, 1.57),
        (8.5, 16.8, 0.6),
        (10.5, 24.5, 2.2),
    ):
        props.append(Prop("bench", x, y, heading))
        blocks.append((x, y, 0.9))
    for x, y in ((-5.5, 24.8), (9.5, 19.5), (-15.0, 9.0)):
        props.append(Prop("planter", x, y, 0.0, chance.uniform(0.8, 1.1)))
        blocks.append((x, y, 1.0))
    props += [
        Prop("bin", -6.2, 12.7),
        Prop("bin", 11.8, 20.8),
        Prop("sign", -10, 30.6, -1.57, 1, 1),
    ]
    props += [Prop("bollard", x, 30.65) for x in range(-20, 21, 4)]
    return props, lamps, blocks


def _fronts(chance: random.Random) -> list[Building]:
    found = []
    x = -62.0
    while x < 62:  # noqa: PLR2004
        wide = chance.uniform(9, 15)
        found.append(_front(chance, (x, _BACK), (x + wide, _BACK)))
        x += wide
    for side in (-1, 1):
        y = 8.0
        while y < _EDGE - 4:
            wide = min(chance.uniform(7, 11), _EDGE - 1 - y)
            found.append(_front(chance, (side * (_SIDE + 3), y), (side * (_SIDE + 3), y + wide)))
            y += wide
        found.append(_front(chance, (side * (_SIDE + 3), y), (side * 62, y)))
    return found


def _front(chance: random.Random, a: Spot, b: Spot) -> Building:
    high = 3.9 + 3.1 * chance.randint(2, 4) + chance.uniform(0.9, 1.4)
    return Building(a, b, high, chance.getrandbits(30))
