from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.api.v2.test_wallet import bearer, post
from tests.factories import accounts as make
from tests.factories import gallery as make_pictures

from atelier.gallery.models import Image
from atelier.moderation.models import ModerationDecision, Report

if TYPE_CHECKING:
    from django.test import Client

pytestmark = pytest.mark.django_db


def test_reporting_with_and_without_an_account(client: Client) -> None:
    image = make_pictures.image()
    ada = make.user("ada")
    body = {"kind": "image", "target": image.pk, "reason": "likeness"}
    made = post(client, "/api/v2/reports", body, ada)
    assert made.status_code == 201
    assert made.json()["status"] == "open"
    assert "secret" not in made.json()
    path = f"/api/v2/reports/{made.json()['id']}"
    assert client.get(path, **bearer(ada)).json() == made.json()
    assert client.get(path, **bearer(make.user("bob"))).status_code == 404
    assert client.get("/api/v2/reports", **bearer(ada)).json()["items"] == [made.json()]
    assert post(client, "/api/v2/reports", body, ada).json()["code"] == "already_reported"

    stranger = client.post(
        "/api/v2/reports",
        {"link": f"http://localhost/images/{image.pk}", "reason": "intimate"},
        content_type="application/json",
    )
    assert stranger.status_code == 201
    path = f"/api/v2/reports/{stranger.json()['id']}"
    assert client.get(path).status_code == 404
    answer = client.get(path, {"secret": stranger.json()["secret"]})
    assert (answer.status_code, answer.json()["reason"]) == (200, "intimate")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"kind": "image", "target": 999999, "reason": "spam"}, 404),
        ({"kind": "moon", "target": 1, "reason": "spam"}, 422),
        ({"kind": "image", "target": 1, "reason": "boredom"}, 422),
        ({"link": "https://elsewhere.example/", "reason": "spam"}, 422),
        ({"reason": "spam"}, 422),
    ],
)
def test_bad_reports(client: Client, body: dict[str, object], status: int) -> None:
    assert post(client, "/api/v2/reports", body, make.user()).status_code == status
    assert not Report.objects.exists()


def test_only_staff_with_the_scope_decide(client: Client) -> None:
    image = make_pictures.image()
    staff = make.staff("judge")
    body = {
        "action": "hide",
        "kind": "image",
        "target": image.pk,
        "reason": "A real person.",
        "rule": "likeness",
    }
    path = "/api/v2/moderation/decisions"
    assert client.post(path, body, content_type="application/json").status_code == 401
    assert post(client, path, body, make.user("ada")).status_code == 403
    assert post(client, path, body, staff).status_code == 403
    assert client.get(path, **bearer(staff)).status_code == 403
    assert Image.objects.get(pk=image.pk).status == "published"
    assert not ModerationDecision.objects.exists()

    made = post(client, path, body, staff, "read", "write", "admin")
    assert made.status_code == 201
    assert Image.objects.get(pk=image.pk).status == "hidden"
    listed = client.get(path, **bearer(staff, "read", "admin")).json()
    assert listed["items"] == [made.json()]
    again = post(client, path, body, staff, "read", "write", "admin")
    assert (again.status_code, again.json()["code"]) == (409, "wrong_state")
