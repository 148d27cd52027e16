"""Whether a sample shows somebody: the surer look at what freshly trained weights draw.

The scan that every picture gets is set to miss nobody, and takes a blurred, drawn face for a
photograph now and then. Here the dataset was examined picture by picture before, so what counts is
a face that is a photograph's beyond doubt. The bars lie between drawings by our base model (up to
0.8) and photographs reduced to its size (from 0.9 on).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from atelier_engine import faces

if TYPE_CHECKING:
    from PIL.Image import Image

DETECTED = 0.9
MESH = 0.6
PHOTOGRAPH = 0.85


def shows_person(picture: Image) -> bool:
    """Whether a photographed person's face can be seen."""
    return any(
        face.score >= DETECTED and face.mesh_score >= MESH and face.photoreal >= PHOTOGRAPH
        for face in faces.find(np.asarray(picture.convert("RGB")))
    )
