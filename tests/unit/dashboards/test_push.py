import copy
import http.server
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from click.testing import CliRunner

from citynerve.errors import ConfigError, UnavailableError
from citynerve.influx import InfluxConfig
from dashboards import alerts, boards
from dashboards.cli import dashboards as command
from dashboards.grafana import ENV, Grafana, GrafanaConfig
from dashboards.push import FOLDER_UID, push, source_payload
from dashboards.sources import MAIN, RAW
from tests.unit.dashboards.grafana_server import State, grafana

BOARDS = boards.load()
RULES = alerts.rules()
INFLUX = InfluxConfig(url="http://influx:8086")


@pytest.fixture
def state() -> State:
    return State()


@pytest.fixture
def url(state: State) -> Iterator[str]:
    with grafana(state) as address:
        yield address


def run(
    url: str,
    influx: InfluxConfig = INFLUX,
    *,
    token: str | None = "glsa_right",  # noqa: S107 - the fake server's
    user: tuple[str, str] = ("", ""),
) -> list[tuple[str, str]]:
    config = GrafanaConfig(url=url, token=token, username=user[0], password=user[1])
    return [(step.kind, step.done) for step in push(Grafana(config), BOARDS, RULES, influx)]


def test_first_push_puts_everything_into_place(url: str, state: State) -> None:
    kinds = ["folder", "data source", "data source", *("board" for _ in BOARDS)]
    kinds += ["folder", "alert rules"]
    assert run(url) == [(kind, "created") for kind in kinds]
    assert set(state.sources) == {"citynerve", "citynerve_raw"}
    for board in BOARDS.values():
        held = state.boards[board["uid"]]
        assert held["meta"]["folderUid"] == FOLDER_UID
        assert held["dashboard"] == {**board, "id": held["dashboard"]["id"], "version": 1}


def test_second_push_changes_nothing(url: str, state: State) -> None:
    run(url)
    before = copy.deepcopy((state.folders, state.sources, state.boards))
    assert [done for _, done in run(url)] == [
        *("kept", "updated", "updated"),
        *("kept" for _ in BOARDS),
        *("kept", "kept"),
    ]
    assert (state.folders, state.sources, state.boards) == before


def test_a_board_changed_by_hand_or_moved_is_put_right(url: str, state: State) -> None:
    run(url)
    city, district, *others = (state.boards[board["uid"]] for board in BOARDS.values())
    city["dashboard"]["title"] = "Mine"
    district["meta"]["folderUid"] = "elsewhere"
    done = [done for _, done in run(url)][3 : 3 + len(BOARDS)]
    assert done == ["updated", "updated", *("kept" for _ in others)]
    for uid in ("citynerve-city", "citynerve-district"):
        held = state.boards[uid]
        assert held["dashboard"]["title"] in {"City now", "District"}
        assert held["dashboard"]["version"] == 2
        assert held["meta"]["folderUid"] == FOLDER_UID


def test_alert_rules_stand_in_their_folder_and_are_put_right(url: str, state: State) -> None:
    run(url)
    group = state.groups["CityNerve"]
    assert (group["folderUid"], group["interval"]) == (alerts.FOLDER_UID, 60)
    assert [rule["uid"] for rule in group["rules"]] == [rule["uid"] for rule in RULES]
    group["rules"][0]["isPaused"] = True
    assert run(url)[-1] == ("alert rules", "updated")
    assert state.groups["CityNerve"]["rules"][0]["isPaused"] is False


def test_alert_rules_from_a_file_there_are_left_alone(url: str, state: State) -> None:
    state.folders["made-by-provisioning"] = alerts.FOLDER_TITLE
    rules = [{**rule, "provenance": "file"} for rule in RULES]
    state.groups["CityNerve"] = {"title": "CityNerve", "rules": rules}
    assert run(url)[-1] == ("alert rules", "kept")
    assert alerts.FOLDER_UID not in state.folders


def test_a_changed_influxdb_reaches_the_data_sources(url: str, state: State) -> None:
    run(url)
    run(url, InfluxConfig(url="http://other:8086/", token="t0k", raw="r", main="m"))
    raw, main = state.sources["citynerve_raw"], state.sources["citynerve"]
    assert (raw["url"], raw["jsonData"]["dbName"]) == ("http://other:8086", "r")
    assert main["jsonData"]["dbName"] == "m"
    assert main["secureJsonData"] == {"httpHeaderValue1": "Token t0k"}


def test_what_is_provisioned_is_left_alone_or_refused(url: str, state: State) -> None:
    run(url)
    state.provisioned = {"citynerve", "citynerve_raw"}
    assert [done for _, done in run(url)][1:3] == ["kept", "kept"]
    held: dict[str, Any] = state.boards["citynerve-city"]
    held["meta"]["provisioned"] = True
    with pytest.raises(ConfigError, match="provisioned"):
        run(url)


def test_user_and_password_do_as_well(url: str) -> None:
    assert run(url, token=None, user=("admin", "secret"))[0] == ("folder", "created")


def test_a_sub_path_is_kept(state: State) -> None:
    state.prefix = "/city/grafana"
    with grafana(state) as address:
        assert run(address + "/")[-1] == ("alert rules", "created")
        with pytest.raises(ConfigError, match="sub-path"):
            run(address.removesuffix("/city/grafana"))


@pytest.mark.parametrize(("token", "user"), [("glsa_wrong", ("", "")), (None, ("admin", "wrong"))])
def test_wrong_credentials(
    url: str, state: State, token: str | None, user: tuple[str, str]
) -> None:
    with pytest.raises(ConfigError, match="CITYNERVE_GRAFANA_TOKEN") as caught:
        run(url, token=token, user=user)
    assert (token or user[1]) not in str(caught.value)
    assert state.writes == 0


def test_a_viewer_is_told_which_role_it_takes(url: str, state: State) -> None:
    state.viewer = True
    with pytest.raises(ConfigError, match="role Admin"):
        run(url)


def test_an_old_grafana_is_refused_before_anything_is_written(url: str, state: State) -> None:
    state.version = "10.1.5"
    with pytest.raises(ConfigError, match=r"Grafana 10\.1\.5; the boards need 11"):
        run(url)
    assert state.writes == 0


def test_a_grafana_that_hides_its_version_is_taken(url: str, state: State) -> None:
    state.version = ""
    assert run(url)[-1] == ("alert rules", "created")


def test_somebody_elses_data_source_of_that_name_is_not_overwritten(url: str, state: State) -> None:
    state.sources["theirs"] = {"uid": "theirs", "name": MAIN.title, "url": "http://theirs"}
    with pytest.raises(ConfigError, match="same name already exists"):
        run(url)
    assert state.sources["theirs"]["url"] == "http://theirs"


def test_a_failing_server_is_unavailable(url: str, state: State) -> None:
    state.failing = True
    with pytest.raises(UnavailableError, match="database is locked"):
        run(url)


def test_nobody_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(UnavailableError, match="refused"):
        run(f"http://127.0.0.1:{port}")


def test_a_silent_server_times_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        config = GrafanaConfig(url=url, token="t", timeout=0.3)
        with pytest.raises(UnavailableError, match="timed out"):
            list(push(Grafana(config), BOARDS, RULES, INFLUX))


def test_another_web_server_is_no_grafana() -> None:
    class Page(http.server.BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Keep the test's output clean."""

        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"<html>It works!</html>")

    server = http.server.HTTPServer(("127.0.0.1", 0), Page)
    thread = threading.Thread(target=server.handle_request, daemon=True)
    thread.start()
    with pytest.raises(ConfigError, match="not a Grafana"):
        run(f"http://127.0.0.1:{server.server_port}")
    thread.join()
    server.server_close()


@pytest.mark.parametrize("bad", ["localhost:3000", "ftp://h", "http://", "http://h:99999"])
def test_an_unusable_url_is_named(bad: str) -> None:
    with pytest.raises(ConfigError, match="CITYNERVE_GRAFANA_URL"):
        run(bad)


def test_a_missing_authority_is_named() -> None:
    config = GrafanaConfig(url="https://h", token="t", ca="/no/such.pem")
    with pytest.raises(ConfigError, match=r"--ca.*no such file"):
        Grafana(config)


def test_no_credentials_at_all() -> None:
    with pytest.raises(ConfigError, match="CITYNERVE_GRAFANA_TOKEN"):
        Grafana(GrafanaConfig())


@pytest.mark.parametrize(
    ("influx", "user", "secrets"),
    [
        (InfluxConfig(), "", {}),
        (InfluxConfig(username="u", password="p"), "u", {"password": "p"}),
        (InfluxConfig(token="u:p"), "u", {"password": "p"}),
        (InfluxConfig(token="abc=="), "", {"httpHeaderValue1": "Token abc=="}),
    ],
    ids=["open", "user", "1.8 token", "2.x token"],
)
def test_data_sources_log_in_as_the_server_wants_it(
    influx: InfluxConfig, user: str, secrets: dict[str, str]
) -> None:
    body = source_payload(RAW, influx)
    assert (body["user"], body["secureJsonData"]) == (user, secrets)


def test_command_takes_secrets_from_the_environment(url: str, state: State) -> None:
    assert set(ENV) == {
        f"CITYNERVE_GRAFANA_{name}" for name in ("URL", "TOKEN", "USERNAME", "PASSWORD")
    }
    env = {
        "CITYNERVE_GRAFANA_TOKEN": "glsa_right",
        "CITYNERVE_INFLUX_TOKEN": "abc",
        "CITYNERVE_INFLUX_URL": "http://wrong:1",
    }
    result = CliRunner().invoke(
        command,
        ["push", "--url", url, "--influx-url", "http://influx:8086", "--raw", "town_raw"],
        env=env,
    )
    assert result.exit_code == 0, result.output
    assert result.output.splitlines()[-1] == "created  alert rules  CityNerve"
    assert state.sources["citynerve"]["url"] == "http://influx:8086"
    assert state.sources["citynerve"]["jsonData"]["dbName"] == "citynerve"
    assert state.sources["citynerve_raw"]["jsonData"]["dbName"] == "town_raw"
    assert state.sources["citynerve"]["secureJsonData"] == {"httpHeaderValue1": "Token abc"}


def test_a_database_that_cannot_be_is_refused(url: str) -> None:
    env = {"CITYNERVE_GRAFANA_TOKEN": "glsa_right"}
    result = CliRunner().invoke(command, ["push", "--url", url, "--raw", "no/such"], env=env)
    assert isinstance(result.exception, ConfigError)
    assert result.exception.key == "influx.raw"
