"""The city as a map: GeoJSON (RFC 7946) of its districts, streets, nodes and waters."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from citynerve.errors import UnavailableError
from simulators.city import names
from simulators.city.geometry import Point
from simulators.city.plan import Node, Plan

Feature = dict[str, Any]


def write_geojson(plan: Plan, path: Path) -> None:
    """Write the map, one feature a line.

    Raises:
        UnavailableError: The file cannot be written.
    """
    encode = msgspec.json.encode
    lines = b",\n".join(encode(feature) for feature in features(plan))
    head = encode({"city": names.CITY_TITLE, "seed": plan.seed, "simulated": True})
    text = b'{"type":"FeatureCollection","properties":' + head + b',"features":[\n' + lines
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text + b"\n]}\n")
    except OSError as error:
        raise UnavailableError(
            "map of the city",
            where=str(path),
            problem=error.strerror or str(error),
            fix="name a file that can be written",
        ) from error


def features(plan: Plan) -> list[Feature]:
    """The map's features, in the order in which they are drawn; ``properties.kind`` tells which.

    ``district``: polygon; id, name. ``water``: line; id, name, what (river or coast). ``street``:
    line; id, name, district, class (avenue, ring, quay, street), lanes (each way), limit (km/h),
    length (m). ``node``: point; id, area, district, street, domain, mains, sensors (name to
    properties).
    """
    return [*_districts(plan), *_waters(plan), *_streets(plan), *_nodes(plan)]


def _districts(plan: Plan) -> Iterable[Feature]:
    for district in plan.net.districts:
        ring = _places(plan, (*district.ring, district.ring[0]))
        shape = {"type": "Polygon", "coordinates": [ring]}
        yield _feature(shape, kind="district", id=district.id, name=district.name)


def _waters(plan: Plan) -> Iterable[Feature]:
    for what, name, line in (
        ("river", names.RIVER, plan.net.river),
        ("coast", "", plan.net.coast),
    ):
        shape = {"type": "LineString", "coordinates": _places(plan, line)}
        yield _feature(shape, kind="water", id=what, name=name, what=what)


def _streets(plan: Plan) -> Iterable[Feature]:
    for street in plan.net.streets:
        yield _feature(
            {"type": "LineString", "coordinates": _places(plan, street.line)},
            kind="street",
            id=street.id,
            name=street.name,
            district=plan.net.districts[street.district].id,
            **{"class": street.kind},
            lanes=street.lanes,
            limit=street.limit,
            length=round(street.length),
        )


def _nodes(plan: Plan) -> Iterable[Feature]:
    for node in plan.nodes:
        yield _feature(
            {"type": "Point", "coordinates": _places(plan, [node.at])[0]},
            kind="node",
            id=node.id,
            area=plan.area(node),
            district=plan.district(node),
            street=plan.street(node).id,
            domain=node.kind,
            mains=node.mains,
            sensors=_sensors(node),
        )


def _sensors(node: Node) -> dict[str, list[str]]:
    return {sensor.name: list(sensor.properties) for sensor in node.sensors}


def _places(plan: Plan, line: Iterable[Point]) -> list[list[float]]:
    # GeoJSON puts the longitude first.
    return [list(plan.frame.degrees(point)[::-1]) for point in line]


def _feature(shape: Feature, **properties: object) -> Feature:
    return {"type": "Feature", "properties": properties, "geometry": shape}
