"""No path goes round the judge: who asks for which act, and who may do what needs asking first."""

from __future__ import annotations

import ast
from pathlib import Path

from atelier.likeness.actions import Action

ROOT = Path(__file__).resolve().parents[2] / "src" / "atelier"

# The modules that ask the judge before this happens. A new path must ask and be added here; one
# that stops asking fails here.
ASKED_BY: dict[Action, set[str]] = {
    Action.MEDIA_INTAKE: {"likeness/services.py"},
    Action.BOUNTY_CREATE: {"bounties/screening.py"},
    Action.BOUNTY_EDIT: {"bounties/screening.py"},
    Action.CONTRIBUTE: {"bounties/screening.py"},
    Action.ENTRY_CREATE: {"bounties/screening.py"},
    Action.AWARD: {"bounties/screening.py"},
    Action.PAYOUT: {"bounties/screening.py"},
    Action.DATASET_INTAKE: {"training/services.py"},
    Action.TRAINING_START: {"training/services.py"},
    Action.TRAINING_RUN: {"training/services.py"},
    Action.TRAINING_PUBLISH: {"training/services.py"},
    Action.MODEL_CREATE: {"catalog/services/making.py"},
    Action.MODEL_TEXT: {"catalog/services/making.py"},
    Action.VERSION_PUBLISH: {"catalog/services/publishing.py"},
    Action.DOWNLOAD: {"catalog/downloads.py"},
    Action.GENERATION_ENQUEUE: {"generation/services.py"},
    Action.GENERATION_START: {"generation/worker.py"},
    Action.GENERATION_RELEASE: {"generation/worker.py"},
    Action.POST_CREATE: {"gallery/services/posting.py"},
    Action.COMMENT: {"social/services/comments.py"},
    Action.PROFILE_TEXT: {"social/services/people.py"},
}
# Nothing of the kind exists yet: whatever makes it possible asks, and moves its act above.
NOTHING_DOES = {
    Action.REMIX,  # remixing is a new generation, which asks as one
    Action.REVIEW,
    Action.MESSAGE,
    Action.WISH_CREATE,
    Action.COLLECTION,
}

# What lets others see or have something, and the only modules that may do it. Each decides first,
# or undoes what staff did to something that was decided on.
GATES: dict[str, set[str]] = {
    "media.publish": {
        "bounties/services/entering.py",
        "bounties/services/opening.py",
        "bounties/services/staffing.py",
        "catalog/services/publishing.py",
        "gallery/services/posting.py",
    },
    "media.unhide": {"bounties/services/staffing.py", "gallery/services/takedown.py"},
    "media.register_output": {"generation/worker.py", "training/worker.py", "demo/load.py"},
    "screening.opening": {"bounties/services/opening.py", "bounties/services/staffing.py"},
    "screening.edit": {"bounties/services/opening.py"},
    "screening.contribution": {"bounties/services/funding.py"},
    "screening.entry": {"bounties/services/entering.py"},
    "downloads.allow": {"api/v1/downloads.py"},
}


def _trees() -> dict[str, ast.Module]:
    return {
        path.relative_to(ROOT).as_posix(): ast.parse(path.read_text(encoding="utf-8"))
        for path in sorted(ROOT.rglob("*.py"))
        if "migrations" not in path.parts
    }


TREES = _trees()


def _asks(tree: ast.Module) -> bool:
    return any(
        isinstance(node, ast.Call)
        and (
            (isinstance(node.func, ast.Attribute) and node.func.attr == "decide")
            or (isinstance(node.func, ast.Name) and node.func.id == "decide")
        )
        for node in ast.walk(tree)
    )


def _actions_named(tree: ast.Module) -> set[Action]:
    return {
        Action[node.attr]
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "Action"
        and node.attr in Action.__members__
    }


def _asked_by() -> dict[Action, set[str]]:
    found: dict[Action, set[str]] = {}
    for name, tree in TREES.items():
        rules = name.startswith("likeness/") and name != "likeness/services.py"
        if not rules and _asks(tree):
            for action in _actions_named(tree):
                found.setdefault(action, set()).add(name)
    return found


def test_every_act_is_asked_for_by_the_modules_that_carry_it_out() -> None:
    assert _asked_by() == ASKED_BY


def test_every_act_is_asked_for_or_known_to_be_impossible() -> None:
    assert set(ASKED_BY) | NOTHING_DOES == set(Action)
    assert not set(ASKED_BY) & NOTHING_DOES


def _callers(gate: str) -> set[str]:
    module, name = gate.split(".")
    return {
        path
        for path, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == name
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == module
    }


def test_what_lets_others_see_or_have_something_happens_in_known_places() -> None:
    assert {gate: _callers(gate) for gate in GATES} == GATES


def test_only_the_judge_can_say_that_pictures_may_come_in() -> None:
    setters = {
        path
        for path, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "set_judge"
    }
    assert setters == {"likeness/apps.py"}
