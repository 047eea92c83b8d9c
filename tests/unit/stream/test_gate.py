"""Nothing leaves before its epoch is committed, whatever comes when."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from stream.sinks.gate import CommitGate


class GateMachine(RuleBasedStateMachine):
    """Epochs of Bytewax around a gate; versions of a key grow, so order shows."""

    def __init__(self) -> None:
        super().__init__()
        self.gate: CommitGate[str, tuple[int, int]] = CommitGate()
        self.epoch = 1
        self.committed = 0
        self.version = 0
        self.out: dict[str, tuple[int, int]] = {}
        self.put_last: dict[str, tuple[int, int]] = {}
        self.durable: dict[str, tuple[int, int]] = {}
        self.durable_put: dict[str, tuple[int, int]] = {}

    @rule(key=st.sampled_from("abc"))
    def put(self, key: str) -> None:
        self.version += 1
        self.gate.put(key, (self.epoch, self.version))
        self.put_last[key] = (self.epoch, self.version)

    @rule()
    def close_epoch(self) -> None:
        """The epoch is closed and becomes durable; the tick comes with the next one."""
        self.durable = self.gate.seal()
        self.durable_put = dict(self.put_last)
        self.committed = self.epoch
        self.epoch += 1

    @rule()
    def tick(self) -> None:
        for key, (epoch, version) in self.gate.release().items():
            assert epoch <= self.committed
            assert version > self.out.get(key, (0, 0))[1]
            self.out[key] = (epoch, version)

    @rule()
    def crash(self) -> None:
        self.gate = CommitGate(self.durable)
        self.put_last = dict(self.durable_put)
        self.epoch = self.committed + 1
        self.out = {k: v for k, v in self.out.items() if k not in self.durable}

    @invariant()
    def nothing_is_lost(self) -> None:
        """What is durable has left or waits in the snapshot."""
        for key, (epoch, version) in self.durable_put.items():
            waiting = self.durable.get(key, (0, 0))
            assert (
                max(self.out.get(key, (0, 0))[1], waiting[1]) >= version or epoch > self.committed
            )


GateMachine.TestCase.settings = settings(max_examples=200, stateful_step_count=40)
TestGate = GateMachine.TestCase
