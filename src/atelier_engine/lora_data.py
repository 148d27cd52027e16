"""What a training learns from: pictures brought to the sizes that the network draws."""

import hashlib
import io
import random
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps

from atelier_engine.diffusion import Tensor
from atelier_engine.families import Family

VARIANTS = 6
_SHIFT = 0.06
_SHRINK = 0.12


def open_picture(source: Path | bytes) -> Image.Image:
    """A picture as RGB; transparency lies on white, as in the base model's own data."""
    with Image.open(io.BytesIO(source) if isinstance(source, bytes) else source) as opened:
        upright = ImageOps.exif_transpose(opened)
        if upright.mode in ("RGBA", "LA", "PA") or "transparency" in upright.info:
            layered = upright.convert("RGBA")
            white = Image.new("RGBA", layered.size, "white")
            return Image.alpha_composite(white, layered).convert("RGB")
        return upright.convert("RGB")


def nearest_size(size: tuple[int, int], family: Family) -> tuple[int, int]:
    """The network's size whose shape is nearest to the picture's."""
    scale = family.display_scale
    natives = [(width // scale, height // scale) for width, height in family.sizes]
    return min(natives, key=lambda n: abs(n[0] / n[1] - size[0] / size[1]))


def variants(
    picture: Image.Image, size: tuple[int, int], *, flip: bool, seed: int
) -> list[Image.Image]:
    """The picture, and copies a little shifted, smaller or mirrored, on its own border colour."""
    fitted = ImageOps.fit(picture, size, Image.Resampling.LANCZOS)
    draw = random.Random(seed)  # noqa: S311 - reproducible on purpose
    border = _border_colour(fitted)
    made = [fitted]
    for number in range(1, VARIANTS):
        shrink = 1 - draw.uniform(0, _SHRINK)
        inner = (max(8, round(size[0] * shrink)), max(8, round(size[1] * shrink)))
        small = ImageOps.fit(picture, inner, Image.Resampling.LANCZOS)
        left = (size[0] - inner[0]) // 2 + round(draw.uniform(-_SHIFT, _SHIFT) * size[0])
        top = (size[1] - inner[1]) // 2 + round(draw.uniform(-_SHIFT, _SHIFT) * size[1])
        copy = Image.new("RGB", size, border)
        copy.paste(small, (left, top))
        made.append(ImageOps.mirror(copy) if flip and number % 2 else copy)
    return made


def pixels(picture: Image.Image) -> Tensor:
    """Channels first, -1 … 1."""
    array = np.asarray(picture, dtype=np.float32) / 127.5 - 1.0
    return torch.from_numpy(array).permute(2, 0, 1)


def picture_digest(source: Path | bytes) -> str:
    """SHA-256 of the stored picture."""
    data = source if isinstance(source, bytes) else source.read_bytes()
    return hashlib.sha256(data).hexdigest()


def weights_digest(folder: Path) -> str:
    """One digest for the tensors of a base model."""
    total = hashlib.sha256()
    for path in sorted(folder.rglob("*.safetensors")):
        total.update(path.relative_to(folder).as_posix().encode())
        total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


def _border_colour(picture: Image.Image) -> tuple[int, int, int]:
    array = np.asarray(picture)
    edge = np.concatenate([array[0], array[-1], array[:, 0], array[:, -1]])
    red, green, blue = np.median(edge, axis=0).astype(int).tolist()
    return red, green, blue
