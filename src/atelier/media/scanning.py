"""The detectors, asked about one canonical picture. What they cannot answer is never a yes."""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from atelier.media.errors import MediaRefused

if TYPE_CHECKING:
    from numpy.typing import NDArray

log = logging.getLogger(__name__)
MOST_FACES = 32_767  # what the column holds


@dataclass(frozen=True, slots=True)
class Findings:
    """What was seen, in the words of the ``Scan`` row."""

    real_faces: int
    drawn_faces: int
    photoreal: float
    sexual: str
    minor_signal: bool
    rating: int
    detectors: dict[str, str] = field(default_factory=dict)


def examine(pixels: NDArray[np.uint8]) -> Findings:
    """Look at a picture; raises :class:`MediaRefused` where a detector is missing or fails."""
    try:
        from atelier_engine import faces

        seen = faces.assess(pixels)
        return Findings(
            real_faces=min(MOST_FACES, int(seen.real_faces)),
            drawn_faces=min(MOST_FACES, int(seen.drawn_faces)),
            photoreal=float(seen.photoreal),
            sexual=str(seen.sexual.level),
            minor_signal=bool(seen.minor_signal),
            rating=int(seen.sexual.rating),
            detectors=detectors(),
        )
    except Exception as problem:
        # Whatever went wrong, an unexamined picture is not a harmless one.
        log.exception("a picture could not be examined")
        raise MediaRefused(
            "This site cannot examine pictures right now, so it takes none. Try again later.",
            code="checks_unavailable",
        ) from problem


@cache
def detectors() -> dict[str, str]:
    """The weights that scans are made with: file name to the start of its SHA-256."""
    from atelier_engine import nudity, onnx

    paths = [*sorted(onnx.WEIGHTS.glob("*.onnx")), nudity._binary_path()]  # noqa: SLF001 - names the second classifier's file
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest()[:16] for path in paths}


def condition() -> str:
    """``ready``, or which detector is missing, for the operator."""
    try:
        examine(np.full((64, 64, 3), 200, dtype=np.uint8))
    except MediaRefused as problem:
        return f"missing: {problem.__cause__}"
    return "ready"
