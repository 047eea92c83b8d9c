"""The provisioning files set up what the push sets up."""

from pathlib import Path
from typing import Any

import yaml

from citynerve.influx import InfluxConfig
from dashboards.push import FOLDER_TITLE, FOLDER_UID, source_payload
from dashboards.sources import SOURCES

FOLDER = Path(__file__).parents[3] / "deploy" / "grafana" / "provisioning"


def read(part: str) -> Any:  # noqa: ANN401
    return yaml.safe_load((FOLDER / part / "citynerve.yaml").read_text(encoding="utf-8"))


def test_data_sources_are_those_of_the_push() -> None:
    provisioned = read("datasources")["datasources"]
    influx = InfluxConfig(username="u", password="p")
    for entry, source in zip(provisioned, SOURCES, strict=True):
        pushed = source_payload(source, influx)
        for key in ("name", "uid", "type", "access", "jsonData"):
            assert entry[key] == pushed[key]
        assert entry["url"] == "$CITYNERVE_INFLUX_URL"
        assert set(entry["secureJsonData"]) == {"password"}


def test_boards_land_in_the_folder_of_the_push() -> None:
    (provider,) = read("dashboards")["providers"]
    assert (provider["folder"], provider["folderUid"]) == (FOLDER_TITLE, FOLDER_UID)
    assert provider["type"] == "file"
