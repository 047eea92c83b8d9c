"""What a node is, where the recording does not say: it began after the node's hello."""

from collections import Counter
from collections.abc import Mapping
from typing import Final

from msgspec import structs

from citynerve.messages import About, CameraAbout, PropertyAbout, SensorAbout
from simulators.city.properties import PROPERTIES
from simulators.recording.survey import Node, Survey

UNKNOWN: Final = "unknown"
_NO_UNIT: Final = "1"


def abouts(survey: Survey, name: str, *, area: str | None = None) -> tuple[dict[int, About], int]:
    """A description for each term of a node that has batches, and for how many it was built.

    A term's own hello stands. Without one, the node's next hello, else its last before, is taken,
    and what is observed beyond it added. Without any, all is built of what was observed: units are
    those that others say of a property of that name, the area is ``area`` or what the node's
    anomalies say of its district.

    Args:
        survey: Of the recording.
        name: The node's.
        area: For nodes of which nothing says where they stand.
    """
    node = survey.nodes[name]
    built = 0
    found: dict[int, About] = {}
    for number in node.played:
        about = node.terms[number].about
        if about is None:
            built += 1
            about = _extended(_nearest(node, number) or _empty(survey, node, area), survey, node)
        found[number] = about
    return found, built


def _nearest(node: Node, number: int) -> About | None:
    told = {other: term.about for other, term in node.terms.items() if term.about is not None}
    later = [other for other in told if other > number]
    if later:
        return told[min(later)]
    return told[max(told)] if told else None


def _empty(survey: Survey, node: Node, area: str | None) -> About:
    if area is not None:
        return About(area)
    if not node.district:
        return About(f"{UNKNOWN}/{UNKNOWN}")
    return About(f"{_city(survey)}/{node.district}")


def _city(survey: Survey) -> str:
    """The first level of most areas."""
    cities = Counter(
        term.about.area.split("/")[0]
        for node in survey.nodes.values()
        for term in node.terms.values()
        if term.about is not None
    )
    return cities.most_common(1)[0][0] if cities else UNKNOWN


def _extended(about: About, survey: Survey, node: Node) -> About:
    """The description with all that the node is seen to observe."""
    sensors: dict[str, SensorAbout] = {sensor.name: sensor for sensor in about.sensors}
    for sensor, prop in node.series:
        known = sensors.get(sensor, SensorAbout(sensor))
        if all(declared.name != prop for declared in known.properties):
            more = PropertyAbout(prop, _unit(prop, survey.units))
            known = structs.replace(known, properties=(*known.properties, more))
        sensors[sensor] = known
    cameras = {camera.name: camera for camera in about.cameras}
    for camera, (lines, zones) in node.cameras.items():
        if camera not in cameras:
            cameras[camera] = CameraAbout(camera, tuple(sorted(lines)), tuple(sorted(zones)))
    return structs.replace(about, sensors=tuple(sensors.values()), cameras=tuple(cameras.values()))


def _unit(prop: str, units: Mapping[str, Counter[str]]) -> str:
    said = units.get(prop)
    if said:
        return said.most_common(1)[0][0]
    usual = PROPERTIES.get(prop)
    return usual.unit if usual else _NO_UNIT
