from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.db import transaction
from tests.factories import accounts as make
from tests.factories import gallery as rows
from tests.factories import media as pictures

from atelier.accounts.models import User
from atelier.core import clock
from atelier.core.errors import DomainError, Invalid
from atelier.likeness import facts, queries, services
from atelier.likeness import rules as ruling
from atelier.likeness.actions import COMMISSIONS, HOLDABLE, PROMPTS, TALK, Action
from atelier.likeness.errors import (
    BlockedThing,
    ChecksUnavailable,
    LikenessConsentRequired,
    MinorContent,
    NoStanding,
    PhotorealSexual,
    Quarantined,
    Refused,
    SexualLikeness,
    Stopped,
)
from atelier.likeness.models import Artifact, Blocked, Decision, Lineage, Resource
from atelier.likeness.refs import Ref
from atelier.media.models import Scan

if TYPE_CHECKING:
    from atelier.media.models import Media

pytestmark = pytest.mark.django_db

FACE = {"real_faces": 1, "photoreal": 0.95}


def _ask(
    action: Action = Action.BOUNTY_CREATE,
    *subjects: Ref,
    actor: User | None = None,
    **texts: str,
) -> services.Decision:
    person = actor or make.user()
    return services.decide(action=action, actor_id=person.pk, subjects=subjects, texts=texts)


def _media(owner: User | None = None, *, generated: bool = False, **scan: Any) -> Ref:
    made: Media = rows.picture(owner or make.user(), scan=scan, generated=generated)
    return Ref("media", made.pk)


def _version(number: int, detected_class: str, *parents: Ref) -> Ref:
    services.register_resource(
        kind="version", ref=number, owner_id=1, detected_class=detected_class, parents=parents
    )
    return Ref("version", number)


def test_a_clean_request_is_allowed_and_written_down() -> None:
    actor = make.user()
    picture = _media(actor)
    answer = _ask(Action.BOUNTY_CREATE, picture, actor=actor, title="A fox", brief="Small, drawn.")
    row = Decision.objects.get(pk=answer.id)
    assert (answer.outcome, row.outcome, row.code) == ("allow", "allow", "")
    assert (row.action, row.actor_id, row.subjects) == ("bounty_create", actor.pk, [str(picture)])
    assert len(row.inputs_digest) == 64
    assert row.policy_version


def test_the_digest_binds_to_every_input() -> None:
    actor = make.user()
    one, two = _media(actor), _media(actor)

    def digest(*subjects: Ref, **texts: str) -> str:
        answer = _ask(Action.BOUNTY_CREATE, *subjects, actor=actor, **texts)
        return Decision.objects.get(pk=answer.id).inputs_digest

    base = digest(one, title="A fox")
    assert digest(one, title="A fox") == base
    assert digest(two, title="A fox") != base
    assert digest(one, title="A box") != base
    assert digest(one, two, title="A fox") != base


# ---- real faces -----------------------------------------------------------------------------

USES = sorted(set(Action) - {Action.MEDIA_INTAKE})


@pytest.mark.parametrize("action", USES)
def test_a_real_face_is_refused_in_every_use(action: Action) -> None:
    picture = _media(**FACE)
    with pytest.raises(LikenessConsentRequired) as refusal:
        _ask(action, picture)
    assert (refusal.value.code, refusal.value.status) == ("likeness_consent_required", 403)
    assert "real person's face" in refusal.value.detail
    assert "own consent" in refusal.value.detail
    assert "/likeness" in refusal.value.detail


def test_a_lone_photograph_of_a_person_passes_intake() -> None:
    assert _ask(Action.MEDIA_INTAKE, _media(**FACE)).outcome == "allow"


def test_one_face_among_many_drawings_is_enough() -> None:
    drawings = [_media() for _ in range(9)]
    with pytest.raises(LikenessConsentRequired) as refusal:
        _ask(Action.DATASET_INTAKE, *drawings, _media(**FACE))
    rules = refusal.value.extra["rules"]
    assert rules == ["picture.real_face"]


def test_the_real_pipeline_refuses_a_real_photograph() -> None:
    owner = make.user()
    photograph = Ref("media", pictures.photograph(owner).pk)
    for action in (Action.BOUNTY_CREATE, Action.DATASET_INTAKE, Action.POST_CREATE):
        with pytest.raises(LikenessConsentRequired):
            _ask(action, photograph, actor=owner)
    drawing = Ref("media", pictures.drawing(owner).pk)
    assert _ask(Action.DATASET_INTAKE, drawing, actor=owner).outcome == "allow"


def test_an_invented_face_of_our_generator_passes_where_it_is_nobody() -> None:
    base = _version(1, "none")
    picture = _media(generated=True, **FACE)
    for action in (Action.GENERATION_RELEASE, Action.POST_CREATE, Action.REMIX):
        assert _ask(action, picture, base).outcome == "allow"
    for action in (Action.TRAINING_PUBLISH, Action.ENTRY_CREATE, Action.BOUNTY_CREATE):
        with pytest.raises(LikenessConsentRequired):
            _ask(action, picture)


def test_what_a_model_was_made_from_counts_for_ever() -> None:
    photograph = _media(**FACE)
    services.register_resource(
        kind="training", ref="trn_1", owner_id=1, detected_class="none", parents=[photograph]
    )
    version = _version(7, "none", Ref("training", "trn_1"))
    for action in (Action.GENERATION_ENQUEUE, Action.DOWNLOAD, Action.VERSION_PUBLISH):
        with pytest.raises(LikenessConsentRequired):
            _ask(action, version)


# ---- sexual, minors -------------------------------------------------------------------------


def test_a_face_with_anything_sexual_is_refused_everywhere() -> None:
    actor = make.user()
    seen = [
        _media(actor, generated=generated, sexual=level, **FACE)
        for generated in (False, True)
        for level in ("suggestive", "explicit")
    ]
    for action in sorted(Action):
        for picture in seen:
            with pytest.raises(SexualLikeness):
                _ask(action, picture, actor=actor)


def test_a_sign_of_a_minor_with_anything_sexual_is_refused_everywhere() -> None:
    actor = make.user()
    scans: list[dict[str, Any]] = [
        {"drawn_faces": 1, "minor_signal": True, "sexual": "suggestive"},
        {"minor_signal": True, "sexual": "explicit", **FACE},
    ]
    pictures_seen = [
        _media(actor, generated=generated, **scan) for generated in (False, True) for scan in scans
    ]
    for action in sorted(Action):
        for picture in pictures_seen:
            with pytest.raises(MinorContent):
                _ask(action, picture, actor=actor)
        for text in ("schoolgirl, naked", "lolicon"):
            with pytest.raises(MinorContent):
                _ask(action, actor=actor, title=text)


def test_a_face_and_words_that_undress_it_are_refused() -> None:
    with pytest.raises(SexualLikeness):
        _ask(Action.REMIX, _media(**FACE), prompt="naked, on a bed")
    with pytest.raises(SexualLikeness):
        _ask(Action.GENERATION_ENQUEUE, prompt="Taylor Swift nude")
    with pytest.raises(SexualLikeness):
        _ask(Action.COMMENT, body="nudes of my ex girlfriend")
    with pytest.raises(SexualLikeness):
        _ask(Action.BOUNTY_CREATE, title="My coworker", brief="topless please")


def test_words_of_a_minor_over_a_sexual_picture_are_refused() -> None:
    with pytest.raises(MinorContent):
        _ask(Action.POST_CREATE, _media(sexual="explicit"), title="my little girl character")


def test_a_photographic_sexual_upload_is_refused_and_a_drawing_is_not() -> None:
    with pytest.raises(PhotorealSexual):
        _ask(Action.MEDIA_INTAKE, _media(sexual="explicit", photoreal=0.9))
    assert _ask(Action.MEDIA_INTAKE, _media(sexual="explicit", photoreal=0.05)).outcome == "allow"
    own = _media(sexual="explicit", photoreal=0.9, generated=True)
    assert _ask(Action.MEDIA_INTAKE, own).outcome == "allow"


def test_what_a_negative_prompt_keeps_out_is_not_asked_for() -> None:
    answer = _ask(Action.GENERATION_ENQUEUE, prompt="a fox", negative_prompt="nsfw, nude, child")
    assert answer.outcome == "allow"
    with pytest.raises(LikenessConsentRequired):
        _ask(Action.GENERATION_ENQUEUE, prompt="a fox", negative_prompt="taylor swift")


# ---- words ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "https://instagram.com/jane",
        "insta: jane.doe",
        "LoRA of my wife, photos attached",
        "a model of Scarlett Johansson",
        "deepfake of somebody",
    ],
)
def test_commissions_that_point_at_somebody_are_refused(text: str) -> None:
    actor = make.user()
    for action in sorted(COMMISSIONS):
        with pytest.raises(LikenessConsentRequired) as refusal:
            _ask(action, actor=actor, description=text)
        matched = refusal.value.extra["matched"]
        assert isinstance(matched, list)
        assert matched[0]["field"] == "description"
        assert matched[0]["found"] in refusal.value.detail


@pytest.mark.parametrize("text", ["the same person as before", "ask @jane_doe", "my boss"])
def test_doubtful_commissions_wait_where_they_can_and_are_refused_elsewhere(text: str) -> None:
    for action in sorted(COMMISSIONS):
        if action in HOLDABLE:
            answer = _ask(action, description=text)
            assert answer.outcome == "hold"
            assert answer.reasons
            assert Decision.objects.get(pk=answer.id).outcome == "hold"
        else:
            with pytest.raises(LikenessConsentRequired):
                _ask(action, description=text)


@pytest.mark.parametrize("action", sorted(PROMPTS))
def test_prompts_that_name_a_public_person_are_refused(action: Action) -> None:
    with pytest.raises(LikenessConsentRequired):
        _ask(action, prompt="portrait of t4yl0r sw1ft")
    assert _ask(action, prompt="emma standing near a stone bridge").outcome == "allow"
    assert _ask(action, prompt="a real woman, photograph, @ 50mm").outcome == "allow"


def test_a_title_that_says_who_it_is_of_is_refused_and_a_prompt_is_not() -> None:
    text = "picture of my wife"
    assert _ask(Action.POST_CREATE, **{"images.0.prompt": text}).outcome == "allow"
    with pytest.raises(LikenessConsentRequired):
        _ask(Action.POST_CREATE, title=text)


@pytest.mark.parametrize("action", sorted(TALK))
def test_talk_may_mention_but_not_point(action: Action) -> None:
    for text in ("my wife loves this style", "thanks @fox_maker", "like Taylor Swift's cover"):
        assert _ask(action, body=text).outcome == "allow"
    for text in ("she is instagram.com/jane", "her insta: jane.doe", "train on my sister"):
        with pytest.raises(LikenessConsentRequired):
            _ask(action, body=text)


def test_ones_own_profile_may_link_to_oneself() -> None:
    assert _ask(Action.PROFILE_TEXT, bio="I am at instagram.com/foxmaker").outcome == "allow"


def test_a_text_too_long_to_be_checked_is_refused() -> None:
    with pytest.raises(Invalid):
        _ask(Action.COMMENT, body="fox " * 20_000)


# ---- resources, blocks, standing, switches ---------------------------------------------------


def test_weights_that_nobody_examined_are_refused() -> None:
    for version in (_version(1, "unscanned"), Ref("version", 999)):
        for action in (Action.GENERATION_ENQUEUE, Action.DOWNLOAD, Action.VERSION_PUBLISH):
            with pytest.raises(Quarantined) as refusal:
                _ask(action, version)
            assert refusal.value.code == "quarantined"
    assert _ask(Action.GENERATION_ENQUEUE, _version(1, "none")).outcome == "allow"


def test_a_likeness_stays_one_whatever_is_said_later() -> None:
    version = _version(1, "likeness")
    _version(1, "none")
    assert queries.detected_class(version) == "likeness"
    with pytest.raises(LikenessConsentRequired):
        _ask(Action.GENERATION_ENQUEUE, version)
    with pytest.raises(SexualLikeness):
        _ask(Action.GENERATION_ENQUEUE, version, prompt="naked")
    _version(1, "blocked")
    with pytest.raises(BlockedThing):
        _ask(Action.GENERATION_ENQUEUE, version)


def test_registering_again_adds_parents_and_nothing_else() -> None:
    parent = _media()
    version = _version(1, "none", parent, parent)
    _version(1, "none", parent)
    assert queries.parents(version) == [parent]
    assert (Resource.objects.count(), Lineage.objects.count()) == (1, 1)
    services.register_resource(kind="media", ref=parent.id, owner_id=1, parents=[version])
    assert Artifact.objects.get().ref == parent.id


def test_a_block_acts_on_the_thing_and_on_all_that_came_from_it() -> None:
    picture = _media()
    version = _version(5, "none", picture)
    merged = _version(6, "none", version)
    assert _ask(Action.GENERATION_ENQUEUE, merged).outcome == "allow"
    services.block(ref=picture, reason="A case", case_id="cas_1")
    services.block(ref=picture, reason="Again")
    assert Blocked.objects.count() == 1
    assert queries.is_blocked(picture)
    for subject in (picture, version, merged):
        with pytest.raises(BlockedThing):
            _ask(Action.DOWNLOAD, subject)
    services.unblock(ref=picture)
    assert _ask(Action.GENERATION_ENQUEUE, merged).outcome == "allow"


def test_blocked_ids_are_of_the_kinds_own_key_type() -> None:
    services.block(ref=Ref("version", 12), reason="x")
    services.block(ref=Ref("bounty", "bty_1"), reason="x")
    assert list(queries.blocked_ids("version")) == [{"number": 12}]
    assert list(queries.blocked_ids("bounty")) == [{"ref": "bty_1"}]
    assert list(queries.blocked_ids("image")) == []
    with pytest.raises(ValueError, match="no such kind"):
        queries.blocked_ids("moon")


@pytest.mark.parametrize(
    ("kind", "ref"), [("moon", "1"), ("version", "x"), ("bounty", ""), ("image", "-1")]
)
def test_a_reference_names_something(kind: str, ref: str) -> None:
    with pytest.raises(ValueError, match="no such kind"):
        Ref(kind, ref)


def test_a_suspended_or_unknown_actor_is_refused() -> None:
    actor = make.user()
    User.objects.filter(pk=actor.pk).update(suspended_at=clock.now())
    with pytest.raises(NoStanding):
        _ask(Action.COMMENT, actor=actor, body="hello")
    with pytest.raises(NoStanding):
        services.decide(action=Action.COMMENT, actor_id=10**9, texts={"body": "hello"})


@pytest.mark.parametrize(
    ("capability", "stopped", "free"),
    [
        ("uploads", Action.MEDIA_INTAKE, Action.COMMENT),
        ("training", Action.TRAINING_RUN, Action.GENERATION_ENQUEUE),
        ("generation", Action.GENERATION_RELEASE, Action.TRAINING_RUN),
    ],
)
def test_a_kill_switch_stops_its_capability_at_once(
    capability: str, stopped: Action, free: Action
) -> None:
    assert _ask(stopped).outcome == "allow"
    services.kill_switch(capability=capability, on=True, actor=None)
    with pytest.raises(Stopped) as refusal:
        _ask(stopped)
    assert capability in refusal.value.detail
    assert _ask(free).outcome == "allow"
    services.kill_switch(capability=capability, on=False, actor=None)
    assert _ask(stopped).outcome == "allow"


def test_the_mature_switch_stops_what_is_sexual() -> None:
    services.kill_switch(capability="mature", on=True, actor=None)
    with pytest.raises(Stopped):
        _ask(Action.GENERATION_ENQUEUE, prompt="nude figure study")
    with pytest.raises(Stopped):
        _ask(Action.POST_CREATE, _media(sexual="explicit", photoreal=0.0))
    assert _ask(Action.GENERATION_ENQUEUE, prompt="a fox").outcome == "allow"
    with pytest.raises(Invalid):
        services.kill_switch(capability="moon", on=True, actor=None)
    assert queries.status()["mature"] == "stopped"


# ---- evidence and faults ---------------------------------------------------------------------


def test_without_a_scan_of_these_very_pixels_the_answer_is_no() -> None:
    picture = _media()
    Scan.objects.filter(media_id=picture.id).update(canonical_sha256="0" * 64)
    with pytest.raises(ChecksUnavailable):
        _ask(Action.POST_CREATE, picture)
    Scan.objects.filter(media_id=picture.id).delete()
    with pytest.raises(ChecksUnavailable):
        _ask(Action.POST_CREATE, picture)
    with pytest.raises(ChecksUnavailable):
        _ask(Action.POST_CREATE, Ref("media", "med_unknown"))


def test_without_the_scan_of_an_ancestor_the_answer_is_no() -> None:
    picture = _media()
    version = _version(3, "none", picture)
    Scan.objects.filter(media_id=picture.id).delete()
    with pytest.raises(ChecksUnavailable):
        _ask(Action.GENERATION_ENQUEUE, version)


@pytest.mark.parametrize(
    ("place", "name"),
    [
        (facts, "gather"),
        (facts, "_pictures"),
        (facts, "_classes"),
        (facts, "_blocked"),
        (facts, "_with_ancestors"),
        (queries, "stopped"),
        (services, "audit"),
        (services, "_standing"),
        (services, "_allowed"),
        (services, "_digest"),
        (ruling, "rule"),
    ],
)
@pytest.mark.parametrize("action", [Action.BOUNTY_CREATE, Action.GENERATION_RELEASE])
def test_whatever_breaks_the_answer_is_no(
    monkeypatch: pytest.MonkeyPatch, place: Any, name: str, action: Action
) -> None:
    def broken(*arguments: Any, **more: Any) -> Any:
        message = "it broke"
        raise RuntimeError(message)

    picture = _media()
    monkeypatch.setattr(place, name, broken)
    with pytest.raises(ChecksUnavailable) as refusal:
        _ask(action, picture, prompt="a fox")
    assert refusal.value.status == 403
    assert not Decision.objects.filter(outcome="allow").exists()


def test_a_refusal_stands_when_it_cannot_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(row: Decision) -> None:
        message = "disk"
        raise OSError(message)

    monkeypatch.setattr(services, "_write_apart", broken)
    with pytest.raises(LikenessConsentRequired):
        _ask(Action.POST_CREATE, _media(**FACE))


@pytest.mark.django_db(transaction=True)
def test_a_refusal_survives_the_rollback_that_it_causes() -> None:
    actor = make.user()

    def attempt() -> None:
        with transaction.atomic():
            _ask(Action.COMMENT, actor=actor, body="instagram.com/jane")

    with pytest.raises(LikenessConsentRequired):
        attempt()
    row = Decision.objects.get(actor_id=actor.pk)
    assert (row.outcome, row.code) == ("deny", "likeness_consent_required")
    assert row.rules == ["text.profile_link"]
    assert row.spans[0]["found"] == "instagram.com/jane"
    public = queries.decision(row.pk)
    assert public["code"] == "likeness_consent_required"
    assert public["actor_id"] == actor.pk


def test_every_refusal_says_what_and_what_to_do() -> None:
    seen: set[str] = set()
    for ask in (
        lambda: _ask(Action.POST_CREATE, _media(**FACE)),
        lambda: _ask(Action.POST_CREATE, _media(sexual="explicit", **FACE)),
        lambda: _ask(Action.POST_CREATE, title="child, naked"),
        lambda: _ask(Action.MEDIA_INTAKE, _media(sexual="explicit", photoreal=0.9)),
        lambda: _ask(Action.DOWNLOAD, Ref("version", 9)),
        lambda: _ask(Action.POST_CREATE, Ref("media", "med_gone")),
    ):
        with pytest.raises(Refused) as refusal:
            ask()
        seen.add(refusal.value.code)
        assert len(refusal.value.detail) > 40
        assert str(refusal.value.extra["decision"]).startswith("dec_")
    assert len(seen) == 6


def test_intake_gives_the_pictures_rating_or_the_refusal() -> None:
    owner = make.user()
    made = rows.picture(owner, scan={"rating": 4, "sexual": "suggestive", "drawn_faces": 1})
    assert services.judge_intake(made, made.scan).rating == 4
    bad = rows.picture(owner, scan={"sexual": "explicit", **FACE})
    verdict = services.judge_intake(bad, bad.scan)
    assert verdict.code == "sexual_likeness"
    assert verdict.detail


def test_an_unknown_action_is_no() -> None:
    with pytest.raises(DomainError):
        services.decide(action="fly", actor_id=None)  # type: ignore[arg-type]
