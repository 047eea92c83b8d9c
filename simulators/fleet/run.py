"""What a run of a simulated city is: fixed when it is begun, and found again in its folder."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import Struct, structs

from citynerve.clock import Clock
from citynerve.errors import ConfigError, UnavailableError

FILE: Final = "run.json"
NODES: Final = 100
SEED: Final = 1


class Wish(Struct, frozen=True, kw_only=True):
    """What the command line asks for; None: as it was begun, or the usual.

    ``nodes``, ``seed``: which city. ``start``: when live time starts, ms since 1970 UTC.
    ``history``: ms before it that are given at once. ``length``: ms that live time lasts.
    ``interval``: ms between two readings of live time. ``rate``: incidents drawn a day.
    ``suffix``: ends each node's id.
    """

    nodes: int | None = None
    seed: int | None = None
    start: int | None = None
    history: int | None = None
    length: int | None = None
    interval: int | None = None
    rate: float | None = None
    suffix: str | None = None


class Run(Struct, frozen=True, kw_only=True):
    """One run: as :class:`Wish`, settled, and when it was ``begun``, ms since 1970 UTC.

    What a run follows from stands here and in the nodes' configurations; the pace does not.
    """

    nodes: int
    seed: int
    start: int
    history: int
    length: int | None
    interval: int | None
    rate: float | None
    suffix: str = ""
    begun: int

    @property
    def end(self) -> int | None:
        """No reading is at or after it, ms since 1970 UTC; None: without end."""
        return None if self.length is None else self.start + self.length


def settle(folder: Path, wish: Wish, *, real_time: bool, until_done: bool, clock: Clock) -> Run:
    """Take up the run of a folder, or begin one there.

    Args:
        folder: The run's; made if missing.
        wish: What is asked for.
        real_time: Simulated time goes as the clock does, so it may start now.
        until_done: The run is to come to an end by itself.
        clock: The wall clock.

    Raises:
        ConfigError: What is asked for contradicts itself, or the run that stands there.
        UnavailableError: The folder cannot be read or written.
    """
    path = folder / FILE
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if path.exists():
            return _taken_up(msgspec.json.decode(path.read_bytes(), type=Run), wish, path)
        run = _begun(wish, real_time=real_time, until_done=until_done, now=clock())
        part = path.with_name(f".{FILE}.part")
        part.write_bytes(msgspec.json.format(msgspec.json.encode(run), indent=1) + b"\n")
        part.replace(path)
    except (OSError, msgspec.DecodeError) as error:
        raise UnavailableError(
            "run of a city",
            where=str(path),
            problem=str(error),
            fix="name a folder that can be written, or another one, with --dir",
        ) from error
    return run


def _taken_up(run: Run, wish: Wish, path: Path) -> Run:
    for name in structs.fields(Wish):
        asked, stands = getattr(wish, name.name), getattr(run, name.name)
        if asked is not None and asked != stands:
            raise ConfigError(
                f"another run was begun in this folder: its {name.name} is {_shown(stands)}",
                file=str(path),
                key=_OPTIONS[name.name],
                value=asked,
                fix="leave the option out to go on with that run, or name another folder",
            )
    return run


def _begun(wish: Wish, *, real_time: bool, until_done: bool, now: int) -> Run:
    start, length = wish.start, wish.length
    if start is None and not real_time:
        if length is None and not (until_done and wish.history):
            raise ConfigError(
                "simulated time that is faster than the clock has to start in the past",
                file="command line",
                key="--speed",
                fix="add --start, such as 2026-03-01T06:00:00Z; or --for, to end now",
            )
        start = now - (length or 0)
    if start is None:
        start = now
    if length is None and until_done:
        # Up to the present; a run that starts now has its history only.
        length = max(0, now - start)
        if not length and not wish.history:
            raise ConfigError(
                "the simulated city never ends, so it is never done",
                file="command line",
                key="--until-done",
                fix="add --for, such as 10m; or --history, or a --start in the past",
            )
    return Run(
        nodes=wish.nodes or NODES,
        seed=SEED if wish.seed is None else wish.seed,
        start=start,
        history=wish.history or 0,
        length=length,
        interval=wish.interval,
        rate=wish.rate,
        suffix=wish.suffix or "",
        begun=now,
    )


def _shown(value: Any) -> str:  # noqa: ANN401 - any field's
    if isinstance(value, int) and value > _LATER_THAN_ANY_SPAN:
        return datetime.fromtimestamp(value / 1000, UTC).isoformat()
    return "not set" if value is None else str(value)


_LATER_THAN_ANY_SPAN: Final = 10**11
_OPTIONS: Final = {
    "nodes": "--nodes",
    "seed": "--seed",
    "start": "--start",
    "history": "--history",
    "length": "--for",
    "interval": "--interval",
    "rate": "--rate",
    "suffix": "--suffix",
}
