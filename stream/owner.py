"""Which stream runs: a retained claim on MQTT fences off all others, across machines.

The lock on a store keeps a second process of the same machine away. Beyond that, the claim decides:

- another store's stream is online: whoever comes later is refused;
- the same store's stream with a later start is online: the older one ends;
- the last will of one that died says that nobody is online: whoever runs claims anew.
"""

import threading
import time
from collections.abc import Callable
from enum import Enum
from queue import Empty
from typing import Final

from msgspec import structs

from citynerve import log
from citynerve.codec import decode, encode
from citynerve.errors import ProtocolError, RefusedError
from citynerve.messages import Owner as Claim
from citynerve.mqtt import Link, Message, MqttConfig, Will
from citynerve.topics import Topics
from citynerve.version import VERSION

_RETAINED: Final = 1.0
"""Seconds in which a retained claim arrives after subscribing, if there is one."""
_SETTLE: Final = 0.3
_POLL: Final = 0.1
_GOODBYE: Final = 1.0

_log = log.get("owner")


class Verdict(Enum):
    """What a claim that was heard means for one's own."""

    FREE = "nobody else is online"
    MINE = "our own claim"
    FOREIGN = "another store's stream is online"
    OLDER = "an older start of our store is online"
    NEWER = "a newer start of our store is online"


def judge(mine: Claim, heard: Claim) -> Verdict:
    """Compare a claim with one's own."""
    if not heard.online:
        return Verdict.FREE
    if heard.store != mine.store:
        return Verdict.FOREIGN
    if heard.start == mine.start:
        return Verdict.MINE
    return Verdict.OLDER if heard.start < mine.start else Verdict.NEWER


def link(config: MqttConfig, store: str, start: int) -> Link:
    """The stream's outgoing connection, whose last will gives the claim up."""
    topics = Topics(config.root)
    will = Claim(store=store, start=start, online=False, version=VERSION)
    return Link(
        config,
        client_id=f"citynerve-stream-{store}-out",
        subscriptions=[(topics.owner(), 1)],
        will=Will(topics.owner(), encode(will)),
    )


class Owner:
    """Our claim, kept up by a thread.

    Args:
        connection: Made by :func:`link`, and connected.
        claim: What to claim.
        on_lost: Told in the thread that another stream runs in our place.
    """

    def __init__(
        self, connection: Link, claim: Claim, on_lost: Callable[[RefusedError], None]
    ) -> None:
        self._link = connection
        self._topic = Topics(connection.config.root).owner()
        self._claim = claim
        self._on_lost = on_lost
        self._connects = connection.counters.connects
        self._claim_due: float | None = None
        self._released = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="owner", daemon=True)

    def claim(self, *, take_over: bool = False) -> Claim:
        """Claim, unless another stream runs.

        Args:
            take_over: Also over a claim of one that is gone without a trace, since its broker died
                with it. One that lives claims anew at once, and stays.

        Returns:
            Our claim; its start is raised above a claim of our own store that was taken over.

        Raises:
            RefusedError: Another stream runs.
        """
        heard = self._hear(_RETAINED)
        if heard is not None:
            verdict = judge(self._claim, heard)
            # A copy of our store counts as we do: an equal start is another's, too.
            taken = verdict in (Verdict.FOREIGN, Verdict.NEWER, Verdict.MINE)
            if taken and not take_over:
                raise _refused(heard)
            if taken and heard.store == self._claim.store:
                self._claim = structs.replace(self._claim, start=heard.start + 1)
        self._publish()
        self._settle()
        self._thread.start()
        return self._claim

    def release(self) -> None:
        """Give the claim up, and see that the broker knows; one that was lost is another's."""
        if self._released.is_set():
            return
        self._released.set()
        claim = structs.replace(self._claim, online=False)
        info = self._link.publish(self._topic, encode(claim), retain=True)
        if info is not None:
            try:
                info.wait_for_publish(_GOODBYE)
            except RuntimeError:
                # The connection went in this moment: the last will says the same.
                _log.info("no connection to say goodbye on")

    def _settle(self) -> None:
        deadline = time.monotonic() + _SETTLE
        while (left := deadline - time.monotonic()) > 0:
            heard = self._hear(left)
            if heard is not None and judge(self._claim, heard) in (Verdict.FOREIGN, Verdict.NEWER):
                self._released.set()
                raise _refused(heard)

    def _publish(self) -> None:
        self._claim_due = None
        self._link.publish(self._topic, encode(self._claim), retain=True)

    def _hear(self, wait: float) -> Claim | None:
        """The next claim, or None after ``wait`` seconds; what is none is as good as nobody."""
        try:
            message: Message = self._link.messages.get(timeout=wait)
        except Empty:
            return None
        try:
            return decode(message.payload, Claim)
        except ProtocolError as error:
            _log.warning("not a claim", problem=str(error))
            return structs.replace(self._claim, online=False)

    def _watch(self) -> None:
        while not self._released.is_set():
            connects = self._link.counters.connects
            if connects != self._connects:
                # The broker may know of a claim made meanwhile, or of none at all.
                self._connects = connects
                self._claim_due = time.monotonic() + _RETAINED
            heard = self._hear(_POLL)
            if self._released.is_set():
                return
            if heard is not None:
                self._react(heard)
            elif self._claim_due is not None and time.monotonic() >= self._claim_due:
                self._publish()

    def _react(self, heard: Claim) -> None:
        verdict = judge(self._claim, heard)
        away = self._claim_due is not None
        if verdict is Verdict.NEWER or (verdict is Verdict.FOREIGN and away):
            self._released.set()
            self._on_lost(_refused(heard))
        elif verdict is Verdict.MINE:
            self._claim_due = None
        else:
            _log.warning("claiming anew", because=verdict.value, store=heard.store)
            self._publish()


def _refused(holder: Claim) -> RefusedError:
    return RefusedError(
        "the claim to this broker's nodes (stream/owner)",
        holder=f"the stream of store {holder.store}, start {holder.start}",
        fix="stop that stream; if it is gone for good, start this one with --take-over",
    )
