"""People on foot and on bicycles: jointed figures, drawn as rounded limbs.

A figure's own axes: X forward, Y to its left, Z up. Its pose follows from the way it has gone
(which swings legs and arms or turns the pedals) and from the time (nobody stands quite still).
"""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple

from simulators.scene.look import Colour, paint

_SKINS: Final = ("#f0cdb3", "#e2b48f", "#c99169", "#a06a45", "#6f4630", "#4a2f22")
_HAIRS: Final = ("#17120f", "#2d1e14", "#5a3b22", "#8a6a3c", "#c9a866", "#9a9894", "#e0ddd6")
_TOPS: Final = (
    *("#1d2430", "#2b2b2d", "#54585e", "#e6e4de", "#b8b2a4", "#7d2026", "#c23b34"),
    *("#234a86", "#4f86bd", "#2f6b4a", "#7c8f4d", "#d8a32b", "#d9702c", "#6d4a86"),
    *("#d98fa5", "#8a5a3a", "#f0efe9", "#3e7f86"),
)
_LEGS: Final = (
    *("#1f2b45", "#2c3f66", "#4b6390", "#1b1b1d", "#3a3a3c", "#6b6a66"),
    *("#8c7a5e", "#c2b28f", "#4a3a2e", "#e3e0d8"),
)
_SHOES: Final = ("#141414", "#3b2a1e", "#e8e8e8", "#7a2a2a", "#5a5f68")
_BAGS: Final = ("#222326", "#6b3f24", "#7d2026", "#234a86", "#d9c9a0", "#2f6b4a")
_FRAMES: Final = ("#1b1b1d", "#a3282a", "#2b5fa0", "#3c7a4c", "#d8d8d8", "#d18a1f")
_HELMETS: Final = ("#f0f0f0", "#c23b34", "#222326", "#2f6db0", "#d8a32b")
_UMBRELLAS: Final = ("#1b1c20", "#7d2026", "#234a86", "#d8a32b", "#2f6b4a", "#b9b9c2", "#c96f8e")

_STRIDE: Final = 1.45
"""A grown-up's double step at an easy pace, metres."""
_WHEEL: Final = 0.34
_WHEELBASE: Final = 1.05

Joint = tuple[float, float, float]


class Limb(NamedTuple):
    """A rounded stroke between two joints: how wide it is (metres), and its colour."""

    one: Joint
    other: Joint
    width: float
    colour: Colour


class Disc(NamedTuple):
    """A ball, seen from wherever: its middle, width and height (metres)."""

    at: Joint
    width: float
    high: float
    colour: Colour


class Ring(NamedTuple):
    """An upright wheel along X: its middle, radius and the tyre's width (metres)."""

    at: Joint
    radius: float
    width: float
    colour: Colour


class Trunk(NamedTuple):
    """A body between two joints: half its widths across Y, its depth along X, at both ends."""

    low: Joint
    high: Joint
    widths: tuple[float, float]
    depth: float
    colour: Colour


class Canopy(NamedTuple):
    """An open umbrella above a joint: its radius (metres)."""

    at: Joint
    radius: float
    colour: Colour


Stroke = Limb | Disc | Ring | Trunk | Canopy


@dataclass(frozen=True, slots=True, eq=False)
class Person:
    """Somebody on foot; all measures in metres."""

    height: float
    broad: float
    skin: Colour
    hair: Colour
    top: Colour
    legs: Colour
    shoes: Colour
    coat: float = 0.0
    """How far a coat or skirt reaches down the thighs, as a share of the leg."""
    skirt: bool = False
    long_hair: bool = False
    hat: Colour | None = None
    backpack: Colour | None = None
    bag: Colour | None = None
    umbrella: Colour | None = None
    swing: float = 1.0
    cls: str = field(default="person", init=False)

    @property
    def size(self) -> tuple[float, float]:
        """Length and width that it takes on the ground."""
        return 0.5, self.broad + 0.15


@dataclass(frozen=True, slots=True, eq=False)
class Cyclist:
    """Somebody on a bicycle."""

    rider: Person
    frame: Colour
    upright: float
    """How straight the rider sits: 0 bent, 1 straight."""
    basket: Colour | None
    cls: str = field(default="bicycle", init=False)

    @property
    def size(self) -> tuple[float, float]:
        """Length and width that it takes on the ground."""
        return _WHEELBASE + 2 * _WHEEL, 0.6


def person(chance: random.Random, *, rain: bool) -> Person:
    """Somebody, as chance will have it."""
    child = chance.random() < 0.1  # noqa: PLR2004
    height = chance.uniform(1.05, 1.4) if child else chance.gauss(1.70, 0.09)
    height = min(1.96, max(1.0, height))
    skirt = not child and chance.random() < 0.17  # noqa: PLR2004
    coat = chance.choice((0.0, 0.0, 0.0, 0.18, 0.45, 0.7))
    top = paint(chance.choice(_TOPS))
    skin = paint(chance.choice(_SKINS))

    def maybe(share: float, codes: Sequence[str]) -> Colour | None:
        code = chance.choice(codes)
        return paint(code) if chance.random() < share else None

    return Person(
        height=height,
        broad=height * chance.uniform(0.235, 0.285),
        skin=skin,
        hair=paint(chance.choice(_HAIRS)),
        top=top,
        legs=skin if skirt and chance.random() < 0.5 else paint(chance.choice(_LEGS)),  # noqa: PLR2004
        shoes=paint(chance.choice(_SHOES)),
        coat=chance.uniform(0.4, 0.62) if skirt else coat,
        skirt=skirt,
        long_hair=chance.random() < 0.42,  # noqa: PLR2004
        hat=maybe(0.14, _TOPS),
        backpack=maybe(0.22, _BAGS),
        bag=maybe(0.24, _BAGS),
        umbrella=maybe(0.6 if rain and not child else 0.0, _UMBRELLAS),
        swing=chance.uniform(0.85, 1.15),
    )


def cyclist(chance: random.Random) -> Cyclist:
    """Somebody on a bicycle, as chance will have it."""
    rider = person(chance, rain=False)
    while rider.height < 1.5:  # noqa: PLR2004 children are on the pavement
        rider = person(chance, rain=False)
    helmet = paint(chance.choice(_HELMETS)) if chance.random() < 0.5 else rider.hat  # noqa: PLR2004
    return Cyclist(
        replace(rider, hat=helmet, bag=None),
        frame=paint(chance.choice(_FRAMES)),
        upright=chance.uniform(0.25, 1.0),
        basket=paint("#7a6a4f") if chance.random() < 0.25 else None,  # noqa: PLR2004
    )


def walking(who: Person, way: float, speed: float, t: float, *, fine: bool = True) -> list[Stroke]:
    """Someone's pose, in no order of depth.

    Args:
        who: Who.
        way: How far they have gone, metres.
        speed: How fast they go, m/s.
        t: Seconds, for those who stand.
        fine: Whether hands, shoes and necks can be seen at all.
    """
    tall = who.height
    leg, arm = 0.47 * tall, 0.17 * tall
    pace = min(1.0, speed / 1.3)
    turn = 2 * math.pi * way / (_STRIDE * tall / 1.7)
    swing = (0.46 * pace + 0.02) * who.swing
    sway = 0.012 * math.sin(1.3 * t + 6 * who.swing) * (1 - pace)
    bob = 0.02 * pace * abs(math.cos(turn))
    hip = (sway, 0.0, leg + 0.03 + bob)
    chest = (sway * 2 + 0.03 * pace, 0.0, 0.79 * tall + bob)
    strokes: list[Stroke] = []
    for side in (1, -1):
        strokes += _leg(who, hip, side, turn, swing, leg, fine=fine)
    strokes.append(
        Trunk(
            (hip[0], 0.0, hip[2] - 0.03),
            (chest[0], 0.0, chest[2] + 0.02),
            (who.broad * 0.36, who.broad * 0.46),
            0.62 * who.broad,
            who.top,
        )
    )
    if who.coat:
        low = leg * (1 - who.coat)
        flare = 1.25 if who.skirt else 1.05
        strokes.append(
            Trunk(
                (hip[0], 0.0, low),
                (hip[0], 0.0, hip[2] + 0.1),
                (who.broad * 0.42 * flare, who.broad * 0.38),
                0.66 * who.broad,
                who.legs if who.skirt and who.legs is not who.skin else who.top,
            )
        )
    for side in (1, -1):
        strokes += _arm(who, chest, side, turn, swing, arm, fine=fine)
    if who.backpack is not None:
        at = (chest[0] - 0.6 * who.broad, 0.0, chest[2] - 0.16 * tall)
        strokes.append(Disc(at, 0.32, 0.26 * tall, who.backpack))
    strokes += _head(who, (chest[0], 0.0, chest[2]))
    if who.umbrella is not None:
        hand = chest[0] + 0.2, -0.12, chest[2] - 0.12
        top = chest[0] + 0.12, -0.08, 1.16 * tall + bob
        strokes.append(Limb(hand, top, 0.02, who.shoes))
        strokes.append(Canopy(top, 0.52, who.umbrella))
    return strokes


def _leg(
    who: Person, hip: Joint, side: int, turn: float, swing: float, leg: float, *, fine: bool
) -> list[Stroke]:
    angle = swing * math.sin(turn + (0 if side > 0 else math.pi))
    # The knee bends while the leg swings forward.
    lift = math.cos(turn + (0 if side > 0 else math.pi))
    bend = 2.0 * swing * max(0.0, lift) + 0.06
    y = side * who.broad * 0.2
    thigh, shin = 0.52 * leg, 0.48 * leg
    top = (hip[0], y, hip[2])
    knee = (hip[0] + thigh * math.sin(angle), y, hip[2] - thigh * math.cos(angle))
    back = angle - bend
    ankle = (
        knee[0] + shin * math.sin(back),
        y,
        max(0.05, knee[2] - shin * math.cos(back)),
    )
    toe = (ankle[0] + 0.15 * who.height / 1.7, y, max(0.03, ankle[2] - 0.03))
    width = 0.36 * who.broad
    shin_colour = who.skin if who.skirt else who.legs
    strokes: list[Stroke] = [
        Limb(top, knee, width, who.legs),
        Limb(knee, ankle, width * 0.8, shin_colour),
    ]
    if not fine:
        return strokes
    return [
        *strokes,
        Limb((ankle[0] - 0.04, y, ankle[2] - 0.01), toe, 0.09, who.shoes),
    ]


def _arm(
    who: Person, chest: Joint, side: int, turn: float, swing: float, arm: float, *, fine: bool
) -> list[Stroke]:
    angle = -0.8 * swing * math.sin(turn + (0 if side > 0 else math.pi))
    y = side * who.broad * 0.52
    shoulder = (chest[0], y * 0.92, chest[2])
    bend = 0.25 + 0.3 * swing
    if who.umbrella is not None and side < 0:
        elbow = (chest[0] + 0.03, y, chest[2] - arm)
        hand = (chest[0] + 0.2, -0.12, chest[2] - 0.12)
    else:
        elbow = (
            chest[0] + arm * math.sin(angle),
            y * 1.05,
            chest[2] - arm * math.cos(angle),
        )
        hand = (
            elbow[0] + arm * math.sin(angle + bend),
            y,
            elbow[2] - arm * math.cos(angle + bend),
        )
    width = 0.26 * who.broad
    strokes: list[Stroke] = [
        Limb(shoulder, elbow, width, who.top),
        Limb(elbow, hand, width * 0.82, who.top),
    ]
    if fine:
        strokes.append(Disc((hand[0], hand[1], hand[2] - 0.02), 0.09, 0.1, who.skin))
    if who.bag is not None and side > 0:
        strokes.append(Disc((hand[0], y * 1.2, hand[2] - 0.2), 0.24, 0.3, who.bag))
    return strokes


def _head(who: Person, chest: Joint) -> list[Stroke]:
    tall = who.height
    middle = (chest[0] + 0.03, 0.0, 0.925 * tall + chest[2] - 0.79 * tall)
    width, high = 0.092 * tall, 0.135 * tall
    strokes: list[Stroke] = [
        Limb((chest[0], 0, chest[2]), (middle[0], 0, middle[2]), 0.07 * tall, who.skin)
    ]
    hair = Disc((middle[0] - 0.025, 0.0, middle[2] + 0.022), width * 1.12, high * 1.02, who.hair)
    face = Disc((middle[0] + 0.025, 0.0, middle[2] - 0.012), width, high * 0.9, who.skin)
    strokes += [hair, face]
    if who.long_hair:
        low = (middle[0] - 0.06, 0.0, middle[2] - 0.1)
        strokes.append(Limb((middle[0] - 0.05, 0, middle[2]), low, width * 1.05, who.hair))
    if who.hat is not None:
        at = (middle[0] - 0.005, 0.0, middle[2] + 0.055)
        strokes.append(Disc(at, width * 1.2, high * 0.62, who.hat))
    return strokes


def riding(who: Cyclist, way: float, speed: float, t: float) -> list[Stroke]:
    """A cyclist's pose; see :func:`walking`."""
    del t
    rider = who.rider
    tall = rider.height
    turn = 2 * math.pi * way / 4.2 if speed > 0.3 else 0.6  # noqa: PLR2004
    back, front = (-_WHEELBASE / 2, 0.0, _WHEEL), (_WHEELBASE / 2, 0.0, _WHEEL)
    crank = (-0.08, 0.0, 0.3)
    saddle = (-0.28, 0.0, 0.9 * tall / 1.72)
    grip_z = 0.98 + 0.12 * who.upright
    head = (0.36, 0.0, grip_z - 0.08)
    dark = paint("#161617")
    strokes: list[Stroke] = [
        Ring(back, _WHEEL, 0.045, dark),
        Ring(front, _WHEEL, 0.045, dark),
        Limb(back, crank, 0.035, who.frame),
        Limb(crank, (saddle[0], 0, saddle[2] - 0.06), 0.035, who.frame),
        Limb(crank, (0.33, 0, 0.72), 0.04, who.frame),
        Limb((-0.22, 0, 0.72), (0.33, 0, 0.78), 0.035, who.frame),
        Limb(front, head, 0.035, who.frame),
        Limb((saddle[0] - 0.12, 0, saddle[2]), (saddle[0] + 0.12, 0, saddle[2]), 0.07, dark),
        Limb((0.33, -0.26, grip_z), (0.33, 0.26, grip_z), 0.035, dark),
    ]
    if who.basket is not None:
        strokes.append(Disc((0.55, 0.0, 0.82), 0.36, 0.28, who.basket))
    hip = (saddle[0] + 0.02, 0.0, saddle[2] + 0.06)
    lean = math.radians(58 - 42 * who.upright)
    spine = 0.31 * tall
    chest = (hip[0] + spine * math.sin(lean), 0.0, hip[2] + spine * math.cos(lean))
    for side in (1, -1):
        angle = turn + (0 if side > 0 else math.pi)
        y = side * 0.1
        foot = (crank[0] + 0.17 * math.cos(angle), y, crank[2] - 0.17 * math.sin(angle))
        knee = _knee((hip[0], y, hip[2]), foot, 0.25 * tall)
        width = 0.34 * rider.broad
        strokes += [
            Limb((hip[0], y, hip[2]), knee, width, rider.legs),
            Limb(knee, foot, width * 0.8, rider.skin if rider.skirt else rider.legs),
            Limb((foot[0] - 0.06, y, foot[2]), (foot[0] + 0.14, y, foot[2]), 0.08, rider.shoes),
        ]
    strokes.append(
        Trunk(hip, chest, (rider.broad * 0.36, rider.broad * 0.46), 0.6 * rider.broad, rider.top)
    )
    if rider.backpack is not None:
        at = (chest[0] - 0.3, 0.0, chest[2] - 0.05)
        strokes.append(Disc(at, 0.34, 0.42, rider.backpack))
    for side in (1, -1):
        shoulder = (chest[0], side * rider.broad * 0.48, chest[2])
        grip = (0.33, side * 0.24, grip_z)
        elbow = (
            (shoulder[0] + grip[0]) / 2 - 0.03,
            side * 0.3,
            (shoulder[2] + grip[2]) / 2 - 0.06,
        )
        strokes += [
            Limb(shoulder, elbow, 0.26 * rider.broad, rider.top),
            Limb(elbow, grip, 0.21 * rider.broad, rider.top),
            Disc(grip, 0.08, 0.09, rider.skin),
        ]
    strokes += _head(rider, chest)
    return strokes


def _knee(hip: Joint, foot: Joint, bone: float) -> Joint:
    """Where two equal bones from hip to foot meet, ahead of them."""
    across_x, across_z = foot[0] - hip[0], foot[2] - hip[2]
    reach = math.hypot(across_x, across_z)
    out = math.sqrt(max(0.0004, bone**2 - reach**2 / 4))
    return (
        (hip[0] + foot[0]) / 2 - out * across_z / reach,
        hip[1],
        (hip[2] + foot[2]) / 2 + out * across_x / reach,
    )
