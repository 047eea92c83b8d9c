"""A replay's folder belongs to one replay at a time."""

from pathlib import Path

import pytest

from citynerve.errors import ConfigError, RefusedError, UnavailableError
from simulators.recording.folder import Folder, State, identity

STATE = State("one", 5, 7)


def test_an_interrupted_replay_is_taken_up(tmp_path: Path) -> None:
    folder = Folder.open(tmp_path / "a", "one", anew=False)
    assert folder.state is None
    folder.keep(STATE)
    (tmp_path / "a" / "node.db").touch()
    with pytest.raises(RefusedError, match="held by another process"):
        Folder.open(tmp_path / "a", "one", anew=False)
    folder.close()
    again = Folder.open(tmp_path / "a", "one", anew=False)
    assert again.state == STATE
    assert (tmp_path / "a" / "node.db").exists()
    again.close()
    with pytest.raises(ConfigError, match="another replay was interrupted"):
        Folder.open(tmp_path / "a", "two", anew=False)


@pytest.mark.parametrize(("done", "anew"), [(True, False), (False, True)])
def test_what_is_finished_or_forgotten_makes_room(
    tmp_path: Path, *, done: bool, anew: bool
) -> None:
    folder = Folder.open(tmp_path, "one", anew=False)
    folder.keep(State("one", 5, 7, done))
    for name in ("node.db", "node.db-wal", "node.db.lock"):
        (tmp_path / name).touch()
    folder.close()
    again = Folder.open(tmp_path, "two", anew=anew)
    assert again.state is None
    assert not list(tmp_path.glob("*.db*"))
    again.close()
    again.remove()
    assert not tmp_path.exists()


def test_a_spoilt_state_is_told(tmp_path: Path) -> None:
    (tmp_path / "replay.json").write_text("{")
    with pytest.raises(ConfigError, match="is no state of a replay"):
        Folder.open(tmp_path, "one", anew=False)


def test_the_identity_is_that_of_content_and_settings(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_bytes(b"x")
    one = identity([file], ["a"])
    assert one == identity([file], ["a"])
    assert one != identity([file], ["b"])
    file.write_bytes(b"y")
    assert one != identity([file], ["a"])
    with pytest.raises(UnavailableError, match="No such file"):
        identity([tmp_path / "b"], [])
