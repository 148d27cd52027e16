from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.factories import accounts as make
from tests.factories import bounties as make_bounties
from tests.factories import gallery as make_pictures

from atelier.gallery.models import Image
from atelier.moderation import services
from atelier.moderation.models import ModerationDecision, Report, StatementOfReasons
from atelier.notifications import services as notifications
from atelier.notifications.models import Notification

if TYPE_CHECKING:
    from django.test import Client

pytestmark = pytest.mark.django_db


def test_reporting_from_a_page_leads_to_the_case(client: Client) -> None:
    image = make_pictures.image()
    client.force_login(make.user())
    path = f"/report?kind=image&id={image.pk}"
    assert "Report this picture" in client.get(path).content.decode()
    answer = client.post(path, {"reason": "likeness", "details": "This is me."})
    assert answer.status_code == 302
    found = Report.objects.get()
    assert answer["Location"] == f"/cases/{found.id}?secret={found.secret}"
    page = client.get(answer["Location"])
    assert "Received" in page.content.decode()
    assert page["Referrer-Policy"] == "no-referrer"
    again = client.post(path, {"reason": "spam"})
    assert again.status_code == 422
    assert "is waiting for a person" in again.content.decode()
    assert Report.objects.count() == 1


def test_anyone_asks_for_removal_without_an_account(client: Client) -> None:
    image = make_pictures.image()
    page = client.get("/likeness").content.decode()
    assert "Your face is yours" in page
    form = {
        "link": f"http://testserver/images/{image.pk}",
        "reason": "intimate",
        "details": "Taken from my holiday.",
        "signature": "Ada",
        "good_faith": "on",
        "contact": "",
    }
    refused = client.post("/likeness", {**form, "good_faith": "", "signature": ""})
    assert refused.status_code == 422
    assert "Taken from my holiday." in refused.content.decode()
    wrong = client.post("/likeness", {**form, "link": "https://elsewhere.example/x"})
    assert wrong.status_code == 422
    assert not Report.objects.exists()
    answer = client.post("/likeness", form)
    assert answer.status_code == 302
    found = Report.objects.get()
    assert found.reporter is None
    assert "Signed in good faith: Ada" in found.details
    assert client.get(f"/cases/{found.id}").status_code == 404
    assert "Keep this page" in client.get(answer["Location"]).content.decode()


def test_strangers_cannot_report_in_masses(client: Client) -> None:
    image = make_pictures.image()
    path = f"/report?kind=image&id={image.pk}"
    answers = [client.post(path, {"reason": "spam"}).status_code for _ in range(14)]
    assert 429 in answers
    assert Report.objects.count() == answers.count(302)


def test_the_queue_is_for_staff_alone(client: Client) -> None:
    image = make_pictures.image()
    paths = ("/moderate", "/moderate/log", f"/moderate/image/{image.pk}")
    assert [client.get(path).status_code for path in paths] == [302, 302, 302]
    client.force_login(make.user())
    assert [client.get(path).status_code for path in paths] == [404, 404, 404]
    act = f"/moderate/image/{image.pk}/act"
    form = {"action": "hide", "rule": "likeness", "reason": "A real person."}
    assert client.post(act, form).status_code == 404
    assert Image.objects.get(pk=image.pk).status == "published"
    client.force_login(make.staff())
    assert [client.get(path).status_code for path in paths] == [200, 200, 200]


def test_staff_decide_and_the_owner_reads_why(client: Client) -> None:
    image = make_pictures.image()
    services.report(reporter=make.user(), kind="image", target_id=str(image.pk), reason="likeness")
    staff = make.staff()
    client.force_login(staff)
    page = client.get("/moderate").content.decode()
    assert "It shows or names a real person" in page
    assert "blur-2xl" in page
    act = f"/moderate/image/{image.pk}/act"
    empty = client.post(act, {"action": "hide", "rule": "likeness", "reason": ""})
    assert empty.status_code == 422
    assert not ModerationDecision.objects.exists()
    form = {"action": "hide", "rule": "likeness", "reason": "A real woman's face."}
    assert client.post(act, form).status_code == 302
    assert Image.objects.get(pk=image.pk).status == "hidden"
    assert "Nothing waits" in client.get("/moderate").content.decode()
    assert "A real woman" in client.get("/moderate/log").content.decode()
    again = client.post(act, form)
    assert again.status_code == 409

    statement = StatementOfReasons.objects.get()
    address = f"/cases/{statement.id}"
    client.force_login(make.user())
    assert client.get(address).status_code == 404
    client.force_login(image.owner)
    page = client.get(address).content.decode()
    assert "A real woman&#x27;s face." in page
    assert "six months" in page
    assert staff.username not in page
    statement.refresh_from_db()
    assert statement.read_at is not None
    client.logout()
    assert client.get(f"{address}?secret={statement.secret}").status_code == 200


def test_notifications_are_read_where_they_lead(client: Client) -> None:
    ada = make.user("ada")
    assert client.get("/notifications").status_code == 302
    client.force_login(ada)
    assert "No news yet" in client.get("/notifications").content.decode()
    notifications.notify(user_id=ada.pk, kind="social", text="bob follows you.", link="/u/bob")
    notifications.notify(user_id=ada.pk, kind="job", text="Your training is done.", link="/train/1")
    assert "bob follows you." in client.get("/notifications?show=unread").content.decode()
    first = Notification.objects.get(kind="social")
    answer = client.post(f"/notifications/{first.id}/follow")
    assert answer["Location"] == "/u/bob"
    first.refresh_from_db()
    assert first.read_at is not None
    other = make.user("eve")
    client.force_login(other)
    assert client.post(f"/notifications/{first.id}/follow").status_code == 404
    client.force_login(ada)
    client.post("/notifications/read")
    assert not Notification.objects.filter(read_at=None).exists()


def test_the_terms_name_the_likeness_rule(client: Client) -> None:
    page = client.get("/terms").content.decode()
    assert "own consent" in page
    assert 'href="/likeness#rule"' in page


def test_the_person_concerned_asks_for_another_look_also_when_suspended(client: Client) -> None:
    person = make.user()
    services.act(
        actor=make.staff(),
        action="suspend",
        kind="user",
        target_id=str(person.pk),
        reason="Spam.",
        rule="conduct",
    )
    statement = StatementOfReasons.objects.get()
    client.force_login(person)
    path = f"/cases/{statement.id}/again"
    assert client.post(path, {"words": ""}).status_code == 422
    assert client.post(path, {"words": "That was not me."}).status_code == 302
    statement.refresh_from_db()
    assert statement.appeal_words == "That was not me."
    assert "seven days" in client.get(f"/cases/{statement.id}").content.decode()
    client.force_login(make.user())
    assert client.post(path, {"words": "x"}).status_code == 404
    client.force_login(make.staff())
    page = client.get("/moderate?only=appeals").content.decode()
    assert "That was not me." in page
    assert "Unsuspend" in page or "Lift the suspension" in page


def test_anything_can_be_reported_by_its_link(client: Client) -> None:
    image = make_pictures.image()
    assert client.get("/report").status_code == 200
    bad = client.post("/report", {"link": "https://elsewhere.example", "reason": "spam"})
    assert bad.status_code == 422
    answer = client.post("/report", {"link": f"/images/{image.pk}", "reason": "spam"})
    assert answer.status_code == 302
    assert Report.objects.get().target_id == str(image.pk)


def test_staff_see_why_a_bounty_waits(client: Client) -> None:
    bounty = make_bounties.bounty(description="The same person as on my old poster, drawn.")
    client.force_login(make.staff())
    page = client.get(f"/moderate/bounty/{bounty.pk}").content.decode()
    assert "Why it waits" in page
    assert "same person" in page
    assert "text.same_person" in page
