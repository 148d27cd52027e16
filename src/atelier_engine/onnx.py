"""Small networks on ONNX Runtime: the one place that speaks to it. No torch."""

import threading
from functools import cache
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
"""Height, width, three channels of RGB."""

Floats = NDArray[np.float32]

WEIGHTS = Path(__file__).parent / "weights" / "safety"


class MissingModelError(RuntimeError):
    """A safety model is not installed or does not load. Who asked must refuse, not go on."""


class Network:
    """A loaded network with one input. Safe to share between threads."""

    def __init__(self, path: Path) -> None:
        options = onnxruntime.SessionOptions()
        # One thread that does not spin: scans run beside web requests on shared cores.
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(
                path, options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # the runtime raises its own untyped classes
            raise MissingModelError(f"{path.name} does not load.") from error
        self._input: str = self._session.get_inputs()[0].name

    def run(self, batch: Floats) -> list[Floats]:
        """All outputs for a batch."""
        outputs = self._session.run(None, {self._input: np.ascontiguousarray(batch)})
        return [np.asarray(output, dtype=np.float32) for output in outputs]


_loading = threading.Lock()


def network(name: str) -> Network:
    """A network of ours by file name, loaded once a process."""
    return load(WEIGHTS / name)


def load(path: Path) -> Network:
    """A network by path, loaded once a process."""
    with _loading:
        return _load(path)


@cache
def _load(path: Path) -> Network:
    return Network(path)
