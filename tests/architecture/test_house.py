"""House rules that no linter knows."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from atelier.config import env

ROOT = Path(__file__).resolve().parents[2]
HARD_LIMIT = 700
FORBIDDEN_NAMES = {"utils.py", "helpers.py", "manager2.py", "misc.py", "common_utils.py"}
# Test files that follow something else than one module of src.
ACROSS_MODULES = {
    "tests/architecture": "rules of the whole house",
    "tests/journeys": "stories that cross every domain",
    "tests/protocol": "real clients of a wire protocol",
    "tests/api": "routes, by area and by contract",
    "tests/web": "pages, by area",
}
# Files about a whole domain rather than one of its modules.
ABOUT_A_DOMAIN = {
    "test_machine.py": "a state machine that plays the domain",
    "test_races.py": "threads against each other",
}
# Where a domain's tests have another folder's name than its package.
PACKAGES = {"engine": "src/atelier_engine"}


def _python(*folders: str) -> list[Path]:
    return sorted(
        path
        for folder in folders
        for path in (ROOT / folder).rglob("*.py")
        if "migrations" not in path.parts and "node_modules" not in path.parts
    )


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_modules_stay_short() -> None:
    lengths = {
        _name(path): len(path.read_text(encoding="utf-8").splitlines())
        for path in _python("src", "tests", "bench")
    }
    assert {name: lines for name, lines in lengths.items() if lines > HARD_LIMIT} == {}


def test_no_module_is_a_drawer() -> None:
    assert [_name(p) for p in _python("src", "tests", "bench") if p.name in FORBIDDEN_NAMES] == []


def test_no_empty_modules() -> None:
    empty = [
        _name(path)
        for path in _python("src")
        if path.name != "__init__.py" and not path.read_text(encoding="utf-8").strip()
    ]
    assert empty == []


def test_nothing_is_left_to_do() -> None:
    mark = re.compile("TO" + "DO|FIX" + "ME")
    files = [
        *_python("src", "tests", "bench"),
        *(ROOT / "src/atelier").rglob("*.html"),
        *(ROOT / "src/atelier").rglob("*.js"),
        *(ROOT / "docs").rglob("*.md"),
    ]
    found = [_name(path) for path in files if mark.search(path.read_text(encoding="utf-8"))]
    assert found == []


def test_the_example_environment_lists_every_variable() -> None:
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    assert tuple(re.findall(r"^(ATELIER_\w+)=", text, flags=re.MULTILINE)) == env.FIELDS


def test_documents_name_existing_files() -> None:
    documents = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    missing = []
    for document in documents:
        text = document.read_text(encoding="utf-8")
        links = re.findall(r"\]\((?!https?:|mailto:|#)([^)#\s]+)", text)
        missing += [
            f"{_name(document)}: {link}" for link in links if not (document.parent / link).exists()
        ]
        named = re.findall(r"`((?:src|docs|tests|bench|requirements|\.ci)/[\w./-]+)`", text)
        missing += [f"{_name(document)}: {name}" for name in named if not (ROOT / name).exists()]
    assert missing == []


def _tested_module(path: Path) -> list[Path]:
    parts = path.relative_to(ROOT / "tests").parts
    base = ROOT / PACKAGES.get(parts[0], f"src/atelier/{parts[0]}")
    folder = base.joinpath(*parts[1:-1])
    stem = path.stem.removeprefix("test_")
    return [folder / f"{stem}.py", folder / stem / "__init__.py", folder / stem]


def test_tests_mirror_the_modules() -> None:
    strays = [
        _name(path)
        for path in sorted((ROOT / "tests").rglob("test_*.py"))
        if not any(_name(path).startswith(f"{folder}/") for folder in ACROSS_MODULES)
        and path.name not in ABOUT_A_DOMAIN
        # `test_services_races.py` is a second file about `services.py`.
        and not any(
            candidate.exists()
            for candidate in [
                *_tested_module(path),
                *(
                    option
                    for cut in range(1, path.stem.count("_"))
                    for option in _tested_module(
                        path.with_name("_".join(path.stem.split("_")[: cut + 1]) + ".py")
                    )
                ),
            ]
        )
    ]
    assert strays == []


def test_layers_hold() -> None:
    done = subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout


EDGES = ("web", "api", "cli", "demo")


@pytest.mark.parametrize("edge", EDGES)
def test_edges_do_not_know_each_other(edge: str) -> None:
    others = "|".join(name for name in EDGES if name != edge)
    imports = re.compile(
        rf"^\s*(?:from|import)\s+atelier(?:\.|\s+import\s+)({others})\b", re.MULTILINE
    )
    found = [
        _name(path)
        for path in _python(f"src/atelier/{edge}")
        if imports.search(path.read_text(encoding="utf-8"))
    ]
    assert found == []


def test_only_the_configuration_reads_the_environment() -> None:
    # ruff bans the words; this finds the excuses.
    excused = [
        _name(path)
        for path in _python("src")
        if "os.environ" in path.read_text(encoding="utf-8") and "config" not in path.parts
    ]
    assert excused == [
        "src/atelier/cli/attach.py",  # Django's own settings variable
        "src/atelier_engine/__init__.py",  # switches of the libraries, set before their import
    ]


def test_the_web_never_loads_torch() -> None:
    program = (
        "import os, sys; os.environ['DJANGO_SETTINGS_MODULE'] = 'atelier.config.settings'\n"
        "import atelier.config.wsgi, atelier.config.urls\n"
        "print(sorted({'torch', 'diffusers', 'transformers', 'peft'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    assert done.stdout.strip() == "[]"
