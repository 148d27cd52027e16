"""The judge, and the facts that makers of things write down for it."""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson
from django.db import connection, connections, transaction

from atelier.accounts.models import User
from atelier.core import clock, outbox
from atelier.core.errors import DomainError, Invalid
from atelier.likeness import errors, facts, policy, queries, rules
from atelier.likeness.actions import HOLDABLE, SWITCHED_BY, Action
from atelier.likeness.models import (
    Artifact,
    Blocked,
    DetectedClass,
    Lineage,
    Outcome,
    Resource,
    Switch,
)
from atelier.likeness.models import (
    Decision as DecisionRow,
)
from atelier.likeness.policy import Reason
from atelier.likeness.refs import INTEGER_KINDS, Ref
from atelier.likeness.rules import Question, Ruling
from atelier.likeness.text import audit
from atelier.likeness.text.reader import TOO_LONG
from atelier.media.models import Rating
from atelier.media.services import Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from atelier.likeness.facts import Facts
    from atelier.likeness.text import Findings
    from atelier.media.models import Media, Scan

log = logging.getLogger(__name__)
ARTIFACT_KINDS = frozenset({"media", "generation", "image"})
# Weights and what they are made of; a class of these that was found stays found.
STRICTNESS = (
    DetectedClass.NONE,
    DetectedClass.SYNTHETIC_PERSON,
    DetectedClass.UNSCANNED,
    DetectedClass.LIKENESS,
    DetectedClass.BLOCKED,
)


@dataclass(frozen=True, slots=True)
class Decision:
    """An answer that lets something go on: at once, or once a person has looked (``hold``)."""

    id: str
    outcome: str
    reasons: tuple[str, ...] = ()
    obligations: tuple[str, ...] = ()


def decide(
    *,
    action: Action,
    actor_id: int | None,
    subjects: Sequence[Ref] = (),
    texts: Mapping[str, str] | None = None,
) -> Decision:
    """Whether this may go on. Raises a :class:`errors.Refused` that says why not.

    It reads all facts itself. What it cannot read, it refuses. A decision is written down either
    way; a refusal survives the caller's rollback.
    """
    words = dict(texts or {})
    try:
        with transaction.atomic():
            ruling, evidence = _ruled(Action(action), actor_id, list(subjects), words)
            if ruling.code == "" and ruling.hold and action not in HOLDABLE:
                ruling = Ruling(policy.CONSENT, ruling.detail, reasons=ruling.reasons)
            if not ruling.code:
                return _allowed(Action(action), actor_id, subjects, ruling, evidence)
    except DomainError:
        raise
    except Exception as problem:
        # Whatever is missing or broken, the answer is no.
        log.exception("no decision on %s", action)
        raise errors.ChecksUnavailable(
            "This site cannot check this right now, so the answer is no. Nothing was changed. "
            "Try again later."
        ) from problem
    raise _refusal(Action(action), actor_id, subjects, ruling, evidence)


def _ruled(
    action: Action, actor_id: int | None, subjects: list[Ref], texts: Mapping[str, str]
) -> tuple[Ruling, str]:
    """The ruling, and the digest of what it rests on."""
    stopped = queries.stopped()
    for capability in sorted(stopped):
        if action in SWITCHED_BY.get(capability, ()):
            return Ruling(
                policy.STOPPED,
                f"The operator of this site has stopped {capability} for now. Try again later.",
                reasons=(Reason("switch", capability),),
            ), _digest(action, actor_id, subjects, texts, None)
    standing = _standing(actor_id)
    if standing is not None:
        return standing, _digest(action, actor_id, subjects, texts, None)
    known = facts.gather(subjects)
    digest = _digest(action, actor_id, subjects, texts, known)
    incomplete = [
        picture for picture in (*known.pictures, *known.ancestors) if not picture.complete
    ]
    if incomplete:
        return Ruling(
            policy.UNAVAILABLE,
            "One of the pictures has not been examined, so it cannot be used. Upload it again.",
            reasons=(Reason("evidence.missing_scan", str(incomplete[0].ref)),),
        ), digest
    findings = {name: audit(text) for name, text in texts.items()}
    too_long = [name for name, found in findings.items() if found.has(TOO_LONG)]
    if too_long:
        raise Invalid.field(too_long[0], "is too long to be checked")
    if "mature" in stopped and _mature(known, findings):
        return Ruling(
            policy.STOPPED,
            "The operator of this site has stopped mature content for now.",
            reasons=(Reason("switch", "mature"),),
        ), digest
    return rules.rule(Question(action, known, findings, stopped)), digest


def _standing(actor_id: int | None) -> Ruling | None:
    if actor_id is None:
        return None
    actor = User.objects.filter(pk=actor_id).first()
    if actor is None or not actor.is_active or actor.is_suspended:
        return Ruling(
            policy.SUSPENDED,
            "This account is suspended or closed.",
            reasons=(Reason("actor.standing", str(actor_id)),),
        )
    return None


def _mature(known: Facts, findings: Mapping[str, Findings]) -> bool:
    from atelier.likeness.text.reader import SEXUAL

    return any(picture.is_sexual for picture in known.pictures) or any(
        found.has(SEXUAL) for found in findings.values()
    )


def _digest(
    action: Action,
    actor_id: int | None,
    subjects: Sequence[Ref],
    texts: Mapping[str, str],
    known: Facts | None,
) -> str:
    """What was decided on, so that a later look can tell whether it was the same."""
    inputs: dict[str, Any] = {
        "action": str(action),
        "actor": actor_id,
        "subjects": sorted(map(str, subjects)),
        "texts": {name: hashlib.sha256(text.encode()).hexdigest() for name, text in texts.items()},
        "policy": policy.POLICY_VERSION,
    }
    if known is not None:
        inputs["pictures"] = sorted(
            f"{picture.ref} {picture.canonical_sha256}"
            for picture in (*known.pictures, *known.ancestors)
        )
        inputs["classes"] = {str(ref): found for ref, found in known.classes.items()}
    return hashlib.sha256(orjson.dumps(inputs, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _row(
    action: Action, actor_id: int | None, subjects: Sequence[Ref], ruling: Ruling, digest: str
) -> DecisionRow:
    outcome = Outcome.DENY if ruling.code else Outcome.HOLD if ruling.hold else Outcome.ALLOW
    return DecisionRow(
        action=action,
        actor_id=actor_id,
        outcome=outcome,
        code=ruling.code,
        rules=sorted({reason.rule for reason in ruling.reasons}),
        reasons=[ruling.detail] if ruling.detail else [],
        spans=[reason.as_json() for reason in ruling.reasons],
        subjects=[str(ref) for ref in subjects],
        inputs_digest=digest,
        policy_version=policy.POLICY_VERSION,
    )


def _allowed(
    action: Action, actor_id: int | None, subjects: Sequence[Ref], ruling: Ruling, digest: str
) -> Decision:
    row = _row(action, actor_id, subjects, ruling, digest)
    row.save(force_insert=True)
    return Decision(id=row.id, outcome=str(row.outcome), reasons=tuple(row.reasons))


def _refusal(
    action: Action, actor_id: int | None, subjects: Sequence[Ref], ruling: Ruling, digest: str
) -> errors.Refused:
    row = _row(action, actor_id, subjects, ruling, digest)
    try:
        _write_apart(row)
    except Exception:
        # The refusal stands whether or not it could be written down.
        log.exception("the refusal %s of %s was not written", row.id, action)
    return errors.BY_CODE[ruling.code](
        ruling.detail,
        extra={"decision": row.id, "rules": row.rules, "matched": row.spans[:5]},
    )


def _write_apart(row: DecisionRow) -> None:
    """Write a refusal past the caller's transaction, which the refusal is about to undo."""
    if not connection.in_atomic_block:
        row.save(force_insert=True)
        return
    apart = connections.create_connection("default")
    fields = DecisionRow._meta.concrete_fields  # noqa: SLF001 - Django's public meta API
    names = ", ".join(f'"{field.column}"' for field in fields)
    marks = ", ".join(["%s"] * len(fields))
    table = DecisionRow._meta.db_table  # noqa: SLF001 - Django's public meta API
    try:
        values = [field.get_db_prep_save(getattr(row, field.attname), apart) for field in fields]
        with apart.cursor() as cursor:
            cursor.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", values)  # noqa: S608 - names of our own columns
    finally:
        apart.close()


def judge_intake(media: Media, scan: Scan) -> Verdict:
    """The judge of pictures at intake, for ``media.services.set_judge``."""
    try:
        decide(
            action=Action.MEDIA_INTAKE,
            actor_id=media.owner_id,
            subjects=[Ref("media", media.pk)],
            texts={"filename": media.filename},
        )
    except DomainError as refusal:
        return Verdict(code=refusal.code, detail=refusal.detail)
    return Verdict(rating=Rating(scan.rating))


def register_resource(
    *,
    kind: str,
    ref: str | int,
    owner_id: int | None,
    detected_class: str = DetectedClass.UNSCANNED,
    parents: Sequence[Ref] = (),
    ceiling: int = Rating.XXX,
    decision_id: str = "",
) -> None:
    """Write down what a maker made, from what, and what it was found to show.

    A resource that was found to be a likeness or is blocked stays so, whatever is said later.
    """
    own = Ref(kind, ref)
    found = DetectedClass(detected_class)
    with transaction.atomic():
        if kind in ARTIFACT_KINDS:
            Artifact.objects.get_or_create(
                kind=own.kind,
                ref=own.id,
                defaults={
                    "owner_id": owner_id,
                    "ceiling": ceiling,
                    "decision_id": decision_id,
                },
            )
        else:
            _classify(own, owner_id, found)
        Lineage.objects.bulk_create(
            [
                Lineage(
                    child_kind=own.kind,
                    child_ref=own.id,
                    parent_kind=parent.kind,
                    parent_ref=parent.id,
                )
                for parent in dict.fromkeys(parents)
                if parent != own
            ],
            ignore_conflicts=True,
        )


def _classify(own: Ref, owner_id: int | None, found: DetectedClass) -> None:
    row, made = Resource.objects.select_for_update(no_key=True).get_or_create(
        kind=own.kind, ref=own.id, defaults={"owner_id": owner_id, "detected_class": found}
    )
    if made or row.detected_class == found:
        return
    settled = row.detected_class in {DetectedClass.LIKENESS, DetectedClass.BLOCKED}
    stricter = STRICTNESS.index(found) > STRICTNESS.index(DetectedClass(row.detected_class))
    if settled and not stricter:
        return
    row.detected_class = found
    row.classified_at = clock.now()
    row.save(update_fields=["detected_class", "classified_at"])


def block(*, ref: Ref, reason: str, case_id: str = "") -> None:
    """From the commit of this on, nobody may see or use it. Doing it twice does it once."""
    with transaction.atomic():
        _, made = Blocked.objects.get_or_create(
            kind=ref.kind,
            ref=ref.id,
            defaults={
                "number": int(ref.id) if ref.kind in INTEGER_KINDS else None,
                "reason": reason,
                "case_id": case_id,
            },
        )
        if made:
            outbox.publish(
                "likeness.blocked", {"kind": ref.kind, "ref": ref.id, "case_id": case_id}
            )


def unblock(*, ref: Ref) -> None:
    """Lift a block that turned out to be wrong."""
    with transaction.atomic():
        gone, _ = Blocked.objects.filter(kind=ref.kind, ref=ref.id).delete()
        if gone:
            outbox.publish("likeness.unblocked", {"kind": ref.kind, "ref": ref.id})


def kill_switch(*, capability: str, on: bool, actor: User | None) -> None:
    """Stop a capability for everybody (``on``), or let it go on; the rules themselves stay."""
    if capability not in queries.CAPABILITIES:
        raise Invalid.field("capability", f"must be one of {', '.join(queries.CAPABILITIES)}")
    with transaction.atomic():
        Switch.objects.update_or_create(
            capability=capability,
            defaults={
                "stopped": on,
                "actor_id": actor.pk if actor else None,
                "changed_at": clock.now(),
            },
        )
        log.warning("%s is %s", capability, "stopped" if on else "allowed")
