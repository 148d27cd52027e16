"""What is declared, what is locked, and what is explained."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def _declared() -> list[Requirement]:
    extras = PROJECT["optional-dependencies"].values()
    return [Requirement(text) for group in (PROJECT["dependencies"], *extras) for text in group]


def _locked() -> dict[str, str]:
    lines = (ROOT / "requirements/lock.txt").read_text(encoding="utf-8").splitlines()
    pins = [line.split("==") for line in lines if line and not line.startswith("#")]
    return {canonicalize_name(name): version for name, version in pins}


def test_every_declared_package_is_locked_at_a_version_that_fits() -> None:
    locked = _locked()
    wrong = [
        str(requirement)
        for requirement in _declared()
        if not requirement.specifier.contains(
            locked.get(canonicalize_name(requirement.name), "0"), prereleases=True
        )
    ]
    assert wrong == []


def test_the_lock_names_no_place() -> None:
    text = (ROOT / "requirements/lock.txt").read_text(encoding="utf-8")
    assert re.findall(r"https?:|file:|@|--", text) == []


def test_every_package_says_why_it_is_there() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    lists = re.findall(r"^(?:dependencies|\w+) = \[\n((?:  \".*\n)+)\]", text, flags=re.MULTILINE)
    lines = [
        line
        for block in lists
        for line in block.splitlines()
        if re.match(r'  "[\w\[\],-]+[=<>]', line)
    ]
    assert len(lines) == len(_declared())
    assert [line for line in lines if not re.search(r"#\s\S+", line)] == []
