"""A model of the base's own layout with random weights: real code paths, nothing to wait for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from bench.tiny_base import build

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="session")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in the diffusers layout."""
    folder = tmp_path_factory.mktemp("base")
    build(folder)
    return folder
