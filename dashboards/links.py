"""How the boards lead to each other, with what was chosen and the time range."""

from collections.abc import Iterator
from typing import Final

from grafana_foundation_sdk.builders.dashboard import DashboardLink
from grafana_foundation_sdk.models import dashboard

CITY: Final = "citynerve-city"
DISTRICT: Final = "citynerve-district"
DATASTREAM: Final = "citynerve-datastream"
CAMERAS: Final = "citynerve-cameras"
NODES: Final = "citynerve-nodes"
STREAM: Final = "citynerve-stream"
TRENDS: Final = "citynerve-trends"

TITLES: Final = {
    CITY: "City now",
    DISTRICT: "District",
    DATASTREAM: "Datastream",
    CAMERAS: "Cameras",
    NODES: "Nodes",
    STREAM: "Stream",
    TRENDS: "Trends",
}
"""uid -> title, in the order in which a newcomer should see them."""


def others(uid: str) -> Iterator[DashboardLink]:
    """From one board to all others, in the same time range."""
    for other, title in TITLES.items():
        if other != uid:
            yield to(other, title)


def to(uid: str, title: str, **chosen: str) -> DashboardLink:
    """To a board, in the same time range; ``chosen``: its variables' values, as Grafana's text."""
    query = "&".join(f"var-{name}={value}" for name, value in chosen.items())
    return (
        DashboardLink(title)
        .type(dashboard.DashboardLinkType.LINK)
        .url(f"/d/{uid}?{query}" if query else f"/d/{uid}")
        .keep_time(keep_time=True)
    )


def datastream() -> list[dashboard.DynamicConfigValue]:
    """From a row that names a datastream to its board."""
    tags = ("node", "sensor", "property")
    return _rows("Open this datastream", DATASTREAM, {tag: _field(tag) for tag in tags})


def node() -> list[dashboard.DynamicConfigValue]:
    """From a row that names a node to its state."""
    return _rows("Open this node", NODES, {"node": _field("node")})


def camera() -> list[dashboard.DynamicConfigValue]:
    """From a row that names a camera to its board."""
    return _rows("Open this camera", CAMERAS, {tag: _field(tag) for tag in ("node", "camera")})


def this_district() -> list[dashboard.DynamicConfigValue]:
    """From a value that is a district's name to its board."""
    return _rows("Open this district", DISTRICT, {"district": "${__value.text}"})


def series_district() -> DashboardLink:
    """From a district's curve or bar to its board, for the property that was chosen."""
    chosen = {"district": "${__field.labels.district}", "property": "${property}"}
    return _link("Open this district", DISTRICT, chosen)


def _field(name: str) -> str:
    return f"${{__data.fields.{name}}}"


def _rows(title: str, uid: str, chosen: dict[str, str]) -> list[dashboard.DynamicConfigValue]:
    links = [{"title": title, "url": _url(uid, chosen)}]
    return [dashboard.DynamicConfigValue(id_val="links", value=links)]


def _link(title: str, uid: str, chosen: dict[str, str]) -> DashboardLink:
    return (
        DashboardLink(title)
        .type(dashboard.DashboardLinkType.LINK)
        .url(_url(uid, chosen))
        .target_blank(target_blank=False)
    )


def _url(uid: str, chosen: dict[str, str]) -> str:
    query = "&".join(f"var-{name}={value}" for name, value in chosen.items())
    return f"/d/{uid}?{query}&${{__url_time_range}}"
