"""compose.yaml and what it mounts: everything it names is there, as the code has it.

No container engine is at hand where these tests run: that the containers come up is not shown.
"""

import re
import shlex
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from citynerve import influx, mqtt
from citynerve.cli import root
from citynerve.influx import InfluxConfig
from dashboards import maps
from dashboards.push import source_payload
from dashboards.sources import SOURCES
from stream import config as stream

ROOT = Path(__file__).parents[3]
CONTAINERS = ROOT / "deploy" / "containers"
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if service["image"] == "citynerve"}
DOCKERFILE = (CONTAINERS / "Dockerfile").read_text(encoding="utf-8")

KNOWN = {
    "stream": {**mqtt.ENV, **influx.ENV, **stream.env_names()},
    "city": mqtt.ENV,
    "map": {},
}
"""Which variables each of our services reads."""


def test_our_services_are_known_here() -> None:
    assert set(OURS) == set(KNOWN)


@pytest.mark.parametrize("name", [name for name in OURS if "entrypoint" not in OURS[name]])
def test_a_service_starts_a_command_that_exists_with_its_options(name: str) -> None:
    command: click.Command = root
    words = list(OURS[name]["command"])
    context = click.Context(root)
    while isinstance(command, click.Group):
        found = command.get_command(context, words.pop(0))
        assert found is not None
        command = found
    # Parsed as on a command line, but not run.
    command.make_context(name, words)


@pytest.mark.parametrize("name", OURS)
def test_variables_of_a_service_are_read_by_it(name: str) -> None:
    assert set(OURS[name].get("environment", {})) <= set(KNOWN[name])


def test_grafanas_variables_are_those_that_its_files_name() -> None:
    given = SERVICES["grafana"]["environment"]
    named = set(re.findall(r"\$(CITYNERVE_\w+)", _sources_text()))
    assert named == {name for name in given if name.startswith("CITYNERVE_")}


def test_data_sources_are_those_of_the_push() -> None:
    provisioned = yaml.safe_load(_sources_text())["datasources"]
    for entry, source in zip(provisioned, SOURCES, strict=True):
        pushed = source_payload(source, InfluxConfig(token="T"))
        for key in ("name", "uid", "type", "access", "jsonData"):
            assert entry[key] == pushed[key]
        assert entry["url"] == "$CITYNERVE_INFLUX_URL"
        assert entry["secureJsonData"] == {"httpHeaderValue1": "Token $CITYNERVE_INFLUX_TOKEN"}


def test_mounts_are_files_of_ours_or_volumes() -> None:
    for service in SERVICES.values():
        for mount in service.get("volumes", []):
            outside, _, inside = mount.partition(":")
            assert inside.startswith("/")
            assert (ROOT / outside).exists() if outside[0] == "." else outside in COMPOSE["volumes"]


def test_boards_rules_and_map_are_where_grafana_looks() -> None:
    mounts = dict(
        mount.removesuffix(":ro").split(":")[::-1] for mount in SERVICES["grafana"]["volumes"]
    )
    (provider,) = yaml.safe_load(
        (ROOT / "deploy/grafana/provisioning/dashboards/citynerve.yaml").read_text(encoding="utf-8")
    )["providers"]
    assert mounts[provider["options"]["path"]] == "./dashboards/json"
    home = SERVICES["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert home == f"{provider['options']['path']}/city-now.json"
    assert "/etc/grafana/provisioning/alerting" in mounts
    folder = str(Path("/usr/share/grafana") / Path(maps.GEOJSON).parent)
    assert mounts[folder] == "map"


def test_services_wait_for_services_that_tell_their_health() -> None:
    for service in SERVICES.values():
        for name, wish in service.get("depends_on", {}).items():
            healthy = wish["condition"] == "service_healthy"
            assert ("healthcheck" in SERVICES[name]) == healthy


def test_only_this_machine_is_listened_to() -> None:
    ports = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert len(ports) == 3
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_grafana_is_the_one_that_the_boards_are_built_for() -> None:
    pinned = re.search(
        r"grafana-foundation-sdk==\d+!([\d.]+)",
        (ROOT / "constraints.txt").read_text(encoding="utf-8"),
    )
    assert pinned is not None
    assert SERVICES["grafana"]["image"] == f"grafana/grafana:{pinned[1]}"


def test_the_image_holds_packages_and_extras_that_exist() -> None:
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    kept = [
        line.removeprefix("!")
        for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
        if line.startswith("!")
    ]
    copied = [
        source
        for line in re.findall(r"^COPY (.*)$", DOCKERFILE, re.MULTILINE)
        for source in shlex.split(line)[:-1]
    ]
    assert sorted(copied) == sorted(kept)
    assert all((ROOT / name).exists() for name in copied)
    packages = re.search(r"^include = \[(.*)\]$", project, re.MULTILINE)
    assert packages is not None
    assert set(re.findall(r'"(\w+)\*"', packages[1])) <= set(copied)
    extras = re.search(r"^ARG EXTRAS=(.*)$", DOCKERFILE, re.MULTILINE)
    assert extras is not None
    assert all(f"\n{name} = [" in project for name in extras[1].split(","))
    assert "FROM python:3.12-slim" in DOCKERFILE


def test_the_broker_takes_what_the_other_broker_takes() -> None:
    """The limits of deploy/mosquitto hold in the container too."""
    containers = (CONTAINERS / "mosquitto" / "mosquitto.conf").read_text(encoding="utf-8")
    deployed = (ROOT / "deploy/mosquitto/citynerve.conf").read_text(encoding="utf-8")
    for key in ("max_queued_messages", "max_inflight_messages", "max_packet_size"):
        line = re.search(rf"^{key} .*$", deployed, re.MULTILINE)
        assert line is not None
        assert line[0] in containers.splitlines()


def _sources_text() -> str:
    return (CONTAINERS / "grafana" / "datasources.yaml").read_text(encoding="utf-8")
