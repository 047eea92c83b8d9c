"""The board **City now**: where values stand on the map, key figures, anomalies, the busiest."""

from typing import Final

from grafana_foundation_sdk.builders import geomap
from grafana_foundation_sdk.builders.common import FrameGeometrySource, MapLayerOptions
from grafana_foundation_sdk.builders.dashboard import Dashboard, FieldColor, QueryVariable
from grafana_foundation_sdk.builders.stat import Panel as Stat
from grafana_foundation_sdk.builders.table import Panel as Table
from grafana_foundation_sdk.models import common, dashboard
from grafana_foundation_sdk.models.geomap import MapCenterID, TooltipMode

from dashboards import panels
from dashboards.influxql import InfluxQL, tag_values, with_all
from dashboards.sources import MAIN, MIXED, RAW, Source

_IN_DISTRICT: Final = '"district" =~ /^$district$/'
_TAGS: Final = "SHOW TAG VALUES FROM /^(aggregate|observation)$/ WITH KEY"


def build() -> Dashboard:
    """The whole board."""
    board = (
        panels.board(
            panels.CITY_UID,
            "City now",
            "The city at a glance: latest means on the map, key figures, anomalies.",
        )
        .with_variable(_property())
        .with_variable(_district())
    )
    return panels.place(
        board,
        [
            (_nodes_online(), (0, 0, 4, 4)),
            (_observations(), (4, 0, 5, 4)),
            (_aggregates(), (9, 0, 5, 4)),
            (panels.anomaly_count(_IN_DISTRICT), (14, 0, 5, 4)),
            (_rejected(), (19, 0, 5, 4)),
            (_map(), (0, 4, 14, 16)),
            (_busiest_datastreams(), (14, 4, 10, 8)),
            (_busiest_crossings(), (14, 12, 10, 8)),
            (_anomalies(), (0, 20, 24, 10)),
        ],
    )


def _property() -> QueryVariable:
    return tag_values(
        "property",
        "Property",
        RAW,
        f'{_TAGS} = "property"',
    )


def _district() -> QueryVariable:
    return with_all(
        tag_values(
            "district",
            "District",
            RAW,
            f'{_TAGS} = "district"',
        )
    )


def _nodes_online() -> Stat:
    return panels.key_figure(
        "Nodes online",
        "Nodes whose last status in the past ten minutes was online, whatever the time range.",
        InfluxQL(
            "A",
            MAIN,
            f"""
            SELECT sum("online") AS "nodes" FROM (
                SELECT last("online") AS "online" FROM "node"
                WHERE time > now() - 10m AND {_IN_DISTRICT} GROUP BY "node"
            )
            """,
        ),
        "lastNotNull",
    )


def _observations() -> Stat:
    return panels.key_figure(
        "Observations per minute",
        "Taken in by the stream, of all districts; at the time of its clock.",
        InfluxQL(
            "A",
            MAIN,
            """
            SELECT mean("observations_per_s") * 60 AS "observations" FROM "stream"
            WHERE $timeFilter AND "part" = 'lane' GROUP BY time($__interval) fill(none)
            """,
        ).series("observations"),
        "lastNotNull",
    )


def _aggregates() -> Stat:
    return panels.key_figure(
        "Aggregates per minute",
        "Closed windows under ten minutes, at the time of their start; mean of the range.",
        InfluxQL(
            "A",
            RAW,
            f"""
            SELECT count("count") AS "aggregates" FROM "aggregate"
            WHERE $timeFilter AND {_IN_DISTRICT}
            GROUP BY time(1m) fill(none)
            """,
        ).series("aggregates"),
        "mean",
    )


def _rejected() -> Stat:
    return panels.alarm_above_zero(
        panels.key_figure(
            "Rejected",
            "Messages, columns and readings that could not be taken in, in the time range.",
            InfluxQL(
                "A",
                MAIN,
                'SELECT sum("count") AS "rejected" FROM "rejected" WHERE $timeFilter',
            ),
            "lastNotNull",
        )
    )


def _map() -> geomap.Panel:
    anomalies = InfluxQL(
        "anomalies",
        MAIN,
        f"""
        SELECT last("severity") AS "severity", last("lat") AS "lat", last("lon") AS "lon"
        FROM "anomaly"
        WHERE $timeFilter AND {_IN_DISTRICT}
        GROUP BY "node", "sensor", "property"
        """,
    )
    # Some properties have windows of ten minutes only, which stand in the other database. Where
    # there are both, the fresher one is drawn on top.
    return (
        geomap.Panel()
        .title("Latest mean of $property; ringed: anomalies of any property")
        .description(
            "The last closed window of each datastream in the time range: the shortest windows "
            "it has; below them those of ten minutes."
        )
        .datasource(MIXED)
        .with_target(_last_means("tens", MAIN))
        .with_target(_last_means("values", RAW))
        .with_target(anomalies)
        .basemap(MapLayerOptions().type("default").name("Streets"))
        .layers(
            [
                _anomaly_layer(),
                _value_layer("Latest mean of ten minutes", "tens"),
                _value_layer("Latest mean", "values"),
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
        .color_scheme(FieldColor().mode(dashboard.FieldColorModeId.CONTINUOUS_YL_BL))
        .override_by_name("Time", [panels.prop("custom.hideFrom", _hide_everywhere())])
        .data_links([panels.to_datastream()])
    )


def _last_means(ref: str, source: Source) -> InfluxQL:
    return InfluxQL(
        ref,
        source,
        f"""
        SELECT last("mean") AS "mean", last("lat") AS "lat", last("lon") AS "lon"
        FROM "aggregate"
        WHERE $timeFilter AND "property" = '$property' AND {_IN_DISTRICT}
        GROUP BY "node", "sensor", "property"
        """,
    )


def _hide_everywhere() -> dict[str, bool]:
    return {"legend": True, "tooltip": True, "viz": True}


def _value_layer(name: str, ref: str) -> MapLayerOptions:
    return _markers(
        name,
        ref,
        {
            "size": {"fixed": 9, "min": 2, "max": 15},
            "color": {"field": "mean", "fixed": panels.BLUE},
            "opacity": 0.9,
            "symbol": {"mode": "fixed", "fixed": "img/icons/marker/circle.svg"},
        },
        legend=ref == "values",
    )


def _anomaly_layer() -> MapLayerOptions:
    return _markers(
        "Anomalies",
        "anomalies",
        {
            "size": {"fixed": 16, "min": 2, "max": 15},
            "color": {"fixed": panels.VERMILION},
            "opacity": 0.5,
            "symbol": {"mode": "fixed", "fixed": "img/icons/marker/circle.svg"},
        },
        legend=False,
    )


def _markers(name: str, ref: str, style: dict[str, object], *, legend: bool) -> MapLayerOptions:
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


def _busiest_datastreams() -> Table:
    return (
        panels.listing(
            "Busiest datastreams",
            "By observations in closed one-minute windows.",
            InfluxQL(
                "A",
                RAW,
                f"""
                SELECT top("total", "node", "sensor", "property", 10) AS "observations" FROM (
                    SELECT sum("count") AS "total" FROM "aggregate"
                    WHERE $timeFilter AND "window" = '1m' AND {_IN_DISTRICT}
                    GROUP BY "node", "sensor", "property"
                )
                """,
            ),
        )
        .override_by_name("Time", panels.hidden())
        .override_by_name("node", panels.titled("Node"))
        .override_by_name("sensor", panels.titled("Sensor"))
        .override_by_name("property", panels.titled("Property"))
        .override_by_name("observations", [*panels.titled("Observations"), *panels.bar(panels.SKY)])
        .data_links([panels.to_datastream()])
    )


def _busiest_crossings() -> Table:
    return (
        panels.listing(
            "Busiest counting lines",
            "Tracks that passed each camera's lines, by class.",
            InfluxQL(
                "A",
                MAIN,
                f"""
                SELECT top("total", "node", "camera", "line", "class", 10) AS "crossings" FROM (
                    SELECT sum("count") AS "total" FROM "crossing"
                    WHERE $timeFilter AND {_IN_DISTRICT}
                    GROUP BY "node", "camera", "line", "class"
                )
                """,
            ),
        )
        .override_by_name("Time", panels.hidden())
        .override_by_name("node", panels.titled("Node"))
        .override_by_name("camera", panels.titled("Camera"))
        .override_by_name("line", panels.titled("Line"))
        .override_by_name("class", panels.titled("Class"))
        .override_by_name("crossings", [*panels.titled("Crossings"), *panels.bar(panels.GREEN)])
    )


def _anomalies() -> Table:
    return panels.anomaly_table(
        (
            *("kind", "node", "sensor", "property", "district", "severity", "score"),
            *("value", "expected", "low", "high", "ended", "reason"),
        ),
        _IN_DISTRICT,
    ).data_links([panels.to_datastream()])
