"""An ONNX Runtime session, set up for a small machine that does other things too.

One inference thread by default: a detector on a second thread gains latency and loses work per CPU
second, spinning threads take a Raspberry Pi's cores from everything else, and with one thread a
recording gives the same bits at every run. Ask for more with ``threads`` where a live camera's
latency matters more.
"""

import time
from collections.abc import Sequence
from typing import Final

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray
from onnxruntime.capi import onnxruntime_pybind11_state as failures

from citynerve import log
from citynerve.errors import ConfigError
from models.load import Model

Floats = NDArray[np.float32]

CPU: Final = "CPUExecutionProvider"
PREFERENCE: Final = (
    "TensorrtExecutionProvider",
    "CUDAExecutionProvider",
    "OpenVINOExecutionProvider",
    "XnnpackExecutionProvider",
    CPU,
)
_FAILURES: Final[tuple[type[Exception], ...]] = (
    failures.EPFail,
    failures.EngineError,
    failures.Fail,
    failures.InvalidArgument,
    failures.InvalidGraph,
    failures.InvalidProtobuf,
    failures.NoModel,
    failures.NoSuchFile,
    failures.NotImplemented,
    failures.RuntimeException,
    RuntimeError,
)
"""What ONNX Runtime raises; its errors have no base of their own."""
_ERRORS_ONLY: Final = 3
_WARM_UP_RUNS: Final = 2

_log = log.get("edge.inference")


class Session:
    """A model that is ready to run.

    Args:
        model: The model.
        threads: Inference threads.
        providers: What to run on, the best first; what this machine lacks is passed over.

    Attributes:
        provider: What it runs on.
        skipped: Provider -> why it was not taken, for those preferred over ``provider``.

    Raises:
        ConfigError: ONNX Runtime cannot run the model on any of them.
    """

    def __init__(
        self, model: Model, *, threads: int = 1, providers: Sequence[str] = PREFERENCE
    ) -> None:
        self.skipped: dict[str, str] = {}
        self._session = self._start(model, threads, providers)
        self.provider: str = self._session.get_providers()[0]
        self._input = model.graph.inputs[0].name
        self._outputs = [value.name for value in model.graph.outputs]
        shape = (1, 3, model.manifest.input.height, model.manifest.input.width)
        first = self._warm_up(np.zeros(shape, np.float32))
        _log.info(
            "model ready",
            model=model.name,
            provider=self.provider,
            threads=threads,
            first_run_ms=round(first * 1000),
            not_taken=self.skipped,
        )

    def run(self, picture: Floats) -> Sequence[Floats]:
        """The outputs for one picture [1, 3, height, width], in the graph's order."""
        outputs: Sequence[Floats] = self._session.run(self._outputs, {self._input: picture})
        return outputs

    def _start(self, model: Model, threads: int, providers: Sequence[str]) -> ort.InferenceSession:
        here = set(ort.get_available_providers())
        problem = "none of the providers asked for is there"
        for provider in providers:
            if provider not in here:
                self.skipped[provider] = "not in this build of ONNX Runtime"
                continue
            # A provider that fails would fall back to the CPU by itself, and say nothing.
            chain = [provider] if provider == CPU else [provider, CPU]
            try:
                session = ort.InferenceSession(
                    model.content, _options(model, threads), providers=chain
                )
            except _FAILURES as error:
                problem = str(error).strip().partition("\n")[0]
                self.skipped[provider] = problem
                continue
            if session.get_providers()[0] == provider:
                return session
            self.skipped[provider] = "ONNX Runtime fell back from it: see its messages above"
        raise ConfigError(
            f"ONNX Runtime cannot run it: {problem}",
            file=str(model.path),
            fix="export the model again, for the operators of the installed onnxruntime",
        )

    def _warm_up(self, picture: Floats) -> float:
        began = time.perf_counter()
        self.run(picture)
        first = time.perf_counter() - began
        for _ in range(_WARM_UP_RUNS - 1):
            self.run(picture)
        return first


def _options(model: Model, threads: int) -> ort.SessionOptions:
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = _ERRORS_ONLY
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # The model is given as bytes, so weights in files of their own need to be told where they lie.
    options.add_session_config_entry(
        "session.model_external_initializers_file_folder_path", str(model.path.parent)
    )
    return options
