"""Training over the API: from pictures to a version, and what is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tests.factories import accounts, photographs
from tests.factories import generation as generations
from tests.factories import training as make
from tests.factories.jobs import rich_user, without_heartbeat

from atelier.ledger import queries as ledger
from atelier.training import worker
from atelier.training.models import Training

if TYPE_CHECKING:
    from django.test import Client

    from atelier.accounts.models import User

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_no_heartbeat")]
BASE = "/api/v2/trainings"


@pytest.fixture
def _no_heartbeat(monkeypatch: pytest.MonkeyPatch) -> None:
    without_heartbeat(monkeypatch)


def _bearer(user: User) -> dict[str, Any]:
    return {"headers": {"Authorization": f"Bearer {accounts.token(user)}"}}


def _post(client: Client, user: User, query: str = "", **fields: Any) -> Any:
    generations.base()
    if "images" not in fields:
        fields["images"] = [row.pk for row in make.drawings(user)]
    body = {"name": "Fox", "trigger_word": "mofo", "epochs": 2, "steps_per_epoch": 4}
    return client.post(
        BASE + query, {**body, **fields}, content_type="application/json", **_bearer(user)
    )


def _untouched(user: User, available: int = 1000) -> None:
    wallet = ledger.wallet(user_id=user.pk)
    assert (wallet.available, wallet.held) == (available, 0)
    assert not Training.objects.exists()


def test_the_whole_way_to_a_version(client: Client) -> None:
    user = rich_user(1000)
    answer = _post(client, user, captions=["mofo sits", "", "", "", ""])
    assert answer.status_code == 201
    made = answer.json()
    assert (made["status"], made["cost"], made["epochs"]) == ("queued", 500, [])
    worker.run_next(trains=make.TestTrainer())
    shown = client.get(f"{BASE}/{made['id']}", **_bearer(user)).json()
    assert (shown["status"], shown["charged"]) == ("completed", 500)
    assert [(e["number"], e["loss"]) for e in shown["epochs"]] == [(1, 0.5), (2, 0.25)]
    assert len(shown["epochs"][0]["samples"]) == 4
    address = f"{BASE}/{made['id']}/epochs/2/version"
    first = client.post(address, content_type="application/json", **_bearer(user))
    again = client.post(address, content_type="application/json", **_bearer(user))
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert first.json()["trained_words"] == ["mofo"]
    missing = f"{BASE}/{made['id']}/epochs/9/version"
    answer = client.post(missing, content_type="application/json", **_bearer(user))
    assert answer.status_code == 404
    listed = client.get(BASE, **_bearer(user)).json()
    assert [item["id"] for item in listed["items"]] == [made["id"]]


def test_a_dry_run_prices_and_starts_nothing(client: Client) -> None:
    user = rich_user(1000)
    answer = _post(client, user, "?dry_run=1")
    assert answer.status_code == 200
    assert (answer.json()["cost"], answer.json()["pictures"]) == (500, 5)
    _untouched(user)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"images": ["med_1"] * 4}, "images"),
        ({"epochs": 0}, "epochs"),
        ({"trigger_word": " "}, "trigger_word"),
        ({"captions": ["one"]}, "captions"),
        ({"base": 424242}, "base"),
    ],
)
def test_bad_input_says_which_field(client: Client, fields: dict[str, Any], field: str) -> None:
    user = rich_user(1000)
    answer = _post(client, user, **fields)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    assert answer.json()["errors"][0]["field"] == field
    _untouched(user)


def test_photographs_of_a_real_woman_are_refused(client: Client) -> None:
    user = rich_user(1000)
    rows = [*make.drawings(user, 4), make.picture(user, photographs.real_woman())]
    answer = _post(client, user, images=[row.pk for row in rows])
    assert (answer.status_code, answer.json()["code"]) == (403, "likeness_consent_required")
    _untouched(user)


def test_a_wallet_that_is_too_small(client: Client) -> None:
    user = rich_user(499)
    answer = _post(client, user)
    assert (answer.status_code, answer.json()["code"]) == (402, "insufficient_sparks")
    _untouched(user, 499)


def test_strangers_see_and_do_nothing(client: Client) -> None:
    training = make.training()
    stranger = _bearer(accounts.user())
    address = f"{BASE}/{training.pk}"
    assert client.get(address, **stranger).status_code == 404
    assert client.get(f"{address}/events", **stranger).status_code == 404
    assert client.delete(address, **stranger).status_code == 404
    version = f"{address}/epochs/1/version"
    answer = client.post(version, content_type="application/json", **stranger)
    assert answer.status_code == 404
    training.refresh_from_db()
    assert training.status == "queued"


def test_cancel_gives_back(client: Client) -> None:
    training = make.training()
    answer = client.delete(f"{BASE}/{training.pk}", **_bearer(training.owner))
    assert (answer.status_code, answer.json()["status"]) == (200, "cancelled")
    assert ledger.wallet(user_id=training.owner_id).held == 0
    answer = client.get(f"{BASE}/{training.pk}/events", **_bearer(training.owner))
    assert answer.status_code == 307
