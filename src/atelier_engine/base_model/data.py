"""Where the training pictures come from, and how they become small RGBA arrays with captions.

Pictures are read from an installed ``node_modules`` folder. A source without a licence entry
here, or whose package declares another licence, is refused: weights are only as free as the
pictures behind them.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt
from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SIZE = 64
# From here on a pixel counts as opaque (alpha), as coloured (saturation) and as lit (value).
_SOLID, _COLOURED, _LIT = 128, 0.25, 0.2

Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Source:
    """One collection of pictures and the terms it comes under."""

    package: str
    version: str
    style: str
    licence: str
    holder: str


SOURCES: tuple[Source, ...] = (
    Source(
        "@lobehub/fluent-emoji-3d", "1.1.0", "3d", "MIT", "Microsoft Corporation (Fluent Emoji)"
    ),
    Source(
        "@iconify-json/fluent-emoji-flat",
        "1.2.6",
        "flat",
        "MIT",
        "Microsoft Corporation (Fluent Emoji)",
    ),
    Source("@iconify-json/noto", "1.2.9", "cartoon", "Apache-2.0", "Google Inc (Noto Emoji)"),
)
CAPTIONS = Source("emojibase-data", "17.0.0", "captions", "MIT", "Miles Johnson (emojibase)")
ALLOWED_LICENCES = frozenset({"MIT", "Apache-2.0", "CC0-1.0"})

# Groups of the catalogue that are left out: people (no picture of a person is trained on),
# components and flags.
_LEFT_OUT_GROUPS = frozenset({None, 1, 2, 9})


class LicenceError(ValueError):
    """A source has no licence entry, or its package declares another licence."""


@dataclass(frozen=True)
class Picture:
    """One captioned picture: RGBA pixels, catalogue label, tags, style and source package."""

    pixels: Pixels
    label: str
    tags: tuple[str, ...]
    style: str
    package: str


def check_licence(*, root: Path, source: Source) -> None:
    """Refuse a source unless its installed package declares the licence and version on record."""
    if source.licence not in ALLOWED_LICENCES:
        raise LicenceError(
            f"{source.package}: licence {source.licence!r} is not allowed for training"
        )
    manifest = json.loads((root / source.package / "package.json").read_text(encoding="utf-8"))
    declared = (manifest.get("license"), manifest.get("version"))
    if declared != (source.licence, source.version):
        raise LicenceError(
            f"{source.package}: on record are {source.licence} {source.version}, "
            f"the package declares {declared[0]} {declared[1]}"
        )


def fit(image: Image.Image) -> Pixels:
    """The picture as SIZE x SIZE RGBA, resampled with premultiplied alpha so edges keep colour."""
    rgba = image.convert("RGBA").convert("RGBa").resize((SIZE, SIZE), Image.Resampling.LANCZOS)
    return np.asarray(rgba.convert("RGBA"))


def read_pictures(*, root: Path, styles: frozenset[str]) -> Iterator[Picture]:
    """Every captioned picture of the wanted styles, in the catalogue's order."""
    check_licence(root=root, source=CAPTIONS)
    catalogue = json.loads((root / CAPTIONS.package / "en/data.json").read_text(encoding="utf-8"))
    wanted = [entry for entry in catalogue if entry.get("group") not in _LEFT_OUT_GROUPS]
    for source in SOURCES:
        if source.style not in styles:
            continue
        check_licence(root=root, source=source)
        reader = _rendered(root, source) if source.style == "3d" else _drawn(root, source)
        for entry in wanted:
            image = reader(entry)
            if image is not None:
                yield Picture(
                    pixels=fit(image),
                    label=str(entry["label"]),
                    tags=tuple(entry.get("tags", ())),
                    style=source.style,
                    package=source.package,
                )


def _rendered(root: Path, source: Source) -> Any:
    folder = root / source.package / "assets"

    def read(entry: dict[str, Any]) -> Image.Image | None:
        code = str(entry["hexcode"]).lower()
        for name in (code, code.replace("-fe0f", ""), code + "-fe0f"):
            path = folder / f"{name}.webp"
            if path.is_file():
                return Image.open(path)
        return None

    return read


def _drawn(root: Path, source: Source) -> Any:
    import resvg_py

    icons = json.loads((root / source.package / "icons.json").read_text(encoding="utf-8"))

    def read(entry: dict[str, Any]) -> Image.Image | None:
        plain = str(entry["label"]).lower().replace("\u2019", "").replace("ñ", "n")
        icon = icons["icons"].get(re.sub(r"[^a-z0-9]+", "-", plain).strip("-"))
        if icon is None:
            return None
        width = icon.get("width", icons.get("width", 16))
        height = icon.get("height", icons.get("height", 16))
        side = SIZE * 2
        svg = (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
            f'width="{side}" height="{side}">{icon["body"]}</svg>'
        )
        return Image.open(
            io.BytesIO(bytes(resvg_py.svg_to_bytes(svg_string=svg, width=side, height=side)))
        )

    return read


@dataclass(frozen=True)
class Dataset:
    """The prepared pictures: one array and, row by row, what is known about each."""

    pixels: Pixels
    rows: list[dict[str, Any]]

    def indices(self, *, style: str) -> list[int]:
        """The rows of one style."""
        return [i for i, row in enumerate(self.rows) if row["style"] == style]

    def counts(self) -> dict[str, int]:
        """Pictures per source package."""
        found: dict[str, int] = {}
        for row in self.rows:
            found[row["package"]] = found.get(row["package"], 0) + 1
        return found


def save(*, pictures: list[Picture], folder: Path) -> Dataset:
    """Write the prepared pictures to ``folder`` with a digest of their pixels."""
    folder.mkdir(parents=True, exist_ok=True)
    pixels = np.stack([picture.pixels for picture in pictures])
    rows = [
        {"label": p.label, "tags": list(p.tags), "style": p.style, "package": p.package}
        for p in pictures
    ]
    np.save(folder / "pixels.npy", pixels)
    digest = hashlib.sha256(pixels.tobytes()).hexdigest()
    (folder / "rows.json").write_text(
        json.dumps({"sha256": digest, "rows": rows}), encoding="utf-8"
    )
    return Dataset(pixels=pixels, rows=rows)


def load(folder: Path) -> Dataset:
    """The prepared pictures that :func:`save` wrote."""
    meta = json.loads((folder / "rows.json").read_text(encoding="utf-8"))
    pixels = cast("Pixels", np.load(folder / "pixels.npy", allow_pickle=False))
    if hashlib.sha256(pixels.tobytes()).hexdigest() != meta["sha256"]:
        raise ValueError(f"{folder}: the pixels do not match their digest; prepare the data again")
    return Dataset(pixels=pixels, rows=meta["rows"])


def compose(
    pixels: Pixels,
    *,
    background: tuple[int, int, int] = (255, 255, 255),
    shift: tuple[int, int] = (0, 0),
    scale: float = 1.0,
    flip: bool = False,
) -> Pixels:
    """The RGBA picture laid on a plain background, moved, scaled or mirrored."""
    image = Image.fromarray(pixels)
    if flip:
        image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    side = max(8, round(SIZE * scale))
    if side != SIZE:
        image = image.convert("RGBa").resize((side, side), Image.Resampling.LANCZOS).convert("RGBA")
    canvas = Image.new("RGB", (SIZE, SIZE), background)
    offset = (SIZE - side) // 2
    canvas.paste(image, (offset + shift[0], offset + shift[1]), image)
    return np.asarray(canvas)


def recolour(
    pixels: Pixels, *, hue: float | None, saturation: float, brightness: float
) -> Pixels | None:
    """The picture with its main colour turned to ``hue`` degrees; None if it has no main colour.

    Only pixels near the dominant hue move, so that a fox turned blue keeps white cheeks and a
    black nose.
    """
    hsv = np.asarray(Image.fromarray(pixels[..., :3]).convert("HSV")).astype(np.float32)
    angle, sat, value = hsv[..., 0] * (360.0 / 255.0), hsv[..., 1] / 255.0, hsv[..., 2] / 255.0
    solid = pixels[..., 3] > _SOLID
    coloured = solid & (sat > _COLOURED) & (value > _LIT)
    if coloured.sum() < 0.2 * max(1, int(solid.sum())):
        return None
    radians = np.deg2rad(angle[coloured])
    weight = sat[coloured]
    mean = (
        np.rad2deg(np.arctan2((np.sin(radians) * weight).sum(), (np.cos(radians) * weight).sum()))
        % 360
    )
    distance = np.abs((angle - mean + 180) % 360 - 180)
    share = np.clip((70.0 - distance) / 25.0, 0, 1) * np.clip(sat / 0.2, 0, 1)
    if (share * coloured).sum() < 0.5 * coloured.sum():
        return None
    turned = np.stack(
        [
            np.full_like(angle, 0.0 if hue is None else hue / 360.0 * 255.0),
            np.clip(sat * saturation, 0, 1) * 255,
            np.clip(value * brightness, 0, 1) * 255,
        ],
        axis=-1,
    )
    if hue is not None:
        # Keep a quarter of the shading's own hue changes: flat hue looks like plastic.
        drift = (angle - mean + 180) % 360 - 180
        turned[..., 0] = ((hue + 0.2 * np.clip(drift, -40, 40)) % 360) * (255.0 / 360.0)
    rgb = np.asarray(Image.fromarray(turned.astype(np.uint8), "HSV").convert("RGB")).astype(
        np.float32
    )
    mixed = rgb * share[..., None] + pixels[..., :3] * (1 - share[..., None])
    return np.concatenate([mixed.round().astype(np.uint8), pixels[..., 3:]], axis=-1)
