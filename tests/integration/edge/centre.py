"""A small centre for the edge's tests: the stream's own admission, and commits to a real file.

As in the stream, acknowledgements leave only after the commit, and what was not committed is
forgotten when the centre is killed.
"""

import contextlib
import sqlite3
import threading
import time
from collections import Counter
from pathlib import Path
from queue import Empty

from citynerve import codec
from citynerve.messages import About, Ack, Batch, Hello, Status
from citynerve.mqtt import Link, MqttConfig
from citynerve.topics import SHARDS, Topics
from stream.lane.admission import NodeTerm, Verdict

Row = tuple[str, str, str, int, float, int]
"""Node, sensor, property, time, value, 1 if late."""


class Centre:
    def __init__(
        self,
        url: str,
        folder: Path,
        *,
        store: str = "store-a",
        commit_s: float = 0.2,
        credit: int = 65536,
        retry: int = 1_000,
    ) -> None:
        self.store = store
        self._config = MqttConfig(url=url)
        self._topics = Topics()
        self._path = folder / f"{store}.db"
        self._commit_s = commit_s
        self._credit = credit
        self._retry = retry
        self.start_number = 0
        self.abouts: dict[str, About] = {}
        self.statuses: dict[str, Status] = {}
        self.verdicts: Counter[Verdict] = Counter()
        self.batches: list[Batch] = []
        self.undeclared: Counter[tuple[str, str]] = Counter()
        self.sizes: list[int] = []
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        with contextlib.closing(sqlite3.connect(self._path)) as db:
            db.executescript(
                "PRAGMA journal_mode=WAL; CREATE TABLE IF NOT EXISTS reading "
                "(node, sensor, property, t INTEGER, v REAL, late INTEGER);"
                "CREATE TABLE IF NOT EXISTS term (node PRIMARY KEY, term, committed, prev, prev_c);"
            )
        self.start_number += 1
        self._stopping.clear()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def kill(self) -> None:
        """End without a commit: what was taken since the last one is forgotten."""
        self._stopping.set()
        assert self._thread is not None
        self._thread.join()

    def rows(self) -> list[Row]:
        """All that is committed, in the order of admission."""
        with contextlib.closing(sqlite3.connect(self._path)) as db:
            return list(
                db.execute("SELECT node, sensor, property, t, v, late FROM reading ORDER BY rowid")
            )

    def count(self) -> int:
        """How many rows are committed."""
        with contextlib.closing(sqlite3.connect(self._path)) as db:
            return int(next(db.execute("SELECT count(*) FROM reading"))[0])

    def _run(self) -> None:
        db = sqlite3.connect(self._path, isolation_level=None)
        terms = {row[0]: NodeTerm(*row[1:]) for row in db.execute("SELECT * FROM term")}
        filters = [(self._topics.obs_filter(shard), 1) for shard in SHARDS]
        link = Link(
            self._config,
            client_id=f"centre-{self.store}",
            subscriptions=[*filters, (self._topics.status_filter(), 1)],
        )
        link.start()
        # As the stream does: the whole table again after a start.
        dirty = set(terms)
        db.execute("BEGIN")
        commit_at = time.monotonic() + self._commit_s
        while not self._stopping.is_set():
            try:
                message = link.messages.get(timeout=0.01)
            except Empty:
                pass
            else:
                if message.topic.startswith("city/v1/status/"):
                    status = codec.decode(message.payload, Status)
                    self.statuses[status.node] = status
                else:
                    self.sizes.append(len(message.payload))
                    dirty.add(self._take(codec.decode_observation(message.payload), terms, db))
            if time.monotonic() >= commit_at and link.connected:
                commit_at = time.monotonic() + self._commit_s
                self._commit(dirty, terms, db, link)
        db.execute("ROLLBACK")
        db.close()
        link.stop()

    def _take(
        self, message: Batch | Hello, terms: dict[str, NodeTerm], db: sqlite3.Connection
    ) -> str:
        state = terms.setdefault(message.node, NodeTerm())
        if isinstance(message, Hello):
            state.hello(message.term)
            self.abouts[message.node] = message.about
            return message.node
        verdict = state.batch(message.term, message.seq, message.oldest)
        self.verdicts[verdict] += 1
        if verdict is Verdict.ADMITTED:
            self.batches.append(message)
            declared = {
                (sensor.name, prop.name)
                for sensor in self.abouts[message.node].sensors
                for prop in sensor.properties
            }
            for column in message.obs:
                if (column.s, column.p) not in declared:
                    self.undeclared[column.s, column.p] += 1
                db.executemany(
                    "INSERT INTO reading VALUES (?, ?, ?, ?, ?, ?)",
                    [
                        (message.node, column.s, column.p, t, v, int(column.late))
                        for t, v in zip(column.t, column.v, strict=True)
                    ],
                )
        return message.node

    def _commit(
        self, dirty: set[str], terms: dict[str, NodeTerm], db: sqlite3.Connection, link: Link
    ) -> None:
        for node in dirty:
            one = terms[node]
            db.execute(
                "INSERT OR REPLACE INTO term VALUES (?, ?, ?, ?, ?)",
                (node, one.term, one.committed, one.prev_term, one.prev_committed),
            )
        db.execute("COMMIT")
        db.execute("BEGIN")
        for node in dirty:
            one = terms[node]
            ack = Ack(
                one.term,
                one.committed,
                one.prev_term,
                one.prev_committed,
                self._credit,
                self._retry,
                self.store,
                self.start_number,
            )
            link.publish(self._topics.ack(node), codec.encode(ack))
        dirty.clear()
