"""A street with shops: two lanes, cars at the kerb, a bicycle lane, a zebra, pavements."""

import math
import random

from simulators.scene.camera import Stand
from simulators.scene.layout import (
    Building,
    Lane,
    Layout,
    Line,
    Patch,
    Prop,
    Walk,
    Zebra,
    Zone,
    rectangle,
)

_FAR = 92.0
_END = _FAR + 14
"""Y at which people turn off, and at which the street ends."""
_VEHICLES = (("car", 0.8), ("bus", 0.08), ("truck", 0.12))
_SOUTH, _NORTH = -1.75, 1.75
"""X of the lanes' middles: traffic keeps right, so that what comes towards the camera is left."""


def layout(seed: int) -> Layout:
    """The street as a seed has it."""
    chance = random.Random(f"street/{seed}")
    left, right = -9.6, 9.2
    zebra = Zebra((-5.9, 5.2), (25.0, 29.0))
    asphalt = chance.choice(("#6b6b6d", "#606266", "#73716e", "#686a6b"))
    slabs = chance.choice(("#a8a39a", "#9d9c99", "#b3a898", "#a19a90"))
    patches = (
        Patch(rectangle(-60, -20, 60, _FAR + 40), "#8d8a84", "slabs"),
        Patch(rectangle(left, -20, right, _END), slabs, "slabs"),
        Patch(rectangle(-6.05, -20, 5.35, _END), "#b9b6b0", "plain"),
        Patch(rectangle(-5.9, -20, 5.2, _END), asphalt, "asphalt"),
        Patch(
            rectangle(3.5, -20, 5.2, _END),
            chance.choice(("#8a4f45", "#7d5348", asphalt)),
            "asphalt",
        ),
        *(
            Patch(
                rectangle(x, y, x + chance.uniform(0.8, 2.0), y + chance.uniform(1.5, 5)),
                "#59595b",
                "asphalt",
            )
            for x, y in ((chance.uniform(-3.4, 1.5), chance.uniform(8, 60)) for _ in range(4))
        ),
        *(
            Patch(_circle(chance.uniform(-3, 3), chance.uniform(10, 40), 0.34), "#3f4042", "plain")
            for _ in range(3)
        ),
    )
    marks = [
        rectangle(-0.07, y, 0.07, y + 3)
        for y in range(-6, 90, 6)
        if not 22 < y + 1 < 31  # noqa: PLR2004 no dashes on the zebra
    ]
    marks += [rectangle(3.42, -10, 3.54, 24.4), rectangle(3.42, 29.6, 3.54, _FAR)]
    marks += [rectangle(-3.72, -10, -3.6, 24.4), rectangle(-3.72, 29.6, -3.6, _FAR)]
    marks += [rectangle(x, 25.2, x + 0.5, 28.8) for x in (-3.4 + 1.0 * n for n in range(7))]
    marks += [rectangle(-3.6, y, -5.9, y + 0.1) for y in range(-4, 22, 6)]
    marks += [rectangle(0.2, 23.9, 3.3, 24.2), rectangle(-3.4, 29.8, -0.2, 30.1)]
    buildings = [*_row(chance, left, -6, _END), *_row(chance, right, 4, _END)]
    buildings.append(
        Building((left, _END), (right, _END), chance.uniform(12, 18), chance.getrandbits(30))
    )
    props = [
        Prop("parked", -4.8 + chance.uniform(-0.08, 0.08), y + chance.uniform(-0.3, 0.3), -1.5708)
        for y in (6, 12, 18, 36, 42, 48, 54, 60, 66, 72)
        if chance.random() < 0.72  # noqa: PLR2004
    ]
    lamps = []
    for y in (13.0, 33.0, 53.0, 73.0):
        props.append(Prop("lamp", -6.6, y, 0.0))
        lamps.append((-5.0, y, 6.3))
        props.append(Prop("lamp", 5.9, y + 10, 3.1416))
        lamps.append((4.3, y + 10, 6.3))
    blocks = [(prop.x, prop.y, 0.15) for prop in props if prop.kind == "lamp"]
    for x, ys in ((-7.0, (20, 39, 46, 58, 66, 80)), (6.3, (31.5, 38, 50, 60, 70, 80))):
        for y in ys:
            if chance.random() < 0.7:  # noqa: PLR2004
                size = chance.uniform(0.75, 1.05)
                props.append(
                    Prop("tree", x, y + chance.uniform(-1, 1), 0, size, chance.getrandbits(30))
                )
                blocks.append((x, props[-1].y, 0.3))
    for y in (chance.uniform(14, 17), chance.uniform(31, 36)):
        props.append(Prop("bin", -6.7, y))
        props.append(Prop("bench", 6.4, y + 6, 1.5708))
    for x, y in ((-6.5, 24.2), (5.75, 29.8)):
        props.append(Prop("sign", x, y, -1.5708, 1.0, 0))
    props += [Prop("bollard", 5.75, y) for y in (10.5, 12, 13.5, 15, 31.5, 34.5)]
    turn = chance.uniform(-22.5, -18)
    return Layout(
        stand=Stand(
            chance.uniform(5.9, 6.6),
            0.0,
            chance.uniform(5.6, 6.6),
            turn,
            chance.uniform(14.5, 16.5),
            chance.uniform(61, 66),
        ),
        patches=patches,
        marks=tuple(marks),
        buildings=tuple(buildings),
        props=tuple(props),
        lamps=tuple(lamps),
        lanes=(
            Lane(
                "north",
                ((_NORTH, -8), (_NORTH, _FAR + 12)),
                10.5,
                chance.uniform(480, 760),
                _VEHICLES,
                ((31.6, "zebra"),),
            ),
            Lane(
                "south",
                ((_SOUTH, _FAR + 12), (_SOUTH, -8)),
                10.5,
                chance.uniform(480, 760),
                _VEHICLES,
                ((_FAR + 12 - 29.6, "zebra"),),
            ),
            Lane(
                "wheels",
                ((4.35, -4), (4.35, _FAR)),
                5.2,
                chance.uniform(160, 280),
                (("bicycle", 1.0),),
                ((27.6, "zebra"),),
            ),
            Lane(
                "wheels-south",
                ((-3.1, _FAR), (-3.1, -4)),
                5.2,
                60,
                (("bicycle", 1.0),),
                ((_FAR - 29.6, "zebra"),),
            ),
        ),
        walks=(
            Walk(((-8.2, -2), (-8.2, 30), (-8.2, _FAR)), 1.8, chance.uniform(260, 420)),
            Walk(((7.6, 1), (7.6, 30), (7.6, _FAR)), 1.9, chance.uniform(220, 380)),
            Walk(
                ((-8.2, 60), (-8.2, 29), (-6.6, 27), (5.9, 27), (7.6, 25), (7.6, -1)),
                1.8,
                chance.uniform(40, 80),
                ((2, 3, "zebra"),),
            ),
        ),
        zebras=(zebra,),
        lines=(
            Line("road", (-3.6, 19.5), (5.2, 19.5), "away", "towards"),
            Line("pavement", (-9.4, 21.5), (-6.1, 21.5), "away", "towards"),
        ),
        zones=(
            Zone("zebra", rectangle(-3.6, 24.8, 5.3, 29.2)),
            Zone("pavement", rectangle(-9.4, 14, -6.1, 40)),
        ),
        sun=(chance.uniform(60, 300), chance.uniform(34, 58)),
        blocks=tuple(blocks),
    )


def _row(chance: random.Random, x: float, first: float, last: float) -> list[Building]:
    found = []
    y = first
    while y < last:
        wide = min(chance.uniform(8, 15), last - y + 1)
        high = 3.9 + 3.1 * chance.randint(2, 5) + chance.uniform(0.9, 1.4)
        found.append(Building((x, y), (x, y + wide), high, chance.getrandbits(30)))
        y += wide
    return found


def _circle(x: float, y: float, radius: float) -> tuple[tuple[float, float], ...]:
    turns = [2 * math.pi * n / 16 for n in range(16)]
    return tuple((x + radius * math.cos(a), y + radius * math.sin(a)) for a in turns)
