"""The benchmark's score is the one of the published scorer; the detector's rows are causal."""

import json
import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks.nab import score, write
from benchmarks.nab_corpus import File, best, gained, normal, read, read_labelled, variants, worth


@pytest.fixture
def corpus(samples: Path) -> Path:
    found = samples / "nab"
    if not (found / "score.py").exists():
        pytest.skip(f"no NAB in {found}")
    return found


def test_a_window_is_worth_what_the_paper_says() -> None:
    values = np.zeros(100)
    file = File("x", [], np.arange(100), values, ((50, 59),))
    one = worth(file)
    assert (one.skip, one.hittable, one.windows) == (15, 1, 1)
    first = np.zeros(100)
    first[50] = 1
    assert normal([one], [gained(one, first, 0.5)]) == pytest.approx(100)
    late = np.zeros(100)
    late[55] = 1
    # Half of the window is left: x = -(59 - 55 + 1) / 10.
    expected = (2 / (1 + math.exp(-2.5)) - 1) / (2 / (1 + math.exp(-5)) - 1)
    assert gained(one, late, 0.5) == pytest.approx(1 + expected)
    wrong = np.zeros(100)
    wrong[[5, 30]] = 1  # in probation, and before any window
    assert gained(one, wrong, 0.5) == pytest.approx(-0.11)


def test_it_is_the_published_scorer_s(corpus: Path, tmp_path: Path) -> None:
    names = (corpus / "files.txt").read_text(encoding="utf-8").split()[::5]
    listed = tmp_path / "files.txt"
    listed.write_text("\n".join(names), encoding="utf-8")
    files = read_labelled(corpus, listed)
    draw = np.random.default_rng(3)
    scores = [np.round(draw.random(len(f.values)) ** 40, 1) for f in files]
    for file, one in zip(files, scores, strict=True):
        write(tmp_path / "out" / file.name, file, one)
    told = subprocess.run(
        [
            sys.executable,
            corpus / "score.py",
            tmp_path / "out",
            "--corpus",
            corpus,
            "--files",
            listed,
        ],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    mine, threshold = best([worth(f) for f in files], scores)
    assert told[0] == "standard"
    assert mine == pytest.approx(float(told[1]), abs=0.006)
    assert threshold == pytest.approx(float(told[3]), abs=1e-5)


def test_scores_do_not_know_the_future(corpus: Path) -> None:
    name = json.loads(json.dumps((corpus / "files.txt").read_text(encoding="utf-8").split()))[3]
    file = read(corpus, name)
    cut = 2000
    changed = file.values.copy()
    changed[cut:] = changed[cut:][::-1] * 7 - 3
    one, other = score(file), score(file._replace(values=changed))
    assert one[:cut].tolist() == other[:cut].tolist()
    short = File(file.name, file.stamps[:cut], file.times[:cut], file.values[:cut])
    assert score(short).tolist() == one[:cut].tolist()


def test_variants_keep_windows_where_they_belong() -> None:
    values = np.arange(1000.0)
    file = File("x", ["s"] * 1000, np.arange(1000) * 1000, values, ((500, 599),))
    made = variants([file])
    for name, (one,) in made.items():
        ((first, last),) = one.windows
        assert len(one.times) == len(one.values) == len(one.stamps), name
        assert one.times[first] == pytest.approx(500_000, abs=2000), name
        assert one.times[last] == pytest.approx(599_000, abs=3000), name
