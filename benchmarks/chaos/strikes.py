"""Lets faults fall on a chain, takes them back, and counts those that struck."""

import heapq
import time
from collections import Counter
from collections.abc import Sequence
from typing import Final

from benchmarks.chaos.chain import Chain
from benchmarks.chaos.faults import Fault, Strike
from benchmarks.chaos.process import Managed
from benchmarks.chaos.proxy import Cut, Proxy
from citynerve.demo.servers import Server

_TRY_AGAIN_S: Final = 0.5
_KILLS_OF_SERVERS: Final = frozenset({Strike.BROKER_KEPT, Strike.BROKER_LOST, Strike.INFLUX})


class Strikes:
    """The faults of one run.

    A fault strikes when its process is alive, or its link has an open connection. One that meets
    nothing is tried again, at another node if that one has finished. ``struck`` counts by label;
    ``log`` has a line for each strike, with seconds since the start.
    """

    def __init__(self, chain: Chain, faults: Sequence[Fault]) -> None:
        self.struck: Counter[str] = Counter()
        self.log: list[str] = []
        self._chain = chain
        self._began = time.monotonic()
        self._waiting = [(fault.at, number, fault) for number, fault in enumerate(faults)]
        heapq.heapify(self._waiting)
        self._cuts: dict[str, tuple[Fault, Proxy]] = {}
        self._healing: list[tuple[float, int, Fault]] = []
        self._busy: set[str] = set()

    @property
    def over(self) -> bool:
        """Whether every fault has struck and been taken back."""
        return not (self._waiting or self._healing or self._cuts)

    @property
    def only_waiting(self) -> bool:
        """Whether nothing is broken now, though faults may still wait for something to strike."""
        return not (self._healing or self._busy)

    @property
    def unstruck(self) -> int:
        """Faults that have met nothing so far."""
        return len(self._waiting) + len(self._cuts)

    def turn(self) -> None:
        """Do what is due now; to be called every few milliseconds."""
        now = time.monotonic() - self._began
        if self._busy:
            self._chain.trouble()
        while self._healing and self._healing[0][0] <= now:
            self._heal(heapq.heappop(self._healing)[2])
        self._look_at_armed_cuts(now)
        while self._waiting and self._waiting[0][0] <= now:
            _, number, fault = heapq.heappop(self._waiting)
            if fault.target in self._busy or not self._strike(fault, now):
                other = self._elsewhere(fault)
                heapq.heappush(self._waiting, (now + _TRY_AGAIN_S, number, other))

    def _elsewhere(self, fault: Fault) -> Fault:
        nodes = self._chain.nodes
        if fault.node is None or nodes[fault.node].exit_code != 0:
            return fault
        left = [index for index, node in enumerate(nodes) if node.exit_code != 0]
        return fault if not left else fault.at_node(left[fault.node % len(left)])

    def _strike(self, fault: Fault, now: float) -> bool:
        if fault.cut is not None:
            return self._cut(fault, fault.cut, now)
        if fault.strike in _KILLS_OF_SERVERS:
            server = self._server(fault)
            hit = self._chain.kill_server(server)
            if fault.strike is Strike.BROKER_LOST:
                server.forget()
        else:
            hit = self._process(fault).kill()
        if hit:
            self._count(fault, now)
        return hit

    def _cut(self, fault: Fault, how: Cut, now: float) -> bool:
        if fault.node is not None and self._chain.nodes[fault.node].exit_code == 0:
            return False
        link = self._link(fault)
        self._busy.add(fault.target)
        if link.cut(how):
            self._count(fault, now)
        else:
            self._cuts[fault.target] = (fault, link)
        return True

    def _look_at_armed_cuts(self, now: float) -> None:
        for target, (fault, link) in list(self._cuts.items()):
            if link.struck:
                del self._cuts[target]
                self._count(fault, now)
            elif fault.node is not None and self._chain.nodes[fault.node].exit_code == 0:
                del self._cuts[target]
                link.heal()
                self._busy.discard(target)
                heapq.heappush(self._waiting, (now, id(fault), self._elsewhere(fault)))

    def _count(self, fault: Fault, now: float) -> None:
        self.struck[fault.label] += 1
        where = f" {fault.node}" if fault.node is not None else ""
        self.log.append(f"{now:7.2f}  {fault.label}{where}, for {fault.pause} s")
        self._busy.add(fault.target)
        self._chain.trouble()
        heapq.heappush(self._healing, (now + fault.pause, id(fault), fault))

    def _heal(self, fault: Fault) -> None:
        self._busy.discard(fault.target)
        if fault.cut is not None:
            self._link(fault).heal()
        elif fault.strike in _KILLS_OF_SERVERS:
            self._chain.start_server(self._server(fault))
        else:
            self._process(fault).start()

    def _server(self, fault: Fault) -> Server:
        return self._chain.influx if fault.strike is Strike.INFLUX else self._chain.broker

    def _process(self, fault: Fault) -> Managed:
        return self._chain.stream if fault.node is None else self._chain.nodes[fault.node]

    def _link(self, fault: Fault) -> Proxy:
        if fault.node is not None:
            return self._chain.node_links[fault.node]
        if fault.strike is Strike.LINK_INFLUX:
            return self._chain.influx_link
        return self._chain.stream_link
