"""Generating over the API: what the contract promises, and who may see what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tests.factories import accounts, catalog
from tests.factories import generation as make
from tests.factories.jobs import rich_user, without_heartbeat

from atelier.generation import worker
from atelier.generation.models import Generation
from atelier.jobs.models import Job
from atelier.ledger import queries as ledger

if TYPE_CHECKING:
    from django.test import Client

    from atelier.accounts.models import User

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_no_heartbeat")]
BASE = "/api/v2/generations"


@pytest.fixture
def _no_heartbeat(monkeypatch: pytest.MonkeyPatch) -> None:
    without_heartbeat(monkeypatch)


def _bearer(user: User, *scopes: str) -> dict[str, Any]:
    return {"headers": {"Authorization": f"Bearer {accounts.token(user, *scopes)}"}}


def _post(client: Client, user: User, query: str = "", **fields: Any) -> Any:
    body = {"prompt": "a drawn fox", "steps": 20, "cfg_scale": 4, "seed": 7, "quantity": 2}
    return client.post(
        BASE + query, {**body, **fields}, content_type="application/json", **_bearer(user)
    )


def _untouched(user: User, available: int = 100) -> None:
    wallet = ledger.wallet(user_id=user.pk)
    assert (wallet.available, wallet.held) == (available, 0)
    assert not Generation.objects.exists()
    assert not Job.objects.exists()


def test_a_generation_is_created_and_shown(client: Client) -> None:
    make.base()
    user = rich_user(100)
    answer = _post(client, user)
    assert answer.status_code == 201
    made = answer.json()
    assert (made["status"], made["cost"], made["queue_position"]) == ("queued", 4, 1)
    assert (made["seed"], made["quantity"], made["images"]) == (7, 2, [])
    shown = client.get(f"{BASE}/{made['id']}", **_bearer(user)).json()
    assert shown == made
    listed = client.get(BASE, **_bearer(user)).json()
    assert listed == {"items": [made], "next": None}


def test_finished_pictures_have_media_address_and_seed(client: Client) -> None:
    generation = make.generation(quantity=1)
    worker.run_next(draws=make.TestEngine())
    shown = client.get(f"{BASE}/{generation.pk}", **_bearer(generation.owner)).json()
    [image] = shown["images"]
    assert set(image) >= {"id", "media", "url", "seed"}
    assert image["seed"] == 100
    assert image["url"].endswith(f"/media/{image['media']}/original.png")


def test_a_dry_run_only_prices(client: Client) -> None:
    base = make.base()
    user = rich_user(100)
    answer = _post(client, user, "?dry_run=1", steps=30, quantity=4)
    assert (answer.status_code, answer.json()) == (
        200,
        {"cost": 12, "checkpoint": base.pk, "base_model": "Atelier Base"},
    )
    _untouched(user)


@pytest.mark.parametrize(
    ("fields", "field", "rule"),
    [
        ({"steps": 0}, "steps", "must be from 1 to 50"),
        ({"width": 7, "height": 7}, "width", "the size must be one of"),
        ({"quantity": 9}, "quantity", "must be from 1 to 8"),
        ({"sampler": "Heun"}, "sampler", "must be one of DDIM"),
        ({"cfg_scale": 99}, "cfg_scale", "must be from 1 to 15"),
        ({"seed": -7}, "seed", "must be from 0"),
        ({"prompt": ""}, "prompt", "must say what to draw"),
        (
            {"resources": [{"version": 999999, "strength": 1}]},
            "resources.0.version",
            "there is no model 999999",
        ),
        ({"resources": [{"version": 1, "strength": 3}]}, "resources.0.strength", "from -2 to 2"),
        ({"checkpoint": "urn:air:x"}, "checkpoint", "there is no model urn:air:x"),
    ],
)
def test_bad_input_says_which_field_and_changes_nothing(
    client: Client, fields: dict[str, Any], field: str, rule: str
) -> None:
    make.base()
    user = rich_user(100)
    answer = _post(client, user, **fields)
    assert answer.status_code == 422
    problem = answer.json()
    assert (problem["code"], problem["errors"][0]["field"]) == ("invalid", field)
    assert rule in problem["detail"]
    _untouched(user)


def test_more_than_the_wallet_holds_is_refused(client: Client) -> None:
    make.base()
    user = rich_user(3)
    answer = _post(client, user)
    assert (answer.status_code, answer.json()["code"]) == (402, "insufficient_sparks")
    _untouched(user, 3)


def test_a_real_persons_name_is_refused(client: Client) -> None:
    make.base()
    user = rich_user(100)
    answer = _post(client, user, prompt="instagram.com/somebody_real as a fox")
    assert (answer.status_code, answer.json()["code"]) == (403, "likeness_consent_required")
    _untouched(user)


def test_quarantined_weights_are_refused_also_to_their_owner(client: Client) -> None:
    make.base()
    user = rich_user(100)
    version = catalog.quarantined(user)
    answer = _post(client, user, resources=[{"version": version.pk, "strength": 0.8}])
    assert (answer.status_code, answer.json()["code"]) == (403, "quarantined")
    _untouched(user)


def test_anothers_draft_cannot_be_drawn_with(client: Client) -> None:
    make.base()
    user = rich_user(100)
    version = catalog.trained()
    answer = _post(client, user, resources=[{"version": version.pk, "strength": 0.8}])
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    assert _post(client, user, checkpoint=version.pk).status_code == 422
    _untouched(user)


def test_ones_own_trained_draft_can_be_drawn_with_by_id_and_air(client: Client) -> None:
    make.base()
    user = rich_user(100)
    version = catalog.trained(user)
    answer = _post(client, user, resources=[{"version": version.pk, "strength": 0.8}])
    assert answer.json()["resources"] == [{"version": version.pk, "strength": 0.8}]
    air = f"urn:air:atelier:lora:civitai:{version.model_id}@{version.pk}"
    answer = _post(client, user, resources=[{"version": air, "strength": 0.8}])
    assert answer.json()["resources"] == [{"version": version.pk, "strength": 0.8}]


def test_the_owner_cancels_and_nobody_else(client: Client) -> None:
    generation = make.generation()
    stranger = accounts.user()
    assert client.delete(f"{BASE}/{generation.pk}", **_bearer(stranger)).status_code == 404
    assert client.get(f"{BASE}/{generation.pk}", **_bearer(stranger)).status_code == 404
    assert client.get(f"{BASE}/{generation.pk}/events", **_bearer(stranger)).status_code == 404
    answer = client.delete(f"{BASE}/{generation.pk}", **_bearer(generation.owner))
    assert (answer.status_code, answer.json()["status"]) == (200, "cancelled")
    assert ledger.wallet(user_id=generation.owner_id).held == 0


def test_nobody_is_asked_to_sign_in(client: Client) -> None:
    assert client.get(BASE).status_code == 401
    assert client.post(BASE, {}, content_type="application/json").status_code == 401


def test_a_token_without_the_right_to_spend_generates_nothing(client: Client) -> None:
    make.base()
    user = rich_user(100)
    answer = client.post(
        BASE, {"prompt": "a fox"}, content_type="application/json", **_bearer(user, "read", "write")
    )
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    _untouched(user)


def test_live_events_redirect_with_a_ticket(client: Client) -> None:
    generation = make.generation()
    answer = client.get(f"{BASE}/{generation.pk}/events", **_bearer(generation.owner))
    assert answer.status_code == 307
    assert "/events/tkt_" in answer["Location"]
