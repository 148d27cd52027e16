from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest
from tests.factories import accounts as make
from tests.factories import bounties as make_bounties
from tests.factories import catalog as make_models
from tests.factories import gallery as make_pictures

from atelier.accounts.models import User
from atelier.bounties.models import Bounty
from atelier.catalog.models import ModelVersion
from atelier.core import clock, outbox
from atelier.core.errors import Forbidden, Invalid, NotFound, WrongState
from atelier.gallery.models import Image, Post
from atelier.ledger import queries as books
from atelier.media.models import Media
from atelier.moderation import queries, services, targets
from atelier.moderation.errors import AlreadyReported, OwnContent
from atelier.moderation.models import ModerationDecision, Report, StatementOfReasons
from atelier.notifications.models import Notification
from atelier.social import services as social
from atelier.social.models import Comment

if TYPE_CHECKING:
    from typing import Any

pytestmark = pytest.mark.django_db


def _act(
    actor: User, action: str, kind: str, target_id: object, **fields: Any
) -> ModerationDecision:
    return services.act(
        **{
            "actor": actor,
            "action": action,
            "kind": kind,
            "target_id": str(target_id),
            "reason": "It shows a person who did not agree.",
            "rule": "likeness",
            **fields,
        }
    )


def _nothing_decided() -> bool:
    return not ModerationDecision.objects.exists() and not StatementOfReasons.objects.exists()


def test_anyone_reports_by_kind_or_by_link() -> None:
    image = make_pictures.image()
    reporter = make.user()
    by_kind = services.report(
        reporter=reporter, kind="image", target_id=str(image.pk), reason="spam"
    )
    by_link = services.report(
        reporter=None, link=f"http://localhost:8000/images/{image.pk}?x=1", reason="likeness"
    )
    by_bytes = services.report(
        reporter=None,
        link=f"/media/{image.media_id}/320.webp",
        reason="intimate",
        contact="me@example.org",
    )
    for found in (by_kind, by_link, by_bytes):
        assert (found.target_kind, found.target_id) == ("image", str(image.pk))
        assert found.status == "open"
    assert len({by_link.secret, by_bytes.secret}) == 2
    profile = services.report(
        reporter=reporter, link=f"/u/{image.owner.username}", reason="harassment"
    )
    assert (profile.target_kind, profile.target_id) == ("user", str(image.owner_id))


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"reason": "boredom"}, Invalid),
        ({"reason": "other"}, Invalid),
        ({"reason": "spam", "details": "x" * 4001}, Invalid),
        ({"reason": "spam", "kind": "moon"}, Invalid),
        ({"reason": "spam", "target_id": "999999"}, NotFound),
        ({"reason": "spam", "target_id": "abc"}, NotFound),
        ({"reason": "spam", "kind": "", "link": "https://elsewhere.example/x"}, Invalid),
    ],
)
def test_reports_that_are_refused(fields: dict[str, str], problem: type[Exception]) -> None:
    image = make_pictures.image()
    with pytest.raises(problem):
        services.report(**{"reporter": None, "kind": "image", "target_id": str(image.pk), **fields})
    assert not Report.objects.exists()


def test_one_open_report_a_person_and_thing_and_none_of_ones_own() -> None:
    image = make_pictures.image()
    reporter = make.user()
    services.report(reporter=reporter, kind="image", target_id=str(image.pk), reason="spam")
    with pytest.raises(AlreadyReported):
        services.report(reporter=reporter, kind="image", target_id=str(image.pk), reason="rating")
    with pytest.raises(Invalid):
        services.report(reporter=image.owner, kind="image", target_id=str(image.pk), reason="spam")
    assert Report.objects.count() == 1


def test_reporting_tells_nobody_what_is_hidden() -> None:
    draft = make_models.model()
    with pytest.raises(NotFound):
        services.report(reporter=make.user(), kind="model", target_id=str(draft.pk), reason="spam")
    assert not Report.objects.exists()


def test_hiding_states_the_reasons_answers_the_reports_and_tells_both() -> None:
    image = make_pictures.image()
    reporter, staff = make.user(), make.staff()
    report = services.report(
        reporter=reporter, kind="image", target_id=str(image.pk), reason="likeness"
    )
    decision = _act(staff, "hide", "image", image.pk)
    assert Image.objects.get(pk=image.pk).status == "hidden"
    assert Media.objects.get(pk=image.media_id).visibility == "hidden"
    report.refresh_from_db()
    assert (report.status, report.decision) == ("acted", decision)
    statement = StatementOfReasons.objects.get(decision=decision)
    assert statement.recipient == image.owner
    assert statement.facts == "It shows a person who did not agree."
    assert statement.source == "A report"
    assert "hidden" in statement.restriction
    assert statement.rule == "A real person's likeness only with that person's consent"
    assert not statement.automated_decision
    for text in (statement.scope, statement.duration, statement.redress):
        assert text
    outbox.deliver()
    outbox.deliver()
    told = {(news.user_id, news.link) for news in Notification.objects.filter(kind="decision")}
    assert told == {
        (image.owner_id, f"/cases/{statement.id}"),
        (reporter.pk, f"/cases/{report.id}"),
    }
    # Nothing that the owner reads names the reporter.
    words = " ".join(str(value) for value in vars(statement).values())
    assert reporter.username not in words
    assert reporter.email not in words


def test_giving_back_restores_and_says_so() -> None:
    image = make_pictures.image()
    staff = make.staff()
    _act(staff, "hide", "post", image.post_id)
    assert Post.objects.get(pk=image.post_id).status == "hidden"
    decision = _act(
        staff, "unhide", "post", image.post_id, rule="none", reason="A mistake of ours."
    )
    assert Post.objects.get(pk=image.post_id).status == "published"
    assert Image.objects.get(pk=image.pk).status == "published"
    assert StatementOfReasons.objects.get(decision=decision).redress == ""


def test_dismissing_leaves_the_thing_and_answers_the_reporter() -> None:
    image = make_pictures.image()
    reporter = make.user()
    report = services.report(
        reporter=reporter, kind="image", target_id=str(image.pk), reason="spam"
    )
    _act(make.staff(), "dismiss", "image", image.pk, rule="none", reason="An ordinary picture.")
    report.refresh_from_db()
    assert report.status == "dismissed"
    assert Image.objects.get(pk=image.pk).status == "published"
    assert not StatementOfReasons.objects.exists()
    outbox.deliver()
    assert [news.user_id for news in Notification.objects.all()] == [reporter.pk]


def test_only_staff_decide_and_never_about_their_own() -> None:
    image = make_pictures.image()
    for actor in (make.user(), image.owner):
        with pytest.raises(Forbidden):
            _act(actor, "hide", "image", image.pk)
    suspended = make.staff()
    User.objects.filter(pk=suspended.pk).update(suspended_at=clock.now())
    suspended.refresh_from_db()
    with pytest.raises(Forbidden):
        _act(suspended, "hide", "image", image.pk)
    own = make_pictures.image(make.staff())
    with pytest.raises(OwnContent):
        _act(own.owner, "hide", "image", own.pk)
    with pytest.raises(OwnContent):
        _act(own.owner, "suspend", "user", own.owner_id)
    assert _nothing_decided()
    assert set(Image.objects.values_list("status", flat=True)) == {"published"}


@pytest.mark.parametrize(
    "fields",
    [
        {"reason": "  "},
        {"reason": "x" * 2001},
        {"rule": "none"},
        {"rule": "taste"},
        {"action": "delete"},
    ],
)
def test_a_decision_without_reason_or_rule_is_refused(fields: dict[str, str]) -> None:
    image = make_pictures.image()
    values: dict[str, Any] = {"action": "hide", **fields}
    action = values.pop("action")
    with pytest.raises(Invalid):
        _act(make.staff(), action, "image", image.pk, **values)
    assert _nothing_decided()
    assert Image.objects.get(pk=image.pk).status == "published"


def test_an_act_that_does_not_fit_the_state_changes_nothing() -> None:
    image = make_pictures.image()
    staff = make.staff()
    for action in ("unhide", "clear", "open", "suspend"):
        with pytest.raises(WrongState):
            _act(staff, action, "image", image.pk)
    assert _nothing_decided()


def test_suspending_and_lifting() -> None:
    person, staff = make.user(), make.staff()
    until = clock.now() + dt.timedelta(days=7)
    decision = _act(staff, "suspend", "user", person.pk, rule="conduct", until=until)
    person.refresh_from_db()
    assert person.is_suspended
    assert person.suspension_reason == "It shows a person who did not agree."
    assert "Until" in StatementOfReasons.objects.get(decision=decision).duration
    _act(staff, "unsuspend", "user", person.pk, rule="none", reason="Served.")
    person.refresh_from_db()
    assert not person.is_suspended


def test_models_comments_and_versions() -> None:
    staff = make.staff()
    image = make_pictures.image()
    comment = social.comment(
        author=make.user(), target_kind="image", target_id=str(image.pk), body="Nice fox"
    )
    _act(staff, "remove", "comment", comment.pk, rule="conduct")
    assert Comment.objects.get(pk=comment.pk).status == "removed"
    version = make_models.quarantined()
    _act(staff, "clear", "version", version.pk, rule="none", reason="Drawings only.")
    assert ModelVersion.objects.get(pk=version.pk).clearance == "cleared"
    other = make_models.quarantined()
    _act(staff, "refuse", "version", other.pk, rule="likeness")
    found = ModelVersion.objects.get(pk=other.pk)
    assert (found.clearance, found.clearance_reason) == (
        "refused",
        "It shows a person who did not agree.",
    )


def test_a_bounty_in_review_opens_and_only_then_sparks_move() -> None:
    bounty = make_bounties.bounty(description="The same person as on my old poster, drawn.")
    assert bounty.status == "screening"
    assert books.escrow_balance(escrow=f"bounty:{bounty.pk}") == 0
    _act(make.staff(), "open", "bounty", bounty.pk, rule="none", reason="A drawn mascot.")
    assert Bounty.objects.get(pk=bounty.pk).status == "open"
    assert books.escrow_balance(escrow=f"bounty:{bounty.pk}") == 1500


def test_a_bounty_in_review_is_refused_and_nothing_moved() -> None:
    bounty = make_bounties.bounty(description="The same person as on my old poster, drawn.")
    _act(make.staff(), "refuse", "bounty", bounty.pk)
    assert Bounty.objects.get(pk=bounty.pk).status == "cancelled"
    assert books.wallet(user_id=bounty.owner_id).available == 1500
    assert StatementOfReasons.objects.get().recipient == bounty.owner


def test_a_failing_step_leaves_no_record(monkeypatch: pytest.MonkeyPatch) -> None:
    image = make_pictures.image()

    def broken(*things: object, **fields: object) -> None:
        message = "disk"
        raise RuntimeError(message)

    monkeypatch.setattr(services, "_state", broken)
    with pytest.raises(RuntimeError):
        _act(make.staff(), "hide", "image", image.pk)
    assert _nothing_decided()
    assert Image.objects.get(pk=image.pk).status == "published"


def test_the_queue_puts_the_urgent_first_and_counts() -> None:
    spam, likeness = make_pictures.image(), make_pictures.image()
    version = make_models.quarantined()
    for _ in range(2):
        services.report(reporter=make.user(), kind="image", target_id=str(spam.pk), reason="spam")
    services.report(
        reporter=make.user(), kind="image", target_id=str(likeness.pk), reason="likeness"
    )
    rows = queries.queue()
    assert (rows[0].kind, rows[0].id, rows[0].urgent) == ("image", str(likeness.pk), True)
    assert {(row.kind, row.id, row.reports) for row in rows} == {
        ("image", str(likeness.pk), 1),
        ("image", str(spam.pk), 2),
        ("version", str(version.pk), 0),
    }
    assert queries.counts() == {
        "reports": 2,
        "bounties": 0,
        "entries": 0,
        "weights": 1,
        "appeals": 0,
    }
    assert [row.kind for row in queries.queue(only="weights")] == ["version"]


def test_who_may_read_a_case() -> None:
    image = make_pictures.image()
    reporter, stranger, staff = make.user(), make.user(), make.staff()
    report = services.report(
        reporter=reporter, kind="image", target_id=str(image.pk), reason="likeness"
    )
    decision = _act(staff, "hide", "image", image.pk)
    statement = StatementOfReasons.objects.get(decision=decision)
    assert queries.report_for(report_id=report.id, viewer=reporter) == report
    assert queries.report_for(report_id=report.id, viewer=None, secret=report.secret) == report
    assert queries.statement_for(statement_id=statement.id, viewer=image.owner) == statement
    for viewer, secret in ((None, ""), (None, "wrong"), (stranger, ""), (image.owner, "")):
        with pytest.raises(NotFound):
            queries.report_for(report_id=report.id, viewer=viewer, secret=secret)
    for viewer, secret in ((None, ""), (stranger, report.secret), (reporter, "")):
        with pytest.raises(NotFound):
            queries.statement_for(statement_id=statement.id, viewer=viewer, secret=secret)


@pytest.mark.parametrize("kind", targets.KINDS)
def test_every_kind_says_when_there_is_no_such_thing(kind: str) -> None:
    with pytest.raises(NotFound):
        targets.find(kind=kind, target_id="0")


def _restricted() -> tuple[Image, User, StatementOfReasons]:
    image, staff = make_pictures.image(), make.staff()
    decision = _act(staff, "hide", "image", image.pk)
    return image, staff, StatementOfReasons.objects.get(decision=decision)


def test_another_look_is_somebody_elses_and_its_answer_is_told() -> None:
    image, first, statement = _restricted()
    services.appeal(statement_id=statement.id, actor=image.owner, words="It is a drawing of mine.")
    waiting = queries.queue(only="appeals")
    assert [(row.kind, row.id) for row in waiting] == [("image", str(image.pk))]
    second = make.staff()
    with pytest.raises(OwnContent):
        _act(first, "dismiss", "image", image.pk)
    _act(second, "unhide", "image", image.pk, reason="A drawing, indeed.")
    assert Image.objects.get(pk=image.pk).status == "published"
    statement.refresh_from_db()
    assert statement.appeal_answered_at is not None
    assert queries.queue(only="appeals") == []
    outbox.deliver()
    told = Notification.objects.filter(user=image.owner, link=f"/cases/{statement.id}")
    assert any("it was changed. A drawing, indeed." in news.text for news in told)


def test_a_decision_can_stand() -> None:
    image, _, statement = _restricted()
    services.appeal(statement_id=statement.id, actor=None, secret=statement.secret, words="Why?")
    _act(make.staff(), "dismiss", "image", image.pk, reason="The face is a photograph's.")
    assert Image.objects.get(pk=image.pk).status == "hidden"
    outbox.deliver()
    assert Notification.objects.filter(text__contains="it stands.").count() == 1


def test_the_only_one_of_the_staff_answers_alone() -> None:
    image, only, statement = _restricted()
    services.appeal(statement_id=statement.id, actor=image.owner, words="Please look again.")
    _act(only, "unhide", "image", image.pk, reason="A mistake.")
    assert Image.objects.get(pk=image.pk).status == "published"


def test_who_may_ask_for_another_look_and_when() -> None:
    image, staff, statement = _restricted()
    for actor, secret, problem in (
        (make.user(), "", NotFound),
        (None, "wrong", NotFound),
        (staff, "", Forbidden),
    ):
        with pytest.raises(problem):
            services.appeal(statement_id=statement.id, actor=actor, secret=secret, words="x")
    with pytest.raises(Invalid):
        services.appeal(statement_id=statement.id, actor=image.owner, words=" ")
    late = statement.created_at + services.APPEAL_WITHIN + dt.timedelta(days=1)
    with clock.frozen(late), pytest.raises(WrongState):
        services.appeal(statement_id=statement.id, actor=image.owner, words="late")
    services.appeal(statement_id=statement.id, actor=image.owner, words="once")
    with pytest.raises(WrongState):
        services.appeal(statement_id=statement.id, actor=image.owner, words="twice")
    statement.refresh_from_db()
    assert statement.appeal_words == "once"
    back = _act(make.staff(), "unhide", "image", image.pk, reason="Fine.")
    with pytest.raises(WrongState):
        services.appeal(
            statement_id=StatementOfReasons.objects.get(decision=back).id,
            actor=image.owner,
            words="thanks",
        )
