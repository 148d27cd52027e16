"""Loads the demo community and prints a login as JSON."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from django.core.management.base import BaseCommand
from typing_extensions import override

from atelier.demo import load


class Command(BaseCommand):
    help = "Load the demo community, once."

    @override
    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(json.dumps(dataclasses.asdict(load.ensure())))
