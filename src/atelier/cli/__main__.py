"""``python -m atelier.cli``: the command where no script is installed."""

from __future__ import annotations

from atelier.cli.main import app

app(prog_name="atelier")
