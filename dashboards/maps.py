"""The map: streets and districts from GeoJSON, latest means, and what is unusual."""

from typing import Final

from grafana_foundation_sdk.builders import geomap
from grafana_foundation_sdk.builders.common import FrameGeometrySource, MapLayerOptions
from grafana_foundation_sdk.models import common
from grafana_foundation_sdk.models.geomap import MapCenterID, TooltipMode

from dashboards import links
from dashboards.influxql import InfluxQL
from dashboards.looks import (
    BLUE,
    GREY,
    SKY,
    VERMILION,
    Properties,
    nowhere,
    prop,
    scale,
    titled,
)
from dashboards.sources import MAIN, MIXED, RAW, Source

GEOJSON: Final = "public/maps/citynerve/city.geojson"
"""Where Grafana's page finds the city's map: a file in its folder ``public``."""

_CIRCLE: Final = {"mode": "fixed", "fixed": "img/icons/marker/circle.svg"}


def build(title: str, description: str, condition: str) -> geomap.Panel:
    """The latest mean of the variable ``property`` wherever an InfluxQL ``condition`` is met.

    Some properties have windows of ten minutes only, which stand in the other database. Where there
    are both, the fresher one is drawn on top.
    """
    panel = (
        geomap.Panel()
        .title(title)
        .description(description)
        .datasource(MIXED)
        .with_target(_last_means("tens", MAIN, condition))
        .with_target(_last_means("values", RAW, condition))
        .with_target(_open_anomalies(condition))
        .with_target(_names(condition))
        .basemap(MapLayerOptions().type("default").name("Tiles"))
        .layers(
            [
                _city(),
                _anomaly_layer(),
                _value_layer("Latest mean of ten minutes", "tens"),
                _value_layer("Latest mean", "values"),
                _name_layer(),
            ]
        )
        .view(geomap.MapViewConfig().id(MapCenterID.FIT).all_layers(all_layers=True).padding(20))
        .controls(
            geomap.ControlsOptions()
            .show_zoom(show_zoom=True)
            .mouse_wheel_zoom(mouse_wheel_zoom=True)
            .show_attribution(show_attribution=True)
            .show_scale(show_scale=True)
        )
        .tooltip(geomap.TooltipOptions().mode(TooltipMode.DETAILS))
        .color_scheme(scale())
        .decimals(1)
    )
    for name, properties in _FIELDS.items():
        panel.override_by_name(name, properties)
    return panel


def _last_means(ref: str, source: Source, condition: str) -> InfluxQL:
    return InfluxQL(
        ref,
        source,
        f"""
        SELECT last("mean") AS "mean", last("lat") AS "lat", last("lon") AS "lon"
        FROM "aggregate"
        WHERE $timeFilter AND "property" = '$property' AND {condition}
        GROUP BY "node", "sensor", "property"
        """,
    )


def _open_anomalies(condition: str) -> InfluxQL:
    return InfluxQL(
        "anomalies",
        MAIN,
        f"""
        SELECT last("severity") AS "severity", last("reason") AS "reason",
        last("lat") AS "lat", last("lon") AS "lon" FROM "anomaly"
        WHERE $timeFilter AND "open" = 1 AND {condition}
        GROUP BY "node", "sensor", "property"
        """,
    )


def _names(condition: str) -> InfluxQL:
    return InfluxQL(
        "names",
        MAIN,
        f"""
        SELECT mean("lat") AS "lat", mean("lon") AS "lon" FROM (
            SELECT last("lat") AS "lat", last("lon") AS "lon" FROM "node"
            WHERE time <= ${{__to}}ms AND {condition} GROUP BY "node", "district"
        ) GROUP BY "district"
        """,
    )


_FIELDS: Final[dict[str, Properties]] = {
    "Time": [nowhere()],
    "lat": [nowhere()],
    "lon": [nowhere()],
    "mean": [*titled("Mean"), *links.datastream()],
    "severity": [*titled("Severity"), prop("decimals", 2), *links.datastream()],
    "reason": titled("Reason"),
    "district": [*titled("District"), *links.this_district()],
}


def _city() -> MapLayerOptions:
    """Needs no query: districts, waters and streets, each in its own look."""
    return (
        MapLayerOptions()
        .type("geojson")
        .name("Streets and districts")
        .config(
            {
                "src": GEOJSON,
                "rules": [
                    _rule("district", SKY, 0.08, 1),
                    _rule("water", SKY, 0.9, 4),
                    _rule("street", GREY, 0.8, 1.5),
                    # Nodes stand where their values are drawn.
                    _rule("node", GREY, 0, 0),
                ],
                "style": {"color": {"fixed": GREY}, "opacity": 0.3, "lineWidth": 1},
            }
        )
        .tooltip(tooltip=False)
    )


def _rule(kind: str, color: str, opacity: float, width: float) -> dict[str, object]:
    return {
        "check": {"property": "kind", "operation": "eq", "value": kind},
        "style": {
            "color": {"fixed": color},
            "opacity": opacity,
            "lineWidth": width,
            "size": {"fixed": 2 if opacity else 0, "min": 0, "max": 15},
            "symbol": _CIRCLE,
        },
    }


def _value_layer(name: str, ref: str) -> MapLayerOptions:
    style = {
        "size": {"fixed": 8, "min": 2, "max": 15},
        "color": {"field": "mean", "fixed": BLUE},
        "opacity": 0.9,
        "symbol": _CIRCLE,
    }
    return _markers(name, ref, style, legend=ref == "values")


def _anomaly_layer() -> MapLayerOptions:
    style = {
        "size": {"fixed": 15, "min": 2, "max": 15},
        "color": {"fixed": VERMILION},
        "opacity": 0.5,
        "symbol": _CIRCLE,
    }
    return _markers("Open anomalies", "anomalies", style)


def _name_layer() -> MapLayerOptions:
    style = {
        "size": {"fixed": 1, "min": 1, "max": 1},
        "color": {"fixed": "text"},
        "opacity": 1,
        "symbol": _CIRCLE,
        "text": {"mode": "field", "field": "district", "fixed": ""},
        "textConfig": {
            "fontSize": 12,
            "offsetX": 0,
            "offsetY": 0,
            "textAlign": "center",
            "textBaseline": "middle",
        },
    }
    return _markers("Districts", "names", style)


def _markers(
    name: str, ref: str, style: dict[str, object], *, legend: bool = False
) -> MapLayerOptions:
    return (
        MapLayerOptions()
        .type("markers")
        .name(name)
        .config({"showLegend": legend, "style": style})
        .location(
            FrameGeometrySource()
            .mode(common.FrameGeometrySourceMode.COORDS)
            .latitude("lat")
            .longitude("lon")
        )
        .filter_data({"id": "byRefId", "options": ref})
        .tooltip(tooltip=True)
    )
