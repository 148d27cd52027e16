from __future__ import annotations

import io
import resource
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms
from tests.factories import photographs

from atelier.media import decoding
from atelier.media.errors import MediaRefused


def _png_header(width: int, height: int) -> bytes:
    """A valid PNG of one colour whose size is what its header says, compressed small."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    packer = zlib.compressobj(9)
    rows = packer.compress(b"\0" * 1_000_000) + packer.flush()
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
        + chunk(b"IDAT", rows)
        + chunk(b"IEND", b"")
    )


def _encoded(picture: Image.Image, form: str, **options: object) -> bytes:
    out = io.BytesIO()
    picture.save(out, form, **options)
    return out.getvalue()


def _canonical_image(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(decoding.canonical(data).png))


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "GIF", "AVIF"])
def test_each_format_becomes_a_png_of_the_same_size(form: str) -> None:
    made = decoding.canonical(photographs.drawing(3, size=96, form=form))
    assert (made.width, made.height) == (96, 96)
    assert made.pixels().shape == (96, 96, 3)
    found = Image.open(io.BytesIO(made.png))
    assert (found.format, found.mode, found.size) == ("PNG", "RGB", (96, 96))
    assert np.array_equal(np.asarray(found), made.pixels())


def test_the_same_picture_has_the_same_canonical_bytes() -> None:
    data = photographs.drawing(3)
    assert decoding.canonical(data).png == decoding.canonical(data).png


@pytest.mark.parametrize(
    "data",
    [
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"<?xml version='1.0'?><svg onload='alert(1)'/>",
        b"\xef\xbb\xbf  <!DOCTYPE html><html>",
        b"%PDF-1.7 ...",
        b"PK\x03\x04 an archive",
        b"\x80\x04\x95 a pickle",
        b"BM a bitmap",
        b"II*\x00 a tiff",
        b"plain words",
    ],
)
def test_what_is_no_picture_of_ours_is_refused_by_its_first_bytes(data: bytes) -> None:
    with pytest.raises(MediaRefused) as refusal:
        decoding.canonical(data)
    assert refusal.value.code == "unsupported_format"
    assert refusal.value.status == 422


def test_a_huge_png_is_refused_from_its_header_with_little_memory() -> None:
    data = _png_header(60_000, 60_000)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(MediaRefused) as refusal:
        decoding.canonical(data)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert refusal.value.code == "too_large"
    assert "60,000 by 60,000" in refusal.value.detail
    assert grown < 64 * 1024  # KiB; the pixels would be ten gigabytes


@pytest.mark.parametrize(("width", "height"), [(20_000, 10), (8_001, 8_000)])
def test_long_sides_and_many_pixels_are_refused(width: int, height: int) -> None:
    with pytest.raises(MediaRefused) as refusal:
        decoding.check_size(_png_header(width, height))
    assert refusal.value.code == "too_large"


def test_a_speck_is_refused() -> None:
    with pytest.raises(MediaRefused) as refusal:
        decoding.canonical(_encoded(Image.new("RGB", (3, 3)), "PNG"))
    assert refusal.value.code == "too_small"


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "GIF", "AVIF"])
@pytest.mark.parametrize("share", [0.2, 0.6, 0.95])
def test_truncated_files_are_refused(form: str, share: float) -> None:
    data = photographs.real_woman(form=form)
    with pytest.raises(MediaRefused) as refusal:
        decoding.canonical(data[: int(len(data) * share)])
    assert refusal.value.code == "undecodable"


def test_a_header_alone_is_refused() -> None:
    with pytest.raises(MediaRefused) as refusal:
        decoding.canonical(b"\x89PNG\r\n\x1a\n")
    assert refusal.value.code == "undecodable"


def test_orientation_is_applied_and_nothing_of_the_camera_stays() -> None:
    picture = Image.new("RGB", (40, 20), (0, 0, 255))
    picture.paste((255, 0, 0), (0, 0, 20, 20))
    exif = Image.Exif()
    exif[0x0112] = 6  # turn right to stand upright
    exif[0x010F] = "A camera"
    exif.get_ifd(0x8825)[1] = "N"
    exif.get_ifd(0x8825)[2] = (52.0, 30.0, 0.0)
    data = _encoded(picture, "JPEG", exif=exif, quality=95, comment=b"taken at home")
    made = decoding.canonical(data)
    assert (made.width, made.height) == (20, 40)
    top, bottom = made.pixels()[5, 10], made.pixels()[34, 10]
    assert top[0] > 200
    assert bottom[2] > 200
    for secret in (b"A camera", b"taken at home", b"Exif", b"eXIf", b"iCCP", b"tEXt"):
        assert secret not in made.png


def test_transparency_becomes_white() -> None:
    picture = Image.new("RGBA", (10, 10), (0, 0, 0, 0))
    assert _canonical_image(_encoded(picture, "PNG")).getpixel((5, 5)) == (255, 255, 255)


def test_only_the_first_frame_counts() -> None:
    frames = [Image.new("RGB", (16, 16), color) for color in ("red", "blue")]
    data = _encoded(frames[0], "GIF", save_all=True, append_images=frames[1:], duration=50)
    found = _canonical_image(data)
    assert found.size == (16, 16)
    assert found.getpixel((8, 8)) == (255, 0, 0)


@pytest.mark.parametrize("mode", ["L", "LA", "P", "I;16", "CMYK", "1"])
def test_every_colour_model_becomes_rgb(mode: str) -> None:
    form = "JPEG" if mode == "CMYK" else "PNG"
    found = _canonical_image(_encoded(Image.new(mode, (12, 12)), form))
    assert found.mode == "RGB"


def test_a_broken_colour_profile_does_no_harm() -> None:
    picture = Image.new("RGB", (12, 12), (10, 200, 30))
    broken = _encoded(picture, "PNG", icc_profile=b"\0" * 200)
    assert _canonical_image(broken).getpixel((3, 3)) == (10, 200, 30)
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    kept = _canonical_image(_encoded(picture, "PNG", icc_profile=srgb)).getpixel((3, 3))
    assert isinstance(kept, tuple)
    assert all(abs(a - b) <= 2 for a, b in zip(kept, (10, 200, 30), strict=True))
