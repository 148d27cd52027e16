from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import typer

from atelier.cli import static

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_django.fixtures import Settings


@pytest.fixture(autouse=True)
def _folders(settings: Settings, tmp_path: Path) -> None:
    settings.STATIC_ROOT = tmp_path / "static"
    settings.BUILT_STATIC = tmp_path / "built"
    settings.BUILT_STATIC.mkdir()
    settings.STATICFILES_DIRS = [settings.BUILT_STATIC]


def test_styles_are_compiled_and_collected_once(settings: Settings) -> None:
    assert static.build() is True
    built = settings.STATIC_ROOT / "built" / "app.css"
    assert ".btn" in built.read_text()
    made = built.stat().st_mtime_ns
    assert static.build() is False
    assert built.stat().st_mtime_ns == made


def test_a_changed_source_builds_again(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    assert static.build() is True
    monkeypatch.setattr(static, "PACKAGES", ("django",))
    assert static.build() is True
    assert static.build() is False


def test_styles_that_do_not_compile_stop_the_start(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.css"
    broken.write_text("@import 'nothing-of-that-name';")
    monkeypatch.setattr(static, "STYLES", broken)
    with pytest.raises(typer.Exit):
        static.compile_styles(tmp_path / "out.css")
    assert not (tmp_path / "out.css").exists()
