"""What a replay tells people: before, meanwhile, and at the end."""

from collections.abc import Iterator

from simulators.recording.info import duration, moment
from simulators.recording.replay import Outcome, Replay

_SHOWN = 8


def before(replay: Replay) -> Iterator[str]:
    """What will be played, and what is wrong with the recording."""
    cast, extent = replay.cast, replay.extent
    batches = sum(part.batches for part in cast.parts)
    yield (
        f"{len(cast.parts)} nodes, {batches} batches, {moment(extent.begin)} to"
        f" {moment(extent.end)} ({duration(extent.span)}); observed {moment(extent.first)} to"
        f" {moment(extent.last)}"
    )
    if replay.resumed:
        yield f"goes on with the replay that was interrupted in {replay.folder.path}"
    for file in replay.files.files:
        if not file.closed:
            yield f"{file.path} is cut off: played up to its last whole chunk"
        if file.damaged:
            yield f"{file.path}: {file.damaged} damaged chunks are left out"
        for gap in file.gaps:
            lasted = duration(gap.end - gap.start)
            yield f"gap: nothing was heard from {moment(gap.start)} for {lasted}"
    missing = [(part.node, one) for part in cast.parts for one in part.missing]
    for node, one in missing[:_SHOWN]:
        yield f"gap: batches {one.first} to {one.last} of {node}'s term {one.term} are not recorded"
    if len(missing) > _SHOWN:
        yield f"gap: {len(missing) - _SHOWN} more such ranges; see citynerve simulate info"
    if cast.built:
        yield (
            f"{cast.built.total()} terms of {len(cast.built)} nodes began before the recording:"
            " units and places are concluded from the rest of it"
        )
    for reason, count in replay.survey.refused.items():
        yield f"left out: {count} messages that the stream refuses ({reason})"


def progress(replay: Replay, seconds: float) -> str:
    """One line."""
    figures = replay.figures()
    feeder = replay.feeder
    if feeder is None:
        return f"{seconds:6.0f} s  {figures.started} of {figures.nodes} nodes started"
    where = "read to the end" if feeder.exhausted else f"at {moment(feeder.position)}"
    turn = f", turn {feeder.turn + 1}" if feeder.turn else ""
    return (
        f"{seconds:6.0f} s  {where}{turn}, {figures.observations} observations,"
        f" {figures.unsent} batches wait for the stream,"
        f" {figures.connected} of {figures.nodes} nodes connected"
        f"{''.join(f'; {problem}' for problem in replay.problems[:1])}"
    )


def after(replay: Replay, outcome: Outcome, seconds: float) -> Iterator[str]:
    """What came of it."""
    yield (
        f"played {outcome.figures.observations} observations in {seconds:.1f} s;"
        f" {outcome.repeats} repeated batches and {outcome.superseded} that a later term has again"
        " were passed over"
    )
    if outcome.left_out:
        reasons = ", ".join(f"{count} {reason}" for reason, count in outcome.left_out.items())
        yield f"left out, since the stream had refused them: {reasons}"
    for node, failure in outcome.failures.items():
        yield f"{node} broke down: {failure}"
    if outcome.committed:
        yield "all of it is committed"
    else:
        yield (
            f"not all is committed: {outcome.figures.unsent} batches wait in {replay.folder.path};"
            " the same command goes on with them"
        )
