"""The rules in their order: the first that refuses ends it, and holds come after refusals."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from atelier.likeness import policy
from atelier.likeness.actions import (
    COMMISSIONS,
    GENERATED_FACES_PASS,
    PROMPTS,
    Action,
)
from atelier.likeness.models import DetectedClass
from atelier.likeness.policy import Reason
from atelier.likeness.text import reader as text_rules

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from atelier.likeness.facts import Facts, Picture
    from atelier.likeness.text import Findings

PHOTOREAL = 0.3  # the engine's bar for "a photograph", chosen to miss few
NEGATIVE_FIELDS = ("negative_prompt",)


@dataclass(frozen=True, slots=True)
class Ruling:
    """What the rules say: an empty code lets it pass, perhaps only after a person looked."""

    code: str = ""
    detail: str = ""
    hold: bool = False
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class Question:
    """Everything a ruling rests on."""

    action: Action
    facts: Facts
    texts: Mapping[str, Findings]
    stopped: frozenset[str] = field(default_factory=frozenset)

    def hits(self, *rules: str, negative: bool = True) -> list[Reason]:
        """Matches of these text rules in all fields; ``negative`` includes negative prompts."""
        return [
            Reason(hit.rule, hit.matched, name)
            for name, findings in self.texts.items()
            if negative or not name.startswith(NEGATIVE_FIELDS)
            for hit in findings.of(*rules)
        ]


def rule(question: Question) -> Ruling:
    """The ruling on a question whose evidence is complete."""
    for check in (_minor, _blocked, _sexual_likeness, _photoreal_sexual, _resources, _likeness):
        for ruling in check(question):
            return ruling
    reasons = tuple(_doubts(question))
    if reasons:
        return Ruling(
            hold=True,
            reasons=reasons,
            detail=(
                f"This may be about a real person ({_quoted(reasons)}), so a person looks at it "
                f"first. {policy.CONSENT_RULE}"
            ),
        )
    return Ruling()


def _quoted(reasons: Sequence[Reason]) -> str:
    return ", ".join(dict.fromkeys(f"“{reason.found}”" for reason in reasons[:3]))


def _has_real_face(question: Question, picture: Picture) -> bool:
    if picture.real_faces == 0:
        return False
    return not (picture.generated and question.action in GENERATED_FACES_PASS)


def _likeness_pictures(question: Question) -> list[Picture]:
    facts = question.facts
    own = [picture for picture in facts.pictures if _has_real_face(question, picture)]
    # What a thing was made from counts wherever it goes; there our own generator's faces pass.
    inherited = [p for p in facts.ancestors if p.real_faces and not p.generated]
    return own + inherited


def _person_in_text(question: Question) -> list[Reason]:
    rules = [text_rules.PUBLIC_NAME, text_rules.PROFILE_LINK, text_rules.SOCIAL_HANDLE]
    rules += [text_rules.RELATION, text_rules.RELATION_MENTION, text_rules.ABUSE]
    if question.action not in PROMPTS:
        rules.append(text_rules.SAME_PERSON)
    return question.hits(*rules)


def _minor(question: Question) -> Iterator[Ruling]:
    detail = (
        "Anything sexual with a sign of a minor is refused here, always, also when it is drawn or "
        "invented."
    )
    for picture in (*question.facts.pictures, *question.facts.ancestors):
        if picture.minor_signal and picture.is_sexual:
            yield Ruling(
                policy.MINOR, detail, reasons=(Reason("picture.minor_sexual", str(picture.ref)),)
            )
    alone = question.hits(text_rules.MINOR_SEXUAL, negative=False)
    if alone:
        yield Ruling(policy.MINOR, f"{_quoted(alone)}: {detail}", reasons=tuple(alone))
    minor = question.hits(text_rules.MINOR, negative=False)
    sexual = question.hits(text_rules.SEXUAL, negative=False)
    if minor and sexual:
        both = (*minor[:3], *sexual[:3])
        yield Ruling(policy.MINOR, f"{_quoted(minor + sexual)}: {detail}", reasons=both)
    pictures = question.facts.pictures
    if sexual and any(picture.minor_signal and picture.real_faces for picture in pictures):
        yield Ruling(policy.MINOR, detail, reasons=tuple(sexual))
    if minor and any(picture.is_sexual for picture in pictures):
        yield Ruling(policy.MINOR, detail, reasons=tuple(minor))


def _blocked(question: Question) -> Iterator[Ruling]:
    if question.facts.blocked:
        found = question.facts.blocked[0]
        yield Ruling(
            policy.BLOCKED,
            "This, or something it was made from, was taken down. It cannot be used any more.",
            reasons=(Reason("blocked", str(found)),),
        )


def _sexual_likeness(question: Question) -> Iterator[Ruling]:
    detail = (
        "Sexual content of a real person is refused here, always, even with that person's consent."
    )
    # A picture's own face: our generator's too, for a face is a face once it is undressed.
    for picture in (*question.facts.pictures, *question.facts.ancestors):
        if picture.real_faces and picture.is_sexual:
            yield Ruling(
                policy.SEXUAL_LIKENESS,
                detail,
                reasons=(Reason("picture.sexual_likeness", str(picture.ref)),),
            )
    sexual = question.hits(text_rules.SEXUAL, negative=False)
    persons = _person_in_text(question)
    if sexual and persons:
        yield Ruling(
            policy.SEXUAL_LIKENESS,
            f"{_quoted([persons[0], sexual[0]])}: {detail}",
            reasons=(*persons[:3], *sexual[:3]),
        )
    faces = _likeness_pictures(question)
    classes = question.facts.classes
    likeness = [ref for ref, found in classes.items() if found == DetectedClass.LIKENESS]
    pictures_sexual = [picture for picture in question.facts.pictures if picture.is_sexual]
    if (faces or likeness or persons) and (sexual or pictures_sexual):
        yield Ruling(policy.SEXUAL_LIKENESS, detail, reasons=(Reason("combination", "sexual"),))


def _photoreal_sexual(question: Question) -> Iterator[Ruling]:
    for picture in question.facts.pictures:
        if picture.is_explicit and picture.photoreal >= PHOTOREAL and not picture.generated:
            yield Ruling(
                policy.PHOTOREAL_SEXUAL,
                "Sexual pictures that look like photographs are taken only from this site's own "
                "generator, because nobody can see whether the person in them agreed.",
                reasons=(Reason("picture.photoreal_sexual", str(picture.ref)),),
            )


def _resources(question: Question) -> Iterator[Ruling]:
    for ref, found in question.facts.classes.items():
        if found == DetectedClass.BLOCKED:
            yield Ruling(
                policy.BLOCKED,
                "This model was taken down. It cannot be used any more.",
                reasons=(Reason("resource.blocked", str(ref)),),
            )
        if found == DetectedClass.UNSCANNED and ref.kind == "version":
            yield Ruling(
                policy.QUARANTINED,
                "These weights came from elsewhere and nobody has examined them yet. Until then "
                "they are not shown, downloaded or generated with, by anyone.",
                reasons=(Reason("resource.unscanned", str(ref)),),
            )


def _likeness(question: Question) -> Iterator[Ruling]:
    action = question.action
    faces = [] if action == Action.MEDIA_INTAKE else _likeness_pictures(question)
    if faces:
        count = sum(picture.real_faces for picture in faces)
        what = "a real person's face" if count == 1 else f"{count} faces of real people"
        where = "the picture" if len(faces) == 1 else f"{len(faces)} of the pictures"
        yield Ruling(
            policy.CONSENT,
            f"We found {what} in {where}. {policy.CONSENT_RULE} {policy.CONSENT_WAY_OUT}",
            reasons=tuple(Reason("picture.real_face", str(picture.ref)) for picture in faces[:20]),
        )
    for ref, found in question.facts.classes.items():
        if found == DetectedClass.LIKENESS:
            yield Ruling(
                policy.CONSENT,
                f"This model shows a real person. {policy.CONSENT_RULE} {policy.CONSENT_WAY_OUT}",
                reasons=(Reason("resource.likeness", str(ref)),),
            )
    rules: tuple[str, ...] = ()
    if action in COMMISSIONS:
        rules = (
            text_rules.PROFILE_LINK,
            text_rules.SOCIAL_HANDLE,
            text_rules.RELATION,
            text_rules.PUBLIC_NAME,
            text_rules.ABUSE,
        )
    elif action in PROMPTS:
        rules = (
            text_rules.PUBLIC_NAME,
            text_rules.PROFILE_LINK,
            text_rules.SOCIAL_HANDLE,
            text_rules.ABUSE,
        )
    elif action != Action.PROFILE_TEXT:
        rules = (text_rules.PROFILE_LINK, text_rules.SOCIAL_HANDLE, text_rules.RELATION)
        rules += (text_rules.ABUSE,)
    found_words = question.hits(*rules) if rules else []
    if action in PROMPTS:
        # A prompt's "my wife" is nobody the model knows; a title's says who the picture is of.
        told = question.hits(text_rules.RELATION)
        found_words += [hit for hit in told if not hit.field.endswith("prompt")]
    if found_words:
        yield Ruling(
            policy.CONSENT,
            f"{_quoted(found_words)} points at a real person. {policy.CONSENT_RULE} "
            f"{policy.CONSENT_WAY_OUT}",
            reasons=tuple(found_words[:20]),
        )


def _doubts(question: Question) -> Iterator[Reason]:
    if question.action not in COMMISSIONS:
        return
    yield from question.hits(
        text_rules.HANDLE, text_rules.SAME_PERSON, text_rules.RELATION_MENTION
    )[:20]
