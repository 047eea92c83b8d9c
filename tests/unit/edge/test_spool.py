import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from citynerve.errors import ConfigError, RefusedError, UnavailableError
from edge.batcher import Sealed
from edge.order import Counts
from edge.progress import Cursor, DriverProgress, Figures
from edge.spool import Spool
from edge.spool_file import BALLAST, MIGRATIONS, SCHEMA_VERSION, SpoolFullError
from edge.term import Ledger, Opening

KEY = ("s", "p")
BIG = 1 << 30


def sealed(text: str = "{}", readings: int = 1, items: int = 1) -> Sealed:
    return Sealed(text.encode(), {"d": items}, {KEY: readings})


def reopen(path: Path, max_bytes: int = BIG) -> Spool:
    return Spool.open(path, node="n", max_bytes=max_bytes, clock=lambda: 1234)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a folder" / "spool.db"


@pytest.fixture
def spool(path: Path) -> Iterator[Spool]:
    one = reopen(path)
    yield one
    one.close()


def test_what_is_appended_survives_and_ids_go_on(path: Path) -> None:
    spool = reopen(path)
    spool.append([sealed('{"a":1}'), sealed('{"b":2}')])
    spool.free(1)
    spool.close()
    spool = reopen(path)
    assert (spool.first, spool.last, spool.batches) == (2, 2, 1)
    assert spool.body(2) == b'{"b":2}'
    assert spool.bytes == spool.size(2)
    spool.free(2)
    spool.close()
    spool = reopen(path)
    assert (spool.first, spool.last, spool.batches, spool.bytes) == (3, 2, 0, 0)
    spool.append([sealed()])
    assert spool.last == 3
    spool.close()


def test_cursor_and_figures_move_with_the_batches(path: Path) -> None:
    spool = reopen(path)
    assert spool.progress.cursor("d", 777) == Cursor(777, 0, 0)
    progress = DriverProgress("d", 3, {KEY: Counts(10, 2, 1)}, {KEY: 5000})
    spool.append([sealed(readings=4, items=5), sealed(readings=3, items=3)], [progress])
    spool.close()
    spool = reopen(path)
    assert spool.progress.cursor("d", 999) == Cursor(777, 8, 3)
    assert spool.progress.figures() == {KEY: Figures(Counts(10, 2, 1), 7, 5000)}
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as reader:
        columns = "sensor, property, read, distinct_, repeated, late, sent"
        assert list(reader.execute(f"SELECT {columns} FROM counts")) == [  # noqa: S608
            ("s", "p", 10, 8, 2, 1, 7)
        ]
    reader.close()
    spool.close()


def test_beyond_its_limit_the_oldest_are_given_up_and_counted(path: Path) -> None:
    spool = reopen(path, max_bytes=3 * (64 + 1000))
    for number in range(5):
        spool.append([sealed(f"{number}" * 1000, readings=number + 1)])
    assert (spool.first, spool.batches) == (3, 3)
    assert (spool.given_up, spool.given_up_readings) == (2, 1 + 2)
    spool.close()
    spool = reopen(path)
    assert (spool.given_up, spool.given_up_readings, spool.bytes) == (2, 3, 3 * 1064)
    spool.close()
    spool = reopen(path)
    assert spool.given_up == spool.given_up_before > 0
    spool.close()


def test_committed_batches_do_not_count_as_given_up(spool: Spool) -> None:
    spool.append([sealed(), sealed(), sealed()])
    spool.free(2)
    assert spool.give_up(3) == 1
    assert spool.given_up == 1
    assert (spool.batches, spool.bytes) == (0, 0)


def test_a_ledger_becomes_durable_with_the_next_batch(path: Path) -> None:
    spool = reopen(path)
    spool.append([sealed()])
    spool.keep(Ledger(5 << 32, 1, 1, "store"))
    spool.close()
    spool = reopen(path)
    assert spool.ledger == Ledger(0, 0, 0, None)
    spool.keep(Ledger(5 << 32, 1, 1, "store"))
    spool.append([sealed()])
    spool.close()
    spool = reopen(path)
    assert spool.ledger == Ledger(5 << 32, 1, 1, "store")
    spool.close()


def test_opening_a_term_deletes_renumbers_and_is_durable_at_once(path: Path) -> None:
    spool = reopen(path)
    spool.append([sealed()] * 5)
    assert spool.open_term(Opening(7 << 32, "store", free=2, give_up=3)) == 3
    assert (spool.first, spool.given_up) == (4, 1)
    assert spool.ledger == Ledger(7 << 32, 3, None, "store")
    spool.close()
    spool = reopen(path)
    # As a new process finds it: all that is there was made in that term.
    assert spool.ledger == Ledger(7 << 32, 3, 5, "store")
    spool.close()


def test_two_agents_cannot_use_one_spool(path: Path) -> None:
    spool = reopen(path)
    program = (
        "import sys; from pathlib import Path; from edge.spool import Spool;"
        "Spool.open(Path(sys.argv[1]), node='n', max_bytes=1)"
    )
    other = subprocess.run(
        [sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=False
    )
    assert "RefusedError" in other.stderr
    assert f"process {os.getpid()}" in other.stderr
    spool.close()
    reopen(path).close()


def test_the_lock_of_a_killed_process_is_free(path: Path) -> None:
    program = (
        "import sys, os; from pathlib import Path; from edge.spool import Spool;"
        "Spool.open(Path(sys.argv[1]), node='n', max_bytes=1); os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", program, str(path)], check=False)
    reopen(path).close()


def test_refused_within_one_process_too(spool: Spool, path: Path) -> None:
    assert spool.batches == 0
    with pytest.raises(RefusedError, match="spool"):
        reopen(path)


def test_another_nodes_spool_is_refused(path: Path) -> None:
    reopen(path).close()
    with pytest.raises(ConfigError, match="node 'n'") as caught:
        Spool.open(path, node="m", max_bytes=BIG)
    assert caught.value.key == "node.id"
    reopen(path).close()


def test_a_file_of_a_newer_version_is_left_alone(path: Path) -> None:
    reopen(path).close()
    with sqlite3.connect(path) as db:
        db.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    db.close()
    with pytest.raises(UnavailableError, match="update citynerve"):
        reopen(path)
    assert [one.name for one in path.parent.glob("*damaged*")] == []


def test_a_folder_that_cannot_be_written_is_explained(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(UnavailableError, match=r"spool\.path"):
        reopen(tmp_path / "file" / "spool.db")


@pytest.mark.parametrize("damage", ["garbage", "truncated", "inside", "gap"])
def test_a_damaged_file_is_set_aside_and_a_new_one_begun(path: Path, damage: str) -> None:
    spool = reopen(path)
    for number in range(200):
        spool.append([sealed(f"{number:04}" * 500)])
    spool.close()
    size = path.stat().st_size
    if damage == "garbage":
        path.write_bytes(os.urandom(8192))
    elif damage == "truncated":
        os.truncate(path, size // 2)
    elif damage == "inside":
        with path.open("r+b") as file:
            for at in range(4096 * 2, size, 4096 * 7):
                file.seek(at)
                file.write(os.urandom(64))
    else:
        with sqlite3.connect(path) as db:
            db.execute("DELETE FROM batch WHERE id = 100")
        db.close()
    spool = reopen(path)
    assert spool.set_aside == path.with_name("spool.db.damaged-1234")
    assert spool.set_aside.exists()
    assert (spool.batches, spool.last) == (0, 0)
    spool.append([sealed()])
    assert spool.body(1) == b"{}"
    spool.close()


def test_damage_in_a_large_file_is_found_without_reading_it_whole(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge.spool_file._CHECKED_WHOLE", 0)
    spool = reopen(path)
    spool.append([sealed("x" * 100_000), sealed("y" * 100_000)])
    spool.close()
    content = path.read_bytes()
    at = content.index(b"y" * 2000)
    with path.open("r+b") as file:
        file.seek(at)
        file.write(b"z")
    spool = reopen(path)
    assert spool.set_aside is None
    assert spool.body(1) == b"x" * 100_000
    assert spool.body(2) is None
    spool.close()


def test_a_reader_does_not_disturb_the_agent(spool: Spool, path: Path) -> None:
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True, isolation_level=None) as reader:
        reader.execute("BEGIN")
        assert next(reader.execute("SELECT count(*) FROM counts"))[0] == 0
        spool.append([sealed()])
        spool.free(1)
    reader.close()
    assert spool.batches == 0


def test_a_past_backlog_gives_its_space_back(spool: Spool, path: Path) -> None:
    for _ in range(10):
        spool.append([sealed("x" * 16_000)] * 100)
    for upto in range(1, 1001):
        spool.free(upto)
    for _ in range(200):
        spool.append([sealed()])
        spool.free(spool.last)
    assert path.stat().st_size < 12_000_000


def fill(spool: Spool) -> int:
    """Append until the disk is full; how many went in."""
    before = spool.last
    while not spool.full:
        with suppress(SpoolFullError):
            spool.append([sealed(os.urandom(8_000).hex())])
    return spool.last - before


def test_on_a_full_disk_nothing_changes_and_an_ack_still_frees(small_disk: Path) -> None:
    path = small_disk / "spool.db"
    spool = reopen(path)
    assert path.with_name("spool.db.ballast").stat().st_size == BALLAST
    filled = fill(spool)
    assert filled > 100
    assert spool.full
    assert not path.with_name("spool.db.ballast").exists()
    # Somebody else takes what is left.
    with (small_disk / "other").open("wb", buffering=0) as other, suppress(OSError):
        while other.write(bytes(4096)):
            pass
    held = spool.batches
    spool.free(20)
    assert (spool.first, spool.batches) == (21, held - 20)
    for _ in range(5):
        spool.append([sealed("a" * 16_000)])
    # What is left belongs to deletions.
    with pytest.raises(SpoolFullError):
        spool.append([sealed("a" * 16_000)] * 20)
    spool.close()
    spool = reopen(path)
    assert spool.set_aside is None
    assert spool.full
    assert (spool.first, spool.batches) == (21, held - 15)
    assert spool.body(spool.last) == b"a" * 16_000
    spool.close()


def test_giving_up_makes_room_on_a_full_disk(small_disk: Path) -> None:
    spool = reopen(small_disk / "spool.db")
    fill(spool)
    last = spool.last
    assert spool.give_up(spool.first + 15) == 16
    for _ in range(10):
        spool.append([sealed("b" * 16_000)])
    assert spool.last == last + 10
    spool.close()


def test_a_file_of_the_first_version_is_brought_up_to_date(path: Path) -> None:
    path.parent.mkdir()
    with sqlite3.connect(path) as db:
        db.executescript(f"BEGIN; {MIGRATIONS[0]} PRAGMA user_version = 1; COMMIT;")
        db.execute("INSERT INTO cursor (driver, origin, released) VALUES ('d', 777, 8)")
    db.close()
    spool = reopen(path)
    assert spool.progress.cursor("d", 999, "as it is now") == Cursor(777, 8, 0)
    with pytest.raises(ConfigError, match="no longer the input"):
        spool.progress.cursor("d", 999, "changed since")
    spool.close()


def test_a_batch_keeps_the_description_that_it_was_made_under(path: Path) -> None:
    spool = reopen(path)
    assert (spool.about, spool.boundary) == (b"", 0)
    for about in (b"one", b"two", b"two", b"never used", b"three"):
        spool.describe(about)
        if about != b"never used":
            spool.append([sealed(), sealed()])
    spool.close()
    spool = reopen(path)
    spool.describe(b"three")
    found = []
    for batch in range(1, 9):
        found.append((spool.about, spool.boundary))
        spool.free(batch)
    assert found == [
        *[(b"one", 2)] * 2,
        *[(b"two", 6)] * 4,
        *[(b"three", 8)] * 2,
    ]
    assert (spool.about, spool.boundary) == (b"three", 8)
    spool.close()


def test_a_backlog_of_the_version_before_is_taken_as_made_now(path: Path) -> None:
    spool = reopen(path)
    spool.append([sealed(), sealed()])
    spool.close()
    spool = reopen(path)
    spool.describe(b"now")
    assert (spool.about, spool.boundary) == (b"now", 2)
    spool.close()
