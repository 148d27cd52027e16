from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from atelier.cli.main import app

if TYPE_CHECKING:
    from pytest_django.fixtures import Settings

pytestmark = pytest.mark.django_db(transaction=True)


def _doctor() -> tuple[int, dict[str, dict[str, object]]]:
    done = CliRunner().invoke(app, ["doctor", "--json"])
    report = json.loads(done.stdout)
    assert report["ok"] is (done.exit_code == 0)
    return done.exit_code, {finding["name"]: finding for finding in report["findings"]}


def test_a_site_that_has_everything_is_healthy(settings: Settings) -> None:
    settings.ENGINE = "off"
    code, found = _doctor()
    assert code == 0
    assert all(finding["ok"] for finding in found.values() if finding["needed"])
    assert {"python", "database", "database extensions", "tables", "storage", "disk"} <= set(found)


def test_what_is_missing_is_named(settings: Settings) -> None:
    settings.SECRET_KEY = "short"
    code, found = _doctor()
    assert code == 1
    assert found["secret key"] == {
        "name": "secret key",
        "ok": False,
        "needed": True,
        "detail": "ATELIER_SECRET_KEY is too short",
    }
