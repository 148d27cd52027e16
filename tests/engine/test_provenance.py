from __future__ import annotations

import io
import stat
import threading
from typing import TYPE_CHECKING

import pytest
from bench.mascot import fox
from PIL import Image

from atelier_engine import metadata, provenance

if TYPE_CHECKING:
    from pathlib import Path

FACTS = {"work": "gen_1", "picture": 0}


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> provenance.SiteKey:
    return provenance.SiteKey(tmp_path_factory.mktemp("home") / "provenance")


def encoded(kind: str) -> bytes:
    out = io.BytesIO()
    fox(1).save(out, kind)
    return out.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_signed_picture_is_known_as_ours(key: provenance.SiteKey, kind: str) -> None:
    plain = encoded(kind)
    signed = key.sign(plain, FACTS)
    found = key.read(signed)
    assert found is not None
    assert found.ours
    assert (found.facts, found.generator, found.problems) == (FACTS, "Atelier", ())
    with Image.open(io.BytesIO(signed)) as one, Image.open(io.BytesIO(plain)) as other:
        assert one.tobytes() == other.tobytes()
    assert len(signed) - len(plain) < 8_000, "no thumbnail is added"


def test_settings_and_signature_live_in_one_file(key: provenance.SiteKey) -> None:
    settings = metadata.Settings(prompt="a fox", steps=20, seed=1)
    signed = key.sign(metadata.write_png(encoded("PNG"), settings), FACTS)
    assert metadata.read(signed) == settings
    found = key.read(signed)
    assert found is not None
    assert found.ours


def test_a_changed_picture_is_not_ours(key: provenance.SiteKey) -> None:
    signed = bytearray(key.sign(encoded("PNG"), FACTS))
    signed[-40] ^= 1
    found = key.read(bytes(signed))
    assert found is not None
    assert not found.ours
    assert found.state == "invalid"
    assert found.problems


def test_another_site_is_valid_but_not_ours(key: provenance.SiteKey, tmp_path: Path) -> None:
    signed = provenance.SiteKey(tmp_path / "other").sign(encoded("PNG"), FACTS)
    found = key.read(signed)
    assert found is not None
    assert (found.ours, found.state) == (False, "valid")


@pytest.mark.parametrize("data", [b"", b"garbage", encoded("PNG"), encoded("PNG")[:50]])
def test_where_nothing_is_signed_nothing_is_claimed(key: provenance.SiteKey, data: bytes) -> None:
    found = key.read(data)
    assert found is None or not found.ours


def test_what_cannot_be_signed_is_refused(key: provenance.SiteKey) -> None:
    with pytest.raises(provenance.UnsignableError):
        key.sign(b"GIF89a", FACTS)
    with pytest.raises(provenance.UnsignableError):
        key.sign(encoded("PNG")[:40], FACTS)


def test_keys_are_made_once_whole_and_private(tmp_path: Path) -> None:
    folder = tmp_path / "provenance"
    made: list[provenance.SiteKey] = []
    threads = [
        threading.Thread(target=lambda: made.append(provenance.SiteKey(folder))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    signed = made[0].sign(encoded("PNG"), FACTS)
    for key in made:
        found = key.read(signed)
        assert found is not None
        assert found.ours
        assert key.watermark_key == made[0].watermark_key
    for path in folder.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [p.name for p in tmp_path.iterdir() if p.name != "provenance"] == [".provenance.lock"]
