from pathlib import Path

import pytest
from click.testing import CliRunner

from citynerve.errors import ConfigError
from edge.cli import edge
from edge.spool import Spool

CONFIG = """
[node]
id = "node-0"
area = "town"
[[sensor]]
driver = "machine"
"""


def forget(folder: Path, name: str) -> str:
    (folder / "node.toml").write_text(CONFIG)
    arguments = ["forget", "--config", str(folder / "node.toml"), name]
    done = CliRunner().invoke(edge, arguments)
    if done.exception is not None:
        raise done.exception
    return done.output


def test_a_forgotten_input_begins_at_a_new_origin(tmp_path: Path) -> None:
    spool = Spool.open(tmp_path / "spool.db", node="node-0", max_bytes=1 << 20)
    assert spool.progress.cursor("replay", 777).origin == 777
    spool.close()
    assert forget(tmp_path, "replay") == "replay begins anew\n"
    spool = Spool.open(tmp_path / "spool.db", node="node-0", max_bytes=1 << 20)
    assert spool.progress.cursor("replay", 999).origin == 999
    spool.close()


def test_an_input_that_is_not_known_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="knows no such input") as caught:
        forget(tmp_path, "replai")
    assert caught.value.value == "replai"
    assert caught.value.file == str(tmp_path / "node.toml")
