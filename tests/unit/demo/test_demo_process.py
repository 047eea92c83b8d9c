"""Real processes: what is promised is about them."""

import os
import signal
import sys
import time
from pathlib import Path

import pytest

from citynerve.demo.process import Process, free_port, listens
from citynerve.errors import UnavailableError

DEADLINE = 20.0
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True)"


def python(code: str, log: Path, name: str = "child") -> Process:
    return Process(name, [sys.executable, "-c", code], log=log)


def exists(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_for(condition: object, what: str) -> None:
    deadline = time.monotonic() + DEADLINE
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


def test_a_process_ends_when_asked(tmp_path: Path) -> None:
    process = python("import time; time.sleep(60)", tmp_path / "log")
    assert process.poll() is None
    assert process.stop(DEADLINE) == -signal.SIGTERM
    assert not exists(process.pid)


def test_one_that_does_not_want_to_is_killed(tmp_path: Path) -> None:
    process = python(f"{STUBBORN}; import time; time.sleep(60)", tmp_path / "log")
    process.wait_ready(lambda: "up" in process.tail(), DEADLINE)
    assert process.stop(0.2) == -signal.SIGKILL


def test_what_it_used_is_known_after_its_end(tmp_path: Path) -> None:
    code = (
        "import time; held = bytearray(b'x' * 80_000_000); print('up', flush=True)\n"
        "while time.process_time() < 0.3: pass\n"
        "time.sleep(60)"
    )
    process = python(code, tmp_path / "log")
    wait_for(lambda: process.usage().cpu >= 0.25, "no CPU seconds")
    process.stop()
    assert 80e6 < process.usage().memory < 200e6
    assert 0.25 <= process.usage().cpu < 5


def test_one_that_ends_too_early_is_explained_by_its_last_words(tmp_path: Path) -> None:
    process = python("import sys; sys.exit('no such thing')", tmp_path / "log")
    with pytest.raises(UnavailableError, match="no such thing"):
        process.wait_ready(lambda: False, DEADLINE)


def test_one_that_is_never_ready_is_ended(tmp_path: Path) -> None:
    process = python("import time; time.sleep(60)", tmp_path / "log")
    with pytest.raises(UnavailableError, match="not ready"):
        process.wait_ready(lambda: False, 0.1)
    assert process.poll() == -signal.SIGKILL


def test_children_die_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from citynerve.demo.process import Process\n"
        "child = Process('child', [sys.executable, '-c', 'import time; time.sleep(60)'],"
        f" log=Path({str(tmp_path / 'inner')!r}))\n"
        "print('child', child.pid, flush=True); time.sleep(60)"
    )
    parent = python(code, tmp_path / "log", "parent")
    parent.wait_ready(lambda: parent.tail().startswith("child "), DEADLINE)
    child = int(parent.tail().split()[1])
    assert exists(child)
    os.kill(parent.pid, signal.SIGKILL)
    wait_for(lambda: not exists(child), "the child lives on")
    parent.wait(DEADLINE)


def test_a_free_port_is_free() -> None:
    assert not listens(free_port())
