"""What a city does to the chain: disks fill up, files rot, images are cloned, streams doubled."""

import shutil
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from benchmarks.chaos.chain import Chain, Plan
from benchmarks.chaos.faults import Fault, Strike
from benchmarks.chaos.process import Managed
from benchmarks.chaos.proxy import Cut, Switchboard
from benchmarks.chaos.run import close, play, wait_until
from benchmarks.chaos.truth import Verdict, judge
from citynerve.codec import decode
from citynerve.messages import Owner, Status
from citynerve.mqtt import Link, MqttConfig
from citynerve.topics import Topics
from tests.waiting import PATIENCE_S

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(600)]

MINUTE = 60_000
USER_ERROR = 2
TOPICS = Topics()


@contextmanager
def chain_of(folder: Path, plan: Plan) -> Iterator[Chain]:
    with Switchboard() as board, Chain(folder, plan, board) as chain:
        yield chain


def wait_for(condition: Callable[[], bool], what: str, patience: float = PATIENCE_S) -> None:
    assert wait_until(condition, time.monotonic() + patience), f"in vain for {patience} s: {what}"


def finish(chain: Chain, nodes: Sequence[Managed] | None = None) -> Verdict:
    """Wait until the nodes are done, and hold the database against the script."""
    nodes = chain.nodes if nodes is None else nodes

    def done() -> bool:
        chain.watch()
        return all(node.exit_code == 0 for node in nodes)

    wait_for(done, "nodes done:\n" + "\n".join(node.tail(10) for node in nodes))
    verdict = judge(close(chain), chain.plan.scripts())
    assert chain.defects == []
    return verdict


class Listener:
    """The newest retained message of each topic, and the one before it."""

    def __init__(self, port: int) -> None:
        self.newest: dict[str, bytes] = {}
        self.before: dict[str, bytes] = {}
        self.complaints: set[str] = set()
        config = MqttConfig(url=f"mqtt://127.0.0.1:{port}")
        self._link = Link(config, client_id="listener", subscriptions=[(TOPICS.everything(), 1)])
        self._link.start()
        self._link.wait_connected(PATIENCE_S)

    def close(self) -> None:
        self._link.stop()

    def problems(self, node: str) -> str:
        self._read()
        payload = self.newest.get(TOPICS.status(node))
        health = decode(payload, Status).health if payload else None
        return "; ".join(health.problems) if health else ""

    def is_held_back(self, node: str) -> bool:
        """Whether the disk is full and, between two reports, no reading was taken."""
        full = "full" in self.problems(node)
        topic = TOPICS.status(node)
        reports = [decode(m[topic], Status) for m in (self.before, self.newest) if topic in m]
        taken = [report.health.observations for report in reports if report.health]
        return full and len(taken) > 1 and taken[0] == taken[1] > 0

    def owner(self) -> Owner | None:
        self._read()
        payload = self.newest.get(TOPICS.owner())
        return decode(payload, Owner) if payload else None

    def has_heard(self, complaint: str) -> bool:
        """Whether any node ever complained so; of two with one name, the other may speak next."""
        self._read()
        return any(complaint in said for said in self.complaints)

    def _read(self) -> None:
        while not self._link.messages.empty():
            message = self._link.messages.get()
            if message.topic in self.newest:
                self.before[message.topic] = self.newest[message.topic]
            self.newest[message.topic] = message.payload
            if message.topic.startswith(f"{TOPICS.root}/status/"):
                health = decode(message.payload, Status).health
                self.complaints |= set(health.problems if health else ())


@contextmanager
def listening(chain: Chain) -> Iterator[Listener]:
    listener = Listener(chain.broker.port)
    try:
        yield listener
    finally:
        listener.close()


def committed(chain: Chain, index: int) -> bool:
    """Whether the node's spool says that batches were made and have been committed."""
    spool = chain.folder / f"chaos-{index}.spool"
    try:
        with sqlite3.connect(f"file:{spool}?mode=ro", uri=True) as file:
            made = file.execute("SELECT ifnull(max(seq), 0) FROM sqlite_sequence").fetchone()[0]
            (held,) = file.execute("SELECT count(*) FROM batch").fetchone()
    except sqlite3.Error:
        return False
    finally:
        if "file" in locals():
            file.close()
    return bool(made > held)


@pytest.mark.parametrize("strike", [Strike.BROKER_LOST, Strike.INFLUX], ids=str)
def test_a_server_is_gone_for_a_while(tmp_path: Path, strike: Strike) -> None:
    plan = Plan(seed=11, nodes=2, span=40 * MINUTE, pace=200)
    run = play(tmp_path, plan, [Fault(at=3, strike=strike, pause=15)], patience=PATIENCE_S)
    assert run.defects == []
    assert run.struck == {str(strike): 1}
    assert judge(run.dump, plan.scripts()).problems == []


def test_a_link_is_stalled_for_longer_than_any_answer_takes(tmp_path: Path) -> None:
    plan = Plan(seed=12, nodes=2, span=40 * MINUTE, pace=200)
    stall = Fault(at=3, strike=Strike.LINK_INFLUX, pause=15, cut=Cut.STALL)
    run = play(tmp_path, plan, [stall], patience=PATIENCE_S)
    assert run.defects == []
    assert judge(run.dump, plan.scripts()).problems == []


def test_requests_that_arrive_late_put_nothing_back(tmp_path: Path) -> None:
    plan = Plan(seed=19, nodes=4, span=40 * MINUTE, pace=150)
    faults = [
        Fault(at=3 + 2.2 * i, strike=Strike.LINK_INFLUX, pause=2, cut=Cut.DELAY) for i in range(5)
    ]
    run = play(tmp_path, plan, faults, patience=PATIENCE_S)
    assert run.defects == []
    assert run.struck == {"cut stream-InfluxDB (delay)": 5}
    assert judge(run.dump, plan.scripts()).problems == []


def in_a_small_file_system(folder: Path, kilobytes: int) -> list[str]:
    """A prefix that runs a command with a small disk of its own; skips where that cannot be."""
    folder.mkdir()
    mount = f'mount -t tmpfs -o size={kilobytes}k tmpfs "$0" && exec "$@"'
    prefix = ["unshare", "--map-root-user", "--mount", "sh", "-c", mount, str(folder)]
    if shutil.which("unshare") is None:
        pytest.skip("no unshare(1) to give a process a disk of its own")
    tried = subprocess.run([*prefix, "true"], capture_output=True, text=True, check=False)
    if tried.returncode != 0:
        pytest.skip(f"no mounts in user namespaces here: {tried.stderr.strip()}")
    return prefix


def test_a_full_disk_under_the_spool_holds_the_input_back(tmp_path: Path) -> None:
    plan = Plan(seed=13, nodes=2, span=1000 * MINUTE, pace=5000)
    with chain_of(tmp_path, plan) as chain:
        prefix = in_a_small_file_system(tmp_path / "small", 4_400)
        full = chain.make_node(0, spool="small/node.spool", prefix=prefix)
        chain.nodes[0] = full
        chain.start_server(chain.broker)
        chain.start_server(chain.influx)
        for node in chain.nodes:
            node.start()
        with listening(chain) as listener:
            wait_for(lambda: listener.is_held_back("chaos-0"), "the input to be held back")
        assert full.alive
        chain.stream.start()
        verdict = finish(chain)
    # It could wait, so nothing had to be given up.
    assert verdict.problems == []


@pytest.mark.parametrize("damage", ["middle", "header", "cut"])
def test_a_corrupt_spool_is_set_aside_and_nothing_counts_twice(tmp_path: Path, damage: str) -> None:
    plan = Plan(seed=14, nodes=2, span=40 * MINUTE, pace=300)
    with chain_of(tmp_path, plan) as chain:
        chain.start()
        wait_for(lambda: committed(chain, 0), "a first commit")
        node = chain.nodes[0]
        assert node.kill()
        spool = tmp_path / "chaos-0.spool"
        spoil(spool, damage)
        node.start()
        with listening(chain) as listener:
            wait_for(lambda: "set aside" in listener.problems("chaos-0"), "the report")
        verdict = finish(chain)
        assert list(tmp_path.glob("chaos-0.spool.damaged-*"))
    # The input can be read again from its start; the stream knows what it has.
    assert (verdict.lost, verdict.doubled, verdict.unexpected) == (0, 0, 0)


def spoil(spool: Path, damage: str) -> None:
    # What stands in the log alone would hide the damage to the file.
    with sqlite3.connect(spool) as file:
        file.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    file.close()
    content = bytearray(spool.read_bytes())
    assert len(content) > 3 * 4096
    if damage == "middle":
        content[4096:] = b"\xa5" * (len(content) - 4096)
    elif damage == "header":
        content[:100] = b"\x00" * 100
    else:
        del content[len(content) // 2 :]
    spool.write_bytes(content)


def test_a_cloned_node_is_reported_and_nothing_counts_twice(tmp_path: Path) -> None:
    # Slow enough that input is left when the first commit has come and both run.
    plan = Plan(seed=15, nodes=2, span=40 * MINUTE, pace=80)
    with chain_of(tmp_path, plan) as chain:
        chain.start()
        wait_for(lambda: committed(chain, 0), "a first commit")
        node = chain.nodes[0]
        assert node.kill()
        for part in tmp_path.glob("chaos-0.spool*"):
            if part.suffix not in (".toml", ".log", ".lock"):
                shutil.copy(part, part.with_name(part.name.replace("chaos-0", "clone")))
        clone = chain.make_node(0, spool="clone.spool")
        with listening(chain) as listener:
            node.start()
            clone.start()
            wait_for(lambda: listener.has_heard("another node"), "the report")
            wait_for(lambda: 0 in (node.exit_code, clone.exit_code), "one of the two to be done")
        winner, loser = (node, clone) if node.exit_code == 0 else (clone, node)
        assert loser.exit_code is None
        loser.kill()
        verdict = finish(chain, [winner, chain.nodes[1]])
    assert (verdict.doubled, verdict.unexpected) == (0, 0)


def test_a_second_stream_on_the_same_store_is_refused(tmp_path: Path) -> None:
    plan = Plan(seed=16, nodes=2, span=40 * MINUTE, pace=400)
    with chain_of(tmp_path, plan) as chain:
        chain.start()
        wait_for(lambda: committed(chain, 0), "a first commit")
        second = chain.make_stream("stream")
        second.start()
        assert second.wait(PATIENCE_S) == USER_ERROR
        assert "held by" in second.tail()
        assert "Traceback" not in second.tail(200)
        assert finish(chain).problems == []


def test_a_stream_with_another_store_is_refused_by_the_claim(tmp_path: Path) -> None:
    plan = Plan(seed=17, nodes=2, span=40 * MINUTE, pace=400)
    with chain_of(tmp_path, plan) as chain:
        chain.start()
        wait_for(lambda: committed(chain, 0), "a first commit")
        with listening(chain) as listener:
            wait_for(lambda: listener.owner() is not None, "the claim")
            before = listener.owner()
            second = chain.make_stream("other")
            second.start()
            assert second.wait(PATIENCE_S) == USER_ERROR
            assert "held by" in second.tail()
            assert "Traceback" not in second.tail(200)
            assert listener.owner() == before
        assert finish(chain).problems == []


def test_a_stream_with_another_store_is_refused_by_the_nodes(tmp_path: Path) -> None:
    """Where the broker has forgotten the claim, the nodes still know whose they are."""
    plan = Plan(seed=18, nodes=2, span=40 * MINUTE, pace=100)
    with chain_of(tmp_path, plan) as chain:
        chain.start()
        wait_for(lambda: committed(chain, 0) and committed(chain, 1), "a first commit of each")
        assert chain.stream.kill()
        chain.kill_server(chain.broker)
        oldest = [oldest_held(chain, index) for index in range(plan.nodes)]
        chain.broker.forget()
        chain.start_server(chain.broker)
        other = chain.make_stream("other")
        other.start()
        with listening(chain) as listener:
            wait_for(lambda: "not bound to" in listener.problems("chaos-0"), "the first's report")
            wait_for(lambda: "not bound to" in listener.problems("chaos-1"), "the other's report")
        assert [oldest_held(chain, index) for index in range(plan.nodes)] == oldest
        other.kill()
        chain.kill_server(chain.broker)
        chain.broker.forget()
        chain.start_server(chain.broker)
        chain.stream.start()
        verdict = finish(chain)
    assert (verdict.lost, verdict.doubled, verdict.unexpected) == (0, 0, 0)


def oldest_held(chain: Chain, index: int) -> int:
    """The id of the oldest batch that the node's spool holds, or would hold next."""
    spool = chain.folder / f"chaos-{index}.spool"
    file = sqlite3.connect(f"file:{spool}?mode=ro", uri=True)
    try:
        (oldest,) = file.execute(
            "SELECT ifnull((SELECT min(id) FROM batch), max(seq) + 1) FROM sqlite_sequence"
        ).fetchone()
    finally:
        file.close()
    return int(oldest)
