"""Put folder, data sources and boards into a Grafana; doing it again changes nothing more."""

from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal, NamedTuple

from citynerve.errors import ConfigError
from citynerve.influx import InfluxConfig
from citynerve.version import VERSION
from dashboards.grafana import Grafana
from dashboards.sources import PLUGIN, RAW, SOURCES, Source

FOLDER_UID: Final = "citynerve"
FOLDER_TITLE: Final = "CityNerve"

# What Grafana gives a saved board and a file does not have.
_OWN_KEYS: Final = frozenset({"id", "version"})


class Step(NamedTuple):
    """What the push did to one thing; ``kept`` means that it was already as it should be."""

    kind: Literal["folder", "data source", "board"]
    name: str
    done: Literal["created", "updated", "kept"]


def push(
    grafana: Grafana, boards: Mapping[str, Mapping[str, Any]], influx: InfluxConfig
) -> Iterator[Step]:
    """Bring everything into place, step by step.

    Args:
        grafana: The server.
        boards: Parsed board JSON, by file stem.
        influx: InfluxDB as Grafana's server reaches it.

    Raises:
        UnavailableError: Grafana can't be reached or fails.
        ConfigError: It is no Grafana, too old, or refuses us; or somebody else's thing is in place.
    """
    grafana.require_version()
    yield _folder(grafana)
    for source in SOURCES:
        yield _source(grafana, source, influx)
    for board in boards.values():
        yield _board(grafana, board)


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


def _folder(grafana: Grafana) -> Step:
    if grafana.find(f"/folders/{FOLDER_UID}") is not None:
        return Step("folder", FOLDER_TITLE, "kept")
    grafana.create_folder(FOLDER_UID, FOLDER_TITLE)
    return Step("folder", FOLDER_TITLE, "created")


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


def _content(board: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in board.items() if key not in _OWN_KEYS}
