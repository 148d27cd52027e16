"""The model that ships with the program stands in the catalog like any other, to be downloaded."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import typer
from django.conf import settings

# In a process of its own: what serves the site never loads torch.
_EXPORT = (
    "import sys; from pathlib import Path; from atelier_engine.base_model import export;"
    "export.write_single_file(folder=Path(sys.argv[1]), path=Path(sys.argv[2]))"
)


def ensure() -> None:
    """Put the shipped weights into the catalog, unless they are there."""
    folder = shipped()
    parts = sorted(folder.rglob("*.safetensors"), key=lambda path: path.stat().st_size)
    if not parts:
        return
    from atelier.catalog import services as catalog

    catalog.ensure_base_model(path=_single_file(folder) or parts[-1])


def shipped() -> Path:
    """The folder of the weights that come with the program."""
    # By name: only the workers load the engine.
    engine = find_spec("atelier_engine")
    if engine is None or not engine.submodule_search_locations:
        return Path("no-engine")
    return Path(engine.submodule_search_locations[0]) / "weights" / "base"


def _single_file(folder: Path) -> Path | None:
    """The weights as one file that other tools read; written once, where torch is installed."""
    if settings.ENGINE == "off" or find_spec("torch") is None:
        return None
    digest = hashlib.sha256()
    for part in sorted(folder.rglob("*.safetensors")):
        digest.update(part.relative_to(folder).as_posix().encode() + b"\0" + part.read_bytes())
    path = settings.ATELIER_HOME / "build" / f"atelier-base-{digest.hexdigest()[:12]}.safetensors"
    if path.is_file():
        return path
    typer.echo("Writing the base model as one file (once)")
    partial = path.with_name(f"partial-{path.name}")
    done = subprocess.run(
        [sys.executable, "-c", _EXPORT, folder, partial],
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode != 0:
        typer.echo(f"It could not be written: {done.stderr.strip().splitlines()[-1]}", err=True)
        return None
    partial.rename(path)
    return path
