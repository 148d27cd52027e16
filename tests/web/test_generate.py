"""Generate in a browser, with and without scripts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tests.factories import accounts, catalog
from tests.factories import generation as make
from tests.factories.jobs import rich_user, without_heartbeat

from atelier.generation import worker
from atelier.generation.models import Generation
from atelier.ledger import queries as ledger

if TYPE_CHECKING:
    from django.test import Client

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_no_heartbeat")]
FRAGMENT = {"X-Fragment": "1"}


@pytest.fixture
def _no_heartbeat(monkeypatch: pytest.MonkeyPatch) -> None:
    without_heartbeat(monkeypatch)


def _filled(**fields: Any) -> dict[str, Any]:
    return {
        "prompt": "a drawn fox",
        "size": "256x256",
        "quantity": "2",
        "steps": "20",
        "cfg_scale": "4",
        "sampler": "DDIM",
        "clip_skip": "1",
        "seed": "",
        **fields,
    }


def test_strangers_see_the_form_and_are_asked_to_sign_in(client: Client) -> None:
    make.base()
    page = client.get("/generate")
    assert page.status_code == 200
    assert "Sign in to generate" in page.content.decode()
    assert client.post("/generate", _filled()).status_code == 302
    assert not Generation.objects.exists()


def test_without_scripts_a_form_leads_to_a_page_that_refreshes(client: Client) -> None:
    make.base()
    client.force_login(rich_user(100))
    answer = client.post("/generate", _filled())
    generation = Generation.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, f"/generations/{generation.pk}")
    page = client.get(answer["Location"]).content.decode()
    assert '<meta http-equiv="refresh" content="3">' in page
    assert "Next in the queue" in page
    worker.run_next(draws=make.TestEngine())
    page = client.get(answer["Location"]).content.decode()
    assert "refresh" not in page
    assert page.count("data-slot=") == 2


def test_with_scripts_the_answer_is_the_new_card(client: Client) -> None:
    make.base()
    client.force_login(rich_user(100))
    answer = client.post("/generate", _filled(), headers=FRAGMENT)
    assert answer.status_code == 201
    assert Generation.objects.get().pk in answer.content.decode()
    assert "<html" not in answer.content.decode()


def test_a_refusal_keeps_what_was_typed_and_names_the_field(client: Client) -> None:
    make.base()
    user = rich_user(100)
    client.force_login(user)
    answer = client.post("/generate", _filled(steps="0", prompt="my long idea"))
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "my long idea" in page
    assert "must be from 1 to 50" in page
    answer = client.post("/generate", _filled(steps="0"), headers=FRAGMENT)
    assert answer.status_code == 422
    assert 'data-field="steps"' in answer.content.decode()
    assert not Generation.objects.exists()
    assert ledger.wallet(user_id=user.pk).held == 0


def test_a_lora_row_is_used_and_its_refusal_stands_beside_it(client: Client) -> None:
    make.base()
    user = rich_user(100)
    client.force_login(user)
    version = catalog.trained(user)
    answer = client.post("/generate", _filled(lora_1=version.pk, strength_1="3"))
    assert answer.status_code == 422
    assert "must be from -2 to 2" in answer.content.decode()
    client.post("/generate", _filled(lora_1=version.pk, strength_1="0.8"))
    [used] = Generation.objects.get().resources.all()
    assert (used.version_id, used.strength) == (version.pk, 0.8)


def test_too_few_sparks_is_said_in_words(client: Client) -> None:
    make.base()
    client.force_login(rich_user(3))
    answer = client.post("/generate", _filled())
    assert answer.status_code == 402
    assert "Not enough Sparks" in answer.content.decode()


def test_the_price_follows_the_form(client: Client) -> None:
    assert client.get("/generate/price?steps=30&quantity=4").json() == {"cost": 12}
    assert client.get("/generate/price?steps=x&quantity=4").json() == {"cost": None}


def test_a_remix_starts_with_every_setting(client: Client) -> None:
    generation = make.generation(steps=7, cfg_scale=5.5, quantity=1, seed=4711)
    worker.run_next(draws=make.TestEngine())
    picture = generation.pictures.get()
    client.force_login(generation.owner)
    page = client.get(f"/generate?remix={picture.media_id}").content.decode()
    assert "a drawn fox" in page
    assert 'value="4711"' in page
    assert 'value="5.5"' in page
    client.force_login(accounts.user())
    assert client.get(f"/generate?remix={picture.media_id}").status_code == 404


def test_a_model_page_leads_here_with_its_word(client: Client) -> None:
    make.base()
    user = rich_user(100)
    version = catalog.trained(user)
    client.force_login(user)
    page = client.get(f"/generate?version={version.pk}").content.decode()
    assert "mascotfox" in page
    assert f'<option value="{version.pk}" selected>' in page
    client.logout()
    assert client.get(f"/generate?version={version.pk}").status_code == 404


def test_history_and_cancel_are_the_owners(client: Client) -> None:
    generation = make.generation()
    client.force_login(accounts.user())
    assert client.get(f"/generations/{generation.pk}").status_code == 404
    assert client.post(f"/generations/{generation.pk}/cancel").status_code == 404
    assert generation.pk not in client.get("/generations").content.decode()
    client.force_login(generation.owner)
    assert generation.pk in client.get("/generations").content.decode()
    answer = client.post(f"/generations/{generation.pk}/cancel", headers=FRAGMENT)
    assert "Cancelled" in answer.content.decode()
    assert ledger.wallet(user_id=generation.owner_id).held == 0
