"""The tables are what the models say, and Django finds nothing to complain about."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import call_command
from django.db.migrations.loader import MigrationLoader

pytestmark = pytest.mark.django_db


def test_no_migration_is_missing() -> None:
    out = StringIO()
    call_command("makemigrations", check=True, dry_run=True, stdout=out, stderr=out)


def test_migrations_of_a_domain_form_one_line() -> None:
    graph = MigrationLoader(None).graph
    ours = {app for app, _ in graph.nodes}
    assert {app: len(graph.leaf_nodes(app)) for app in ours} == dict.fromkeys(ours, 1)


def test_django_finds_nothing_to_complain_about() -> None:
    call_command("check", fail_level="WARNING")
