"""The alert rules: current as a file, whole, and about panels that exist."""

import re
from pathlib import Path

import pytest
import yaml

from citynerve.errors import ConfigError
from dashboards import alerts, boards
from dashboards.sources import SOURCES

BOARDS = {board["uid"]: board for board in boards.load().values()}
RULES = alerts.rules()


def test_the_provisioning_file_is_current_and_holds_the_rules() -> None:
    alerts.check()
    (group,) = yaml.safe_load(alerts.FILE.read_text(encoding="utf-8"))["groups"]
    assert group["rules"] == RULES
    assert (group["folder"], group["interval"]) == (alerts.FOLDER_TITLE, "60s")


def test_a_stale_file_is_told_and_written_anew(tmp_path: Path) -> None:
    path = tmp_path / "alerting" / "citynerve.yaml"
    with pytest.raises(ConfigError, match="dashboards build"):
        alerts.check(path)
    assert alerts.write(path)
    assert not alerts.write(path)
    alerts.check(path)


def test_rules_have_names_of_their_own_and_one_bound() -> None:
    assert len({rule.uid for rule in alerts.RULES}) == len(alerts.RULES)
    assert len({rule.title for rule in alerts.RULES}) == len(alerts.RULES)
    for rule in alerts.RULES:
        assert len(rule.uid) <= 40  # Grafana takes no longer one
        assert (rule.above is None) != (rule.below is None)


def test_rules_lead_to_the_panel_that_shows_what_they_are_about() -> None:
    for rule, made in zip(alerts.RULES, RULES, strict=True):
        board = BOARDS[made["annotations"]["__dashboardUid__"]]
        titles = {str(panel["id"]): panel["title"] for panel in board["panels"]}
        assert titles[made["annotations"]["__panelId__"]] == rule.panel[1]


def test_each_step_of_a_rule_takes_the_one_before() -> None:
    known = {source.uid for source in SOURCES}
    for rule in RULES:
        value, newest, alert = rule["data"]
        assert value["datasourceUid"] == value["model"]["datasource"]["uid"]
        assert value["datasourceUid"] in known
        assert newest["model"]["expression"] == value["refId"]
        assert alert["model"]["expression"] == newest["refId"]
        assert alert["refId"] == rule["condition"]
        assert all(step["refId"] == step["model"]["refId"] for step in rule["data"])


def test_texts_name_tags_that_the_query_groups_by() -> None:
    for rule in alerts.RULES:
        grouped = rule.query.partition("GROUP BY")[2]
        for tag in re.findall(r"\{\{ \.Labels\.(\w+) \}\}", rule.summary):
            assert f'"{tag}"' in grouped, rule.uid
        # Grafana puts its environment into what follows a dollar sign in these.
        assert "$" not in rule.title + rule.summary + rule.what
