"""``make bench``: runs every script of this folder that measures a claim, one after the other."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
ENTRY = 'if __name__ == "__main__":'


def main(names: list[str]) -> int:
    """Run the named scripts, or all; answers how many failed."""
    scripts = sorted(
        path
        for path in FOLDER.glob("*.py")
        if not path.name.startswith("_") and ENTRY in path.read_text(encoding="utf-8")
    )
    failed = 0
    for script in scripts:
        if names and script.stem not in names:
            continue
        print(f"== {script.stem}", flush=True)
        failed += (
            subprocess.run([sys.executable, "-m", f"bench.{script.stem}"], check=False).returncode
            != 0
        )
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
