from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tests.factories import accounts as make

from atelier.core.models import OutgoingMail

if TYPE_CHECKING:
    from django.test import Client

pytestmark = pytest.mark.django_db


@pytest.fixture
def mail() -> OutgoingMail:
    return OutgoingMail.objects.create(
        to="ada@example.org", subject="Reset", body="http://localhost/reset <b>"
    )


def test_this_machine_reads_the_mail(client: Client, mail: OutgoingMail) -> None:
    assert "Reset" in client.get("/mail", headers={"host": "localhost"}).content.decode()
    page = client.get(f"/mail/{mail.id}", headers={"host": "localhost"}).content.decode()
    assert 'href="http://localhost/reset"' in page
    assert "&lt;b&gt;" in page


def test_staff_reads_it_from_anywhere_and_nobody_else(
    client: Client, mail: OutgoingMail, settings: Any
) -> None:
    settings.BASE_URL = "https://atelier.example.org"
    client.force_login(make.user("ada"))
    for path in ("/mail", f"/mail/{mail.id}"):
        assert client.get(path).status_code == 404
    client.force_login(make.staff("chief"))
    for path in ("/mail", f"/mail/{mail.id}"):
        assert client.get(path).status_code == 200


def test_a_proxy_hides_who_asks(client: Client, mail: OutgoingMail) -> None:
    answer = client.get("/mail", headers={"host": "localhost", "x-forwarded-for": "192.0.2.7"})
    assert answer.status_code == 404
