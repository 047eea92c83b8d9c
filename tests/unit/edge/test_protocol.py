import os
import sqlite3
from pathlib import Path
from random import Random
from typing import Self

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from edge.batcher import Sealed
from edge.spool import Spool
from tests.unit.edge.protocol_model import MemoryStore, World


class HostileNetwork(RuleBasedStateMachine):
    """Every order of faults that Hypothesis finds."""

    world: World

    @initialize(seed=st.integers(0, 2**32))
    def begin(self, seed: int) -> None:
        self.world = World(MemoryStore(), Random(seed))

    @rule(count=st.integers(1, 5))
    def make(self, count: int) -> None:
        for _ in range(count):
            self.world.make()

    @rule(span=st.sampled_from([10, 1_000, 20_000, 700_000]))
    def pass_time(self, span: int) -> None:
        self.world.pass_time(span)

    @rule(count=st.integers(1, 6))
    def send(self, count: int) -> None:
        self.world.hello()
        for _ in range(count):
            self.world.send()

    @rule(count=st.integers(1, 8))
    def deliver(self, count: int) -> None:
        for _ in range(count):
            self.world.deliver()

    @rule()
    def drop(self) -> None:
        self.world.drop()

    @rule(which=st.integers(0, 10_000))
    def repeat(self, which: int) -> None:
        self.world.repeat(which)

    @rule()
    def commit(self) -> None:
        self.world.commit()

    @rule(count=st.integers(1, 3))
    def ack(self, count: int) -> None:
        for _ in range(count):
            self.world.ack()

    @rule()
    def lose_ack(self) -> None:
        self.world.lose_ack()

    @rule()
    def reconnect(self) -> None:
        self.world.reconnect()

    @rule()
    def crash_stream(self) -> None:
        self.world.crash_stream()

    @rule()
    def crash_node(self) -> None:
        self.world.crash_node()

    @rule()
    def describe_anew(self) -> None:
        self.world.describe_anew()

    @rule()
    def lack_space(self) -> None:
        self.world.lack_space()

    @rule()
    def back_up(self) -> None:
        self.world.back_up()

    @rule()
    def restore(self) -> None:
        self.world.restore()

    @rule()
    def lose_spool(self) -> None:
        self.world.lose_spool()

    def teardown(self) -> None:
        if hasattr(self, "world"):
            self.world.settle()
            self.world.verify()


TestHostileNetwork = HostileNetwork.TestCase
TestHostileNetwork.settings = settings(
    max_examples=150,
    stateful_step_count=80,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)

SCHEDULES = int(os.environ.get("CITYNERVE_PROTOCOL_SCHEDULES", "1500"))


def run_schedule(world: World, rng: Random, *, new_spools: bool, images: bool) -> None:
    usual = [world.make] * 4 + [world.hello] * 2 + [world.send] * 8 + [world.deliver] * 8
    usual += [world.ack, world.ack, world.commit]
    faults = [world.drop, world.crash_stream, world.lack_space, world.reconnect, world.lose_ack]
    faults += [lambda: world.repeat(rng.randrange(10_000)), lambda: world.pass_time(20_000)]
    if rng.random() < 0.5:
        faults += [world.crash_node]
    if rng.random() < 0.3:
        faults += [world.describe_anew]
    rare = ([world.lose_spool] if new_spools else []) + ([world.restore] if images else [])
    faults += [world.back_up] if images else []
    for _ in range(200):
        world.pass_time(200)
        if rare and rng.random() < 0.01:
            rng.choice(rare)()
        rng.choice(usual + faults)()
    world.settle()
    world.verify()


@pytest.mark.parametrize("new_spools", [False, True])
@pytest.mark.parametrize("images", [False, True])
def test_random_schedules_lose_and_double_nothing(*, new_spools: bool, images: bool) -> None:
    for seed in range(SCHEDULES // 4):
        rng = Random(seed)
        run_schedule(World(MemoryStore(), rng), rng, new_spools=new_spools, images=images)


class SpoolStore(Spool):
    """The real spool, one reading a batch; its given-up batches are known by what was held."""

    folder: Path
    number: int
    given: set[int]

    @classmethod
    def at(cls, folder: Path, number: int) -> Self:
        path = folder / f"{number}.db"
        store = cls.open(path, node="n", max_bytes=1 << 30)
        store.folder, store.number, store.given = folder, number, set()
        return store

    def add(self, payload: int) -> None:
        self.append([Sealed(str(payload).encode(), {}, {("s", "p"): 1})])

    def payload(self, batch: int) -> int:
        body = self.body(batch)
        assert body is not None
        return int(body)

    def held(self) -> list[int]:
        return [self.payload(batch) for batch in range(self.first, self.last + 1)]

    def discard_oldest(self) -> int:
        payload = self.payload(self.first)
        assert self.give_up(self.first) == 1
        return payload

    def open_term(self, opening: object) -> int:
        before, count = self.held(), self.given_up
        base = super().open_term(opening)  # type: ignore[arg-type]
        lost = self.given_up - count
        gone = [payload for payload in before if payload not in self.held()]
        # What is committed goes first, what is given up after it.
        self.given |= set(gone[len(gone) - lost :])
        return base

    def given_up_payloads(self) -> set[int]:
        return self.given

    def crashed(self) -> Self:
        self.close()
        after = type(self).at(self.folder, self.number)
        after.given = self.given
        return after

    def image(self) -> Self:
        number = 1 + max(int(path.stem) for path in self.folder.glob("*.db"))
        with (
            sqlite3.connect(self.folder / f"{self.number}.db") as source,
            sqlite3.connect(self.folder / f"{number}.db") as target,
        ):
            source.backup(target)
        source.close()
        target.close()
        return type(self).at(self.folder, number)


@pytest.mark.parametrize("seed", range(8))
def test_the_real_spool_loses_and_doubles_nothing(seed: int, tmp_path: Path) -> None:
    rng = Random(seed)
    world = World(SpoolStore.at(tmp_path, 0), rng)
    run_schedule(world, rng, new_spools=seed % 2 == 0, images=seed % 4 < 2)
