"""How a node is, in one struct: the worst of what its parts report."""

from collections.abc import Sequence
from typing import Literal

from citynerve.messages import Health
from edge.intake import Intake
from edge.link import NodeLink
from edge.spool import Spool


def examine(
    intakes: Sequence[Intake], spool: Spool, link: NodeLink, *, observations: int, done: bool
) -> Health:
    """The health of a node now.

    Args:
        intakes: Its inputs.
        spool: Its spool.
        link: Its connection.
        observations: Spooled since the process started.
        done: All inputs have ended and all is committed.
    """
    totals = [intake.totals() for intake in intakes]
    failing = _failing(intakes, spool, link)
    degraded = _degraded(intakes, spool)
    state: Literal["ok", "degraded", "failing"] = "ok"
    if failing or degraded:
        state = "failing" if failing else "degraded"
    return Health(
        state=state,
        problems=(*failing, *degraded),
        spool_batches=spool.batches,
        spool_bytes=spool.bytes,
        sent_batches=link.sent,
        resent_batches=link.resent,
        observations=observations,
        repeated=sum(one.repeated for one in totals),
        late=sum(one.late for one in totals),
        given_up=spool.given_up,
        dropped=spool.dropped + sum(intake.dropped for intake in intakes),
        reconnects=link.reconnects,
        done=done,
    )


def _failing(intakes: Sequence[Intake], spool: Spool, link: NodeLink) -> list[str]:
    found = [f"{one.name}: {one.failure}" for one in intakes if one.failure is not None]
    if spool.full:
        found.append("the spool's disk is full: inputs that can wait wait, the oldest is given up")
    return found + link.problems()


def _degraded(intakes: Sequence[Intake], spool: Spool) -> list[str]:
    found = [f"{one.name}: {problem}" for one in intakes for problem in one.problems]
    found += [
        f"{one.name}: more readings than memory within their lateness: sorted less far"
        for one in intakes
        if one.squeezed
    ]
    found += [
        f"{one.name}: held up the node for {one.blocked_s:.0f} s: its driver must not wait"
        for one in intakes
        if one.blocked_s
    ]
    if spool.set_aside is not None:
        found.append(f"the spool was damaged and set aside as {spool.set_aside.name}")
    given_up = spool.given_up - spool.given_up_before
    if given_up:
        found.append(f"{given_up} batches were given up for lack of space since the start")
    return found
