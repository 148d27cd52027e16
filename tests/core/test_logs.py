from __future__ import annotations

import logging

import pytest

from atelier.core.logs import ScrubSecrets


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("GET /api/v1/models?token=abc.DEF-1 200", "GET /api/v1/models?token=… 200"),
        ("Authorization: Bearer at_12_xyz", "Authorization: Bearer …"),
        ("/cases/c1?secret=s3cr3t&x=1", "/cases/c1?secret=…&x=1"),
        ("nothing to hide", "nothing to hide"),
    ],
)
def test_secrets_do_not_reach_a_log(line: str, expected: str) -> None:
    record = logging.LogRecord("x", logging.INFO, __file__, 1, "%s", (line,), None)
    assert ScrubSecrets().filter(record)
    assert record.getMessage() == expected
