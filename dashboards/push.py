"""Put folder, data sources, boards and alert rules into a Grafana; repeated, it changes nothing."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Literal, NamedTuple

from citynerve.errors import ConfigError
from citynerve.influx import InfluxConfig
from citynerve.version import VERSION
from dashboards import alerts
from dashboards.grafana import Grafana
from dashboards.sources import PLUGIN, RAW, SOURCES, Source

# What Grafana gives a saved board and a file does not have.
_OWN_KEYS: Final = frozenset({"id", "version"})


FOLDER_UID: Final = "citynerve"
FOLDER_TITLE: Final = "CityNerve"


class Step(NamedTuple):
    """What the push did to one thing; ``kept`` means that it was already as it should be."""

    kind: Literal["folder", "data source", "board", "alert rules"]
    name: str
    done: Literal["created", "updated", "kept"]


def push(
    grafana: Grafana,
    boards: Mapping[str, Mapping[str, Any]],
    rules: Sequence[Mapping[str, Any]],
    influx: InfluxConfig,
) -> Iterator[Step]:
    """Bring everything into place, step by step.

    Args:
        grafana: The server.
        boards: Parsed board JSON, by file stem.
        rules: The alert rules, as provisioning takes them.
        influx: InfluxDB as Grafana's server reaches it.

    Raises:
        UnavailableError: Grafana can't be reached or fails.
        ConfigError: It is no Grafana, too old, or refuses us; or somebody else's thing is in place.
    """
    grafana.require_version()
    yield _folder(grafana, FOLDER_UID, FOLDER_TITLE)
    for source in SOURCES:
        yield _source(grafana, source, influx)
    for board in boards.values():
        yield _board(grafana, board)
    if _from_a_file(grafana, rules[0]["uid"]):
        # That file is where they are kept.
        yield Step("alert rules", alerts.GROUP, "kept")
        return
    yield _folder(grafana, alerts.FOLDER_UID, alerts.FOLDER_TITLE)
    yield _rules(grafana, rules)


def source_payload(source: Source, influx: InfluxConfig) -> dict[str, object]:
    """A data source as Grafana's HTTP API takes it, for InfluxQL on 1.x and 2.x.

    A 2.x token goes as a header; a user name and password (1.x, or a token ``username:password``)
    as basic authentication.
    """
    settings: dict[str, object] = {
        "dbName": influx.raw if source is RAW else influx.main,
        "httpMode": "POST",
        "version": "InfluxQL",
    }
    secrets: dict[str, str] = {}
    user = None
    if influx.token and ":" not in influx.token:
        settings["httpHeaderName1"] = "Authorization"
        secrets["httpHeaderValue1"] = f"Token {influx.token}"
    else:
        user = influx.user()
    if user is not None:
        secrets["password"] = user[1]
    return {
        "uid": source.uid,
        "name": source.title,
        "type": PLUGIN,
        "access": "proxy",
        "url": influx.base(),
        "user": user[0] if user else "",
        "jsonData": settings,
        "secureJsonData": secrets,
    }


def _folder(grafana: Grafana, uid: str, title: str) -> Step:
    if grafana.find(f"/folders/{uid}") is not None:
        return Step("folder", title, "kept")
    grafana.create_folder(uid, title)
    return Step("folder", title, "created")


def _source(grafana: Grafana, source: Source, influx: InfluxConfig) -> Step:
    path = f"/datasources/uid/{source.uid}"
    body = source_payload(source, influx)
    held = grafana.find(path)
    if held is None:
        grafana.create("/datasources", body)
        return Step("data source", source.title, "created")
    if held.get("readOnly"):
        # Provisioned from a file: that file is where it is kept.
        return Step("data source", source.title, "kept")
    # Grafana never shows secrets, so whether they changed can't be seen: write it anyway.
    grafana.replace(path, body)
    return Step("data source", source.title, "updated")


def _board(grafana: Grafana, board: Mapping[str, Any]) -> Step:
    held = grafana.find(f"/dashboards/uid/{board['uid']}")
    if held is not None:
        meta = held.get("meta", {})
        if meta.get("provisioned"):
            raise ConfigError(
                f"the board {board['title']!r} is provisioned from a file there",
                key=grafana.where,
                fix="change it by that file, or take the provisioning away and push again",
            )
        same = _content(held.get("dashboard", {})) == _content(board)
        if same and meta.get("folderUid") == FOLDER_UID:
            return Step("board", board["title"], "kept")
    grafana.save_board(
        {
            "dashboard": {**board, "id": None},
            "folderUid": FOLDER_UID,
            "overwrite": True,
            "message": f"citynerve {VERSION}",
        }
    )
    return Step("board", board["title"], "created" if held is None else "updated")


def _rules(grafana: Grafana, rules: Sequence[Mapping[str, Any]]) -> Step:
    path = f"/v1/provisioning/folder/{alerts.FOLDER_UID}/rule-groups/{alerts.GROUP}"
    held = grafana.find(path)
    group = {"title": alerts.GROUP, "folderUid": alerts.FOLDER_UID, "interval": alerts.INTERVAL_S}
    if held is not None:
        found = held.get("rules", [])
        same = all(held.get(key) == value for key, value in group.items())
        if same and len(found) == len(rules) and all(map(_holds, found, rules)):
            return Step("alert rules", alerts.GROUP, "kept")
    place = {"folderUID": alerts.FOLDER_UID, "ruleGroup": alerts.GROUP, "orgID": 1}
    grafana.replace(path, {**group, "rules": [{**rule, **place} for rule in rules]})
    return Step("alert rules", alerts.GROUP, "created" if held is None else "updated")


def _from_a_file(grafana: Grafana, uid: str) -> bool:
    held = grafana.find(f"/v1/provisioning/alert-rules/{uid}")
    return held is not None and held.get("provenance") == "file"


def _holds(found: Mapping[str, Any], rule: Mapping[str, Any]) -> bool:
    """Whether a rule of the server's says all that ours says; it has keys of its own."""
    return all(found.get(key) == value for key, value in rule.items())


def _content(board: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in board.items() if key not in _OWN_KEYS}
