"""The store: one at a time, with an identity, and pruned."""

import json
import os
import pickle
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from citynerve.errors import ConfigError, RefusedError
from stream import store

CRASHING = """
import os, sys
from datetime import timedelta
from pathlib import Path
import bytewax.operators as op
from bytewax.dataflow import Dataflow
from bytewax.inputs import FixedPartitionedSource, StatefulSourcePartition
from bytewax.operators import StatefulBatchLogic
from bytewax.outputs import FixedPartitionedSink, StatefulSinkPartition
from bytewax.recovery import RecoveryConfig
from bytewax.testing import run_main
from stream.store import prune

folder, pruned, script, dies_in = Path(sys.argv[1]), sys.argv[2] == "yes", sys.argv[3], sys.argv[4]

class Part(StatefulSourcePartition):
    def __init__(self): self.script = script.split()
    def next_batch(self):
        if not self.script: os._exit(9)
        word = self.script.pop(0)
        return [(word[0], int(word[1:]))]
    def snapshot(self): return None
class Source(FixedPartitionedSource):
    def list_parts(self): return ["p"]
    def build_part(self, step, key, state): return Part()
class Sum(StatefulBatchLogic):
    def __init__(self, state):
        self.sum = state or 0
        print("restored", self.sum, flush=True)
    def on_batch(self, values):
        self.sum += sum(values)
        return [self.sum], False
    def snapshot(self): return self.sum
class Dies:
    def __reduce__(self): os._exit(9)
class Out(StatefulSinkPartition):
    calls = 0
    def write_batch(self, values): self.calls += 1
    def snapshot(self): return Dies() if str(self.calls) == dies_in else None
class Sink(FixedPartitionedSink):
    def list_parts(self): return ["o"]
    def build_part(self, step, key, state): return Out()

if pruned: prune(folder)
flow = Dataflow("f")
sums = op.stateful_batch("sum", op.input("in", flow, Source()), Sum)
op.output("out", sums, Sink())
run_main(flow, epoch_interval=timedelta(0), recovery_config=RecoveryConfig(folder, timedelta(0)))
"""
"""Sums by key, one item an epoch. It dies as by kill -9: when the script is at its end, or when the
sink's snapshot of its nth call is written, which is after that of the sum."""


def crash(folder: Path, script: str, *, pruned: bool, dies_in: int = 0) -> str:
    command = [sys.executable, "-c", CRASHING, str(folder), "yes" if pruned else "no", script]
    done = subprocess.run(
        [*command, str(dies_in)], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 9, done.stderr
    return done.stdout


def sums_after_two_crashes(path: Path, *, pruned: bool) -> str:
    store.create(path)
    recovery = path / "recovery"
    crash(recovery, "a1 a10 a100", pruned=pruned, dies_in=2)
    crash(recovery, "b1 b1 b1", pruned=pruned)
    return crash(recovery, "a0", pruned=pruned)


def test_pruned_no_epoch_comes_back_that_never_completed(tmp_path: Path) -> None:
    assert "restored 1\n" in sums_after_two_crashes(tmp_path / "store", pruned=True)


def test_unpruned_bytewax_restores_an_epoch_that_never_completed(tmp_path: Path) -> None:
    """The fault that pruning is for: a sum of 1 was committed, and 11 comes back."""
    assert "restored 11\n" in sums_after_two_crashes(tmp_path / "store", pruned=False)


def test_prune_deletes_nothing_that_is_complete(tmp_path: Path) -> None:
    store.create(tmp_path / "store")
    recovery = tmp_path / "store" / "recovery"
    crash(recovery, "a1 a10 a100 a0 a0", pruned=True)
    store.prune(recovery)
    with sqlite3.connect(recovery / "part-0.sqlite3") as database:
        rows = database.execute(
            "SELECT ser_change FROM snaps WHERE state_key = 'a' ORDER BY snap_epoch"
        ).fetchall()
    assert pickle.loads(rows[-1][0]) == 111  # noqa: S301 - our own


def test_a_start_is_counted_and_the_id_stays(tmp_path: Path) -> None:
    with store.opened(tmp_path) as first:
        pass
    with store.opened(tmp_path) as second:
        pass
    assert first.identity.id == second.identity.id
    assert (first.identity.start, second.identity.start) == (1, 2)
    assert second.evidence.is_dir()


def test_a_second_one_is_refused_and_told_who_holds_it(tmp_path: Path) -> None:
    with (
        store.opened(tmp_path),
        pytest.raises(RefusedError, match=f"process {os.getpid()}"),
        store.opened(tmp_path),
    ):
        pass
    with store.opened(tmp_path):
        pass


def test_a_lost_store_is_made_anew_under_its_id_with_starts_that_go_on(tmp_path: Path) -> None:
    for _ in range(3):
        with store.opened(tmp_path / "old") as old:
            pass
    store.create(tmp_path / "new", as_id=old.identity.id)
    with store.opened(tmp_path / "new") as new:
        assert new.identity.id == old.identity.id
        assert new.identity.start > old.identity.start


@pytest.mark.parametrize("bad", ["", "a b", "../x", "-a", "x" * 64])
def test_an_id_that_is_none_is_refused(tmp_path: Path, bad: str) -> None:
    with pytest.raises(ConfigError, match="--as"):
        store.create(tmp_path / "new", as_id=bad)


def test_a_store_is_not_made_over_another(tmp_path: Path) -> None:
    store.create(tmp_path)
    with pytest.raises(RefusedError):
        store.create(tmp_path)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda p: (p / "identity.json").write_text("{}"), "not a store's identity"),
        (lambda p: (p / "identity.json").unlink(), "lost its identity"),
        (lambda p: (p / "recovery" / "part-0.sqlite3").unlink(), "partition is gone"),
        (lambda p: (p / "recovery" / "part-0.sqlite3").write_text("no database" * 99), "damaged"),
        (
            lambda p: (p / "identity.json").write_text(
                json.dumps({"version": 99, "id": "x", "start": 1})
            ),
            "format 99",
        ),
    ],
)
def test_a_damaged_store_is_explained(tmp_path: Path, damage: object, message: str) -> None:
    with store.opened(tmp_path):
        pass
    damage(tmp_path)  # type: ignore[operator]
    with pytest.raises(ConfigError, match=message), store.opened(tmp_path):
        pass


def test_a_first_start_that_was_cut_off_is_finished(tmp_path: Path) -> None:
    identity = store.create(tmp_path)
    (tmp_path / "recovery").rename(tmp_path / "recovery.partial")
    with store.opened(tmp_path) as again:
        assert again.identity.id == identity.id
        assert list(again.recovery.glob("part-*"))


def test_a_folder_that_cannot_be_written_is_explained(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match=r"store\.path"), store.opened(tmp_path / "file" / "x"):
        pass
