"""Faces in a picture, and whether they are a real person's. Nothing leaves the process."""

import time
from dataclasses import dataclass
from itertools import product

import numpy as np
from PIL import Image

from atelier_engine import nudity, onnx
from atelier_engine.nudity import SexualVerdict
from atelier_engine.onnx import Floats, Pixels
from atelier_engine.photoreal import REAL, photoreal

__all__ = ["Face", "PictureFindings", "assess", "find", "photoreal"]

_WIDTH, _HEIGHT = 320, 240
_SCORE = 0.6
_SCORE_ODD = 0.8
_MESH = 0.5
_OVERLAP = 0.35
_SCALES = (1.0, 0.5)
_ROTATIONS = (0, 90, 180, 270)
_WORKING_SIDE = 1_280
_TILED_SIDE = 640
_MIN_FACE = 12

# The age model errs by several years either way, so the bar lies well above eighteen.
_ADULT_AGE = 18
_AGE_MARGIN = 4.0


@dataclass(frozen=True, slots=True)
class Face:
    """One face: where it is in the picture as given, and what was measured on it."""

    box: tuple[float, float, float, float]
    score: float
    mesh_score: float
    yaw: float
    pitch: float
    age: float
    photoreal: float
    rotation: int
    scale: float
    inverted: bool

    @property
    def real(self) -> bool:
        """Whether it looks like a photographed person rather than a drawing."""
        return self.photoreal >= REAL


@dataclass(frozen=True, slots=True)
class PictureFindings:
    """All that the scans say of one picture; a decision binds to the picture's digest."""

    real_faces: int
    drawn_faces: int
    photoreal: float
    minor_signal: bool
    youngest: float | None
    sexual: SexualVerdict
    faces: tuple[Face, ...]
    ms: float


@dataclass(frozen=True, slots=True)
class _Hit:
    box: tuple[float, float, float, float]  # in the turned picture
    score: float
    rotation: int
    scale: float
    inverted: bool


def assess(picture: Pixels) -> PictureFindings:
    """Run every scan on an RGB picture; MissingModelError means that nothing may be assumed."""
    start = time.perf_counter()
    found = find(picture)
    real = [face for face in found if face.real]
    youngest = min((face.age for face in real), default=None)
    sexual = nudity.classify(picture)
    whole = photoreal(picture)
    return PictureFindings(
        real_faces=len(real),
        drawn_faces=len(found) - len(real),
        photoreal=max([whole, *(face.photoreal for face in real)]),
        minor_signal=youngest is not None and youngest < _ADULT_AGE + _AGE_MARGIN,
        youngest=youngest,
        sexual=sexual,
        faces=tuple(found),
        ms=(time.perf_counter() - start) * 1_000,
    )


def find(picture: Pixels) -> list[Face]:
    """Faces upright, on their side and upside down, large and small, and in negatives."""
    working, factor = _working_copy(picture)
    turned = {rotation: np.rot90(working, rotation // 90) for rotation in _ROTATIONS}
    hits: list[_Hit] = []
    for rotation, scale in product(_ROTATIONS, _SCALES):
        hits += _detect(turned[rotation], rotation, scale, inverted=False)
    for rotation in _ROTATIONS:
        hits += _detect(turned[rotation], rotation, 1.0, inverted=True)
        if max(working.shape[:2]) > _TILED_SIDE:
            hits += _detect_tiles(turned[rotation], rotation)
    faces: list[Face] = []
    # Upright hits first: a face found both ways is measured the way it stands.
    for hit in sorted(hits, key=lambda h: (-round(h.score, 1), h.inverted, h.rotation)):
        box = _unturn(hit.box, hit.rotation, working.shape[1], working.shape[0])
        if any(_overlap(box, face.box) > _OVERLAP for face in faces):
            continue
        face = _measure(turned[hit.rotation], hit, box)
        if face is not None:
            faces.append(face)
    return [_scaled(face, factor) for face in faces]


def _working_copy(picture: Pixels) -> tuple[Pixels, float]:
    longest = max(picture.shape[:2])
    if longest <= _WORKING_SIDE:
        return picture, 1.0
    factor = longest / _WORKING_SIDE
    size = (
        max(1, round(picture.shape[1] / factor)),
        max(1, round(picture.shape[0] / factor)),
    )
    small = Image.fromarray(picture).resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0)
    return np.asarray(small), factor


def _detect(picture: Pixels, rotation: int, scale: float, *, inverted: bool) -> list[_Hit]:
    """Hits on the whole picture, drawn at `scale` of the detector's canvas."""
    height, width = picture.shape[:2]
    fit = min(_WIDTH / width, _HEIGHT / height) * scale
    size = (max(1, round(width * fit)), max(1, round(height * fit)))
    left, top = (_WIDTH - size[0]) // 2, (_HEIGHT - size[1]) // 2
    small = Image.fromarray(picture).resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0)
    canvas = np.full((_HEIGHT, _WIDTH, 3), 127, dtype=np.float32)
    pixels = np.asarray(small, dtype=np.float32)
    canvas[top : top + size[1], left : left + size[0]] = 255 - pixels if inverted else pixels
    scores, boxes = onnx.network("face_detect_rfb320.onnx").run(
        ((canvas - 127.0) / 128.0).transpose(2, 0, 1)[None]
    )
    limit = _SCORE if rotation == 0 and not inverted else _SCORE_ODD
    certain = scores[0, :, 1]
    order = [int(i) for i in np.argsort(-certain)[:200] if certain[i] >= limit]
    offset = np.array([left, top, left, top], dtype=np.float32)
    stretch = np.array([_WIDTH, _HEIGHT, _WIDTH, _HEIGHT], dtype=np.float32)
    kept: list[_Hit] = []
    for index in order:
        x0, y0, x1, y1 = ((boxes[0, index] * stretch - offset) / fit).tolist()
        box = (x0, y0, x1, y1)
        if all(_overlap(box, hit.box) <= _OVERLAP for hit in kept):
            kept.append(_Hit(box, float(certain[index]), rotation, scale, inverted))
    return kept


def _detect_tiles(picture: Pixels, rotation: int) -> list[_Hit]:
    """Small faces in a large picture: four overlapping quarters, each seen on its own."""
    height, width = picture.shape[:2]
    tall, wide = round(height * 0.6), round(width * 0.6)
    hits: list[_Hit] = []
    for top, left in product((0, height - tall), (0, width - wide)):
        tile = picture[top : top + tall, left : left + wide]
        for hit in _detect(tile, rotation, 1.0, inverted=False):
            if hit.score < _SCORE_ODD:
                continue
            x0, y0, x1, y1 = hit.box
            box = (x0 + left, y0 + top, x1 + left, y1 + top)
            hits.append(_Hit(box, hit.score, rotation, 2.0, inverted=False))
    return hits


def _measure(turned: Pixels, hit: _Hit, box: tuple[float, float, float, float]) -> Face | None:
    """The face behind a hit, or nothing where the mesh sees none."""
    x0, y0, x1, y1 = hit.box
    side = max(x1 - x0, y1 - y0)
    if side < _MIN_FACE:
        return None
    patch = _crop(turned, hit.box, 1.5, 192, inverted=hit.inverted)
    points, flags, *_ = onnx.network("facemesh.onnx").run(patch.astype(np.float32)[None] / 255.0)
    flag = float(flags[0, 0])
    if flag < _MESH:
        return None
    mesh = points[0].reshape(-1, 3)
    close = _crop(turned, hit.box, 1.15, 256, inverted=hit.inverted)
    wide = _crop(turned, hit.box, 1.8, 256, inverted=hit.inverted)
    return Face(
        box=box,
        score=hit.score,
        mesh_score=flag,
        yaw=_angle(mesh, 234, 454),
        pitch=_tilt(mesh, 10, 152),
        age=_age(_crop(turned, hit.box, 1.3, 224, inverted=hit.inverted)),
        photoreal=max(photoreal(close), photoreal(wide)),
        rotation=hit.rotation,
        scale=hit.scale,
        inverted=hit.inverted,
    )


def _crop(
    picture: Pixels,
    box: tuple[float, float, float, float],
    margin: float,
    size: int,
    *,
    inverted: bool,
) -> Pixels:
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    reach = max(box[2] - box[0], box[3] - box[1]) * margin / 2
    left, top = max(0, int(x - reach)), max(0, int(y - reach))
    right = min(picture.shape[1], max(left + 1, int(x + reach)))
    bottom = min(picture.shape[0], max(top + 1, int(y + reach)))
    part = picture[top:bottom, left:right]
    if part.size == 0:
        part = picture[:1, :1]
    # Square by repeating the border, so that a face at the edge keeps its proportions.
    above, before = top - int(y - reach), left - int(x - reach)
    below, after = int(y + reach) - bottom, int(x + reach) - right
    padding = [(max(0, above), max(0, below)), (max(0, before), max(0, after)), (0, 0)]
    square = np.pad(part, padding, mode="edge")
    resized = Image.fromarray(square).resize((size, size), Image.Resampling.BILINEAR)
    array: Pixels = np.asarray(resized)
    return 255 - array if inverted else array


def _age(patch: Pixels) -> float:
    """Expected age; the model gives a probability for each year."""
    outputs = onnx.network("faceres_age.onnx").run(patch.astype(np.float32)[None])
    years = next(output[0] for output in outputs if output.shape[-1] == 100)  # noqa: PLR2004
    chances = years / max(float(years.sum()), 1e-6)
    return float((chances * np.arange(100)).sum())


def _angle(mesh: Floats, left: int, right: int) -> float:
    """Head turn in degrees, from the depth of both cheeks."""
    across = mesh[right] - mesh[left]
    return float(np.degrees(np.arctan2(across[2], across[0])))


def _tilt(mesh: Floats, top: int, bottom: int) -> float:
    """Nod in degrees, from the depth of forehead and chin."""
    down = mesh[bottom] - mesh[top]
    return float(np.degrees(np.arctan2(down[2], down[1])))


def _unturn(
    box: tuple[float, float, float, float], rotation: int, width: int, height: int
) -> tuple[float, float, float, float]:
    """A box in the turned picture, where it lies in the picture as given."""
    x0, y0, x1, y1 = box
    if rotation == 90:  # noqa: PLR2004 - counter-clockwise quarter
        return (width - y1, x0, width - y0, x1)
    if rotation == 180:  # noqa: PLR2004
        return (width - x1, height - y1, width - x0, height - y0)
    if rotation == 270:  # noqa: PLR2004
        return (y0, height - x1, y1, height - x0)
    return box


def _overlap(
    one: tuple[float, float, float, float], other: tuple[float, float, float, float]
) -> float:
    """Shared area over the smaller area, so that a box inside another counts as the same face."""
    wide = max(0.0, min(one[2], other[2]) - max(one[0], other[0]))
    tall = max(0.0, min(one[3], other[3]) - max(one[1], other[1]))
    smaller = min(
        (one[2] - one[0]) * (one[3] - one[1]), (other[2] - other[0]) * (other[3] - other[1])
    )
    return wide * tall / max(smaller, 1e-6)


def _scaled(face: Face, factor: float) -> Face:
    if factor == 1.0:
        return face
    x0, y0, x1, y1 = (value * factor for value in face.box)
    return Face(
        box=(x0, y0, x1, y1),
        score=face.score,
        mesh_score=face.mesh_score,
        yaw=face.yaw,
        pitch=face.pitch,
        age=face.age,
        photoreal=face.photoreal,
        rotation=face.rotation,
        scale=face.scale,
        inverted=face.inverted,
    )
