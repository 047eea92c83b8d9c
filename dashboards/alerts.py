"""Alert rules as code: what somebody should be told of, although nobody looks at a board.

The rules are Grafana's own (unified alerting), asked of the same two data sources in InfluxQL. They
reach Grafana by provisioning (the generated file in ``deploy/grafana/provisioning/alerting``) or by
push. Whom they reach is set in Grafana: its contact points and notification policies.
"""

from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

import yaml
from grafana_foundation_sdk.models.dashboard import Dashboard

from citynerve.errors import ConfigError
from dashboards import boards
from dashboards.anomalies import SEVERE
from dashboards.figures import ALARMS
from dashboards.sources import MAIN, PLUGIN, RAW, Source

FILE: Final = (
    Path(__file__).parent.parent
    / "deploy"
    / "grafana"
    / "provisioning"
    / "alerting"
    / "citynerve.yaml"
)
"""The generated file, as the repository keeps it."""

GROUP: Final = "CityNerve"
INTERVAL_S: Final = 60
"""Between two looks at the rules."""

FOLDER_TITLE: Final = "CityNerve alerts"
FOLDER_UID: Final = "citynerve-alerts"
"""Not the boards' folder: Grafana reads alert rules first, and would make that one with another
uid."""

_EXPRESSION: Final = "__expr__"
_PACE: Final = {"intervalMs": 1_000, "maxDataPoints": 43_200}
"""What Grafana adds by itself; said here so that what it gives back is what it was given."""

_HEAD: Final = """\
# Made by 'citynerve dashboards build' from dashboards/alerts.py: change it there. Copy to Grafana's
# conf/provisioning/alerting/ (on Debian: /etc/grafana/provisioning/alerting/). Whom the alerts
# reach is set in Grafana: Alerting, Contact points.
"""


class Rule(NamedTuple):
    """One alert rule.

    Attributes:
        uid: For ever; Grafana knows the rule by it.
        title: What is wrong, in a few words.
        source: Where it is asked.
        query: InfluxQL; a series for each tag that it groups by is an alert of its own.
        span: How far back is looked, seconds.
        above: The alert is raised where the newest value is above this, or
        below: where it is below this.
        lasting: For how long it must be so (``0s``, ``2m``).
        severity: A label, for notification policies.
        summary: One line for people; ``{{ .Labels.node }}`` and the like are put in.
        what: What it means, and what to do.
        panel: Board (file stem) and title of the panel that shows it.
        no_data: What an empty answer means: all is well, or an alert.
    """

    uid: str
    title: str
    source: Source
    query: str
    span: int
    severity: Literal["warning", "critical"]
    summary: str
    what: str
    panel: tuple[str, str]
    above: float | None = None
    below: float | None = None
    lasting: str = "0s"
    no_data: Literal["OK", "Alerting"] = "OK"


RULES: Final = (
    Rule(
        uid="citynerve-stream-stopped",
        title="Stream has stopped",
        source=MAIN,
        query="""
        SELECT count("pid") AS "told" FROM "stream" WHERE $timeFilter AND "part" = 'process'
        """,
        span=120,
        below=1,
        no_data="Alerting",
        lasting="1m",
        severity="critical",
        summary="The stream told nothing for two minutes",
        what="Nothing is stored and no anomaly is found. Nodes keep their data. See whether the "
        "process 'citynerve stream run' and InfluxDB run.",
        panel=("stream", "Stream"),
    ),
    Rule(
        uid="citynerve-stream-delay",
        title="Stream lags behind",
        source=MAIN,
        query="""
        SELECT mean("lag_ms") AS "lag" FROM "stream" WHERE $timeFilter AND "part" = 'acks'
        """,
        span=300,
        above=60_000,
        lasting="2m",
        severity="critical",
        summary="Data takes more than a minute to be stored",
        what="Stream or InfluxDB cannot keep up, or many nodes came back at once. Nothing is lost; "
        "what is shown is old. The board Stream tells which of them is slow.",
        panel=("stream", "Delay"),
    ),
    Rule(
        uid="citynerve-points-refused",
        title="InfluxDB refuses points",
        source=MAIN,
        query="""
        SELECT spread("refused") AS "refused" FROM "stream"
        WHERE $timeFilter AND "part" = 'influx'
        """,
        span=600,
        above=0,
        severity="critical",
        summary="InfluxDB refused points within ten minutes",
        what="Points that InfluxDB refuses are lost for it: a limit of series, or a field of "
        "another type. The reason stands in the board Stream, Latest refusals.",
        panel=("stream", "InfluxDB"),
    ),
    Rule(
        uid="citynerve-refusals",
        title="Much is refused",
        source=MAIN,
        query="""
        SELECT sum("count") AS "refused" FROM "rejected" WHERE $timeFilter GROUP BY "reason"
        """,
        span=600,
        above=100,
        severity="warning",
        summary="More than 100 refused in ten minutes: {{ .Labels.reason }}",
        what="Nodes send what cannot be taken in: a wrong clock (future, old), a changed unit "
        "(unit), a foreign program (schema). The board Stream names the node.",
        panel=("stream", "Refused, by reason"),
    ),
    Rule(
        uid="citynerve-node-offline",
        title="Node is offline",
        source=MAIN,
        query="""
        SELECT last("online") AS "online" FROM "node" WHERE $timeFilter
        GROUP BY "node", "district"
        """,
        span=86_400,
        below=1,
        lasting="2m",
        severity="warning",
        summary="{{ .Labels.node }} ({{ .Labels.district }}) is offline",
        what="Switched off, without network, or broken. It keeps what it measures and delivers it "
        "when it is back.",
        panel=("nodes", "Nodes"),
    ),
    Rule(
        uid="citynerve-node-loses",
        title="Node gives up data",
        source=MAIN,
        query="""
        SELECT spread("given_up") + spread("dropped") AS "lost" FROM "node" WHERE $timeFilter
        GROUP BY "node", "district"
        """,
        span=3_600,
        above=0,
        severity="critical",
        summary="{{ .Labels.node }} ({{ .Labels.district }}) had to give up data",
        what="Its spool or disk is full while the stream is away, so the oldest data of live "
        "sensors is lost. Bring the link back, or give the spool more space (spool.max_mb).",
        panel=("nodes", "Nodes"),
    ),
    Rule(
        uid="citynerve-node-spool",
        title="Node's spool fills",
        source=MAIN,
        query="""
        SELECT last("spool_bytes") AS "bytes" FROM "node" WHERE $timeFilter
        GROUP BY "node", "district"
        """,
        span=3_600,
        above=128 * 2**20,
        lasting="10m",
        severity="warning",
        summary="{{ .Labels.node }} ({{ .Labels.district }}) holds more than 128 MB",
        what="Half of the spool's default size waits at the node: its link is slow, or the stream "
        "was away for long.",
        panel=("nodes", "Waiting at nodes"),
    ),
    Rule(
        uid="citynerve-anomaly-severe",
        title="Severe anomaly",
        source=MAIN,
        query=f"""
        SELECT count("severity") AS "open" FROM "anomaly"
        WHERE $timeFilter AND "open" = 1 AND "severity" >= {SEVERE:g}
        GROUP BY "district", "property"
        """,
        span=86_400,
        above=0,
        severity="warning",
        summary="{{ .Labels.property }} in {{ .Labels.district }} is far from what is usual",
        what="An anomaly of high severity opened within a day and has not ended. The board City "
        "now tells where and why.",
        panel=("city-now", "Open anomalies"),
    ),
    Rule(
        uid="citynerve-water-high",
        title="Water is high",
        source=RAW,
        query="""
        SELECT max("max") AS "level" FROM "aggregate"
        WHERE $timeFilter AND "property" = 'water_level' AND "window" = '1m'
        GROUP BY "node", "sensor", "district"
        """,
        span=600,
        above=ALARMS["water_level"][1],
        severity="critical",
        summary="Water at {{ .Labels.node }} ({{ .Labels.district }}) is above its flood level",
        what="The level against the gauge's datum. Warn who lives and parks by the water; set the "
        "threshold in dashboards/figures.py to your gauges.",
        panel=("city-now", "Highest water"),
    ),
    Rule(
        uid="citynerve-air-bad",
        title="Air is bad",
        source=RAW,
        query="""
        SELECT mean("mean") AS "pm25" FROM "rollup"
        WHERE $timeFilter AND "property" = 'pm25' AND "window" = '1m' AND "district" !~ /^_/
        GROUP BY "district"
        """,
        span=3_600,
        above=ALARMS["pm25"][1],
        lasting="5m",
        severity="warning",
        summary="Fine dust in {{ .Labels.district }} is unhealthy",
        what="The mean of an hour. Look for a fire or an inversion; warn people with weak lungs.",
        panel=("city-now", "PM2.5"),
    ),
)
"""In the order in which they are listed."""


def rules() -> list[dict[str, Any]]:
    """Every rule, as Grafana's provisioning takes it."""
    built = {stem: boards.BUILDERS[stem]().build() for stem in {rule.panel[0] for rule in RULES}}
    return [_rule(rule, built[rule.panel[0]]) for rule in RULES]


def text() -> str:
    """The provisioning file."""
    groups = {
        "apiVersion": 1,
        "groups": [
            {
                "orgId": 1,
                "name": GROUP,
                "folder": FOLDER_TITLE,
                "interval": f"{INTERVAL_S}s",
                "rules": rules(),
            }
        ],
    }
    return _HEAD + yaml.safe_dump(groups, sort_keys=False, allow_unicode=True, width=100)


def write(path: Path = FILE) -> bool:
    """Write the provisioning file; whether that changed it.

    Raises:
        ConfigError: It cannot be written.
    """
    made = text()
    if path.is_file() and path.read_text(encoding="utf-8") == made:
        return False
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(made, encoding="utf-8")
    except OSError as error:
        raise ConfigError(
            f"cannot be written: {error.strerror}", file=str(path), fix="choose --alerts"
        ) from error
    return True


def check(path: Path = FILE) -> None:
    """See that the file is what the code makes.

    Raises:
        ConfigError: It is not.
    """
    if not path.is_file() or path.read_text(encoding="utf-8") != text():
        raise ConfigError("not current", file=str(path), fix="run 'citynerve dashboards build'")


def _rule(rule: Rule, board: Dashboard) -> dict[str, Any]:
    numbers = {getattr(panel, "title", ""): panel.id_val for panel in board.panels or ()}
    bound, evaluator = (rule.above, "gt") if rule.above is not None else (rule.below, "lt")
    return {
        "uid": rule.uid,
        "title": rule.title,
        "condition": "alert",
        "data": [
            _query(rule),
            _expression("newest", "reduce", expression="value", reducer="last"),
            _expression(
                "alert",
                "threshold",
                expression="newest",
                conditions=[{"evaluator": {"type": evaluator, "params": [bound]}}],
            ),
        ],
        "noDataState": rule.no_data,
        "execErrState": "Error",
        "for": rule.lasting,
        "annotations": {
            "summary": rule.summary,
            "description": rule.what,
            "__dashboardUid__": board.uid,
            "__panelId__": str(numbers[rule.panel[1]]),
        },
        "labels": {"severity": rule.severity, "source": "citynerve"},
        "isPaused": False,
    }


def _query(rule: Rule) -> dict[str, Any]:
    model = {
        "refId": "value",
        "datasource": {"type": PLUGIN, "uid": rule.source.uid},
        "rawQuery": True,
        "query": " ".join(rule.query.split()),
        "resultFormat": "time_series",
        **_PACE,
    }
    return {
        "refId": "value",
        "relativeTimeRange": {"from": rule.span, "to": 0},
        "datasourceUid": rule.source.uid,
        "model": model,
    }


def _expression(ref: str, kind: str, **settings: object) -> dict[str, Any]:
    model = {
        "refId": ref,
        "datasource": {"type": _EXPRESSION, "uid": _EXPRESSION},
        "type": kind,
        **settings,
        **_PACE,
    }
    return {
        "refId": ref,
        "relativeTimeRange": {"from": 0, "to": 0},
        "datasourceUid": _EXPRESSION,
        "model": model,
    }
