"""``load_demo``: fills an empty site on loopback with the demo community, once."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand
from typing_extensions import override

from atelier.demo import load


class Command(BaseCommand):
    """Prints the demo login as JSON."""

    help = "Load the demo community into an empty site on loopback; prints a login as JSON."

    @override
    def handle(self, *args: Any, **options: Any) -> None:
        """Load what is missing and say who can sign in."""
        del args, options
        load.ensure()
        self.stdout.write(json.dumps(load.login()))
