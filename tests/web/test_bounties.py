"""The pages of bounties as a browser without scripts uses them."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from tests.factories import accounts, catalog
from tests.factories import bounties as make
from tests.factories import ledger as sparks
from tests.factories.photographs import drawing, real_woman

from atelier.bounties import services
from atelier.bounties.models import Bounty, Entry
from atelier.core import clock
from atelier.ledger import queries as ledger

if TYPE_CHECKING:
    from django.test import Client

    from atelier.accounts.models import User

pytestmark = pytest.mark.django_db


def wanted(**changes: Any) -> dict[str, Any]:
    deadline = clock.now() + dt.timedelta(days=7)
    return {
        "title": "A small fox",
        "description": make.BRIEF,
        "kind": "lora",
        "amount": "1500",
        "deadline": deadline.strftime("%Y-%m-%dT%H:%M"),
        "tags": "fox, mascot",
        "rule": "refund",
        **changes,
    }


def rich(client: Client, name: str = "ada", amount: int = 5000) -> User:
    user = accounts.user(name)
    sparks.earned(user.pk, amount)
    client.force_login(user)
    return user


def picture(data: bytes, name: str = "fox.png") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, data, "image/png")


def text(answer: Any) -> str:
    return str(answer.content.decode())


def test_opening_with_pictures_in_one_go(client: Client) -> None:
    ada = rich(client)

    answer = client.post("/bounties/new", wanted(files=[picture(drawing(1))]))

    bounty = Bounty.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, f"/bounties/{bounty.id}")
    assert (bounty.status, bounty.tags, bounty.reference_rows.count()) == (
        "open",
        ["fox", "mascot"],
        1,
    )
    assert ledger.available(user_id=ada.pk) == 3500
    page = text(client.get(answer["Location"]))
    assert "1,500 Sparks are in its escrow" in page
    assert 'aria-current="step">Open<' in page


def test_what_was_typed_and_sent_survives_a_refusal(client: Client) -> None:
    ada = rich(client, amount=600)

    answer = client.post("/bounties/new", wanted(files=[picture(drawing(1))]))

    assert answer.status_code == 402
    page = text(answer)
    assert "Not enough Sparks" in page
    assert 'value="A small fox"' in page
    assert 'name="images"' in page
    assert not Bounty.objects.exists()
    kept = ada.media.get().id
    again = client.post("/bounties/new", wanted(amount="600", images=[kept]))
    assert again.status_code == 302
    assert Bounty.objects.get().reference_rows.get().media_id == kept


def test_photographs_of_a_real_woman_are_refused_with_the_reason(client: Client) -> None:
    ada = rich(client)

    answer = client.post(
        "/bounties/new", wanted(files=[picture(real_woman(number)) for number in range(2)])
    )

    assert answer.status_code == 403
    page = text(answer)
    assert "consent" in page
    assert not Bounty.objects.exists()
    assert ledger.available(user_id=ada.pk) == 5000


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"amount": "499"}, "is too small. A bounty pays at least 500 Sparks"),
        ({"deadline": "2020-01-01T00:00"}, "must lie in the future"),
        ({"title": ""}, "This field is required"),
        ({"files": [picture(b"not a picture")]}, "fox.png"),
    ],
)
def test_problems_stand_beside_their_fields(
    client: Client, changes: dict[str, Any], words: str
) -> None:
    rich(client)

    answer = client.post("/bounties/new", wanted(**changes))

    assert answer.status_code == 422
    assert words in text(answer)
    assert not Bounty.objects.exists()


def test_a_doubtful_brief_waits_and_says_so(client: Client) -> None:
    rich(client)

    answer = client.post(
        "/bounties/new",
        wanted(description="I love @silver_fox_arts. A fox in that spirit."),
        follow=True,
    )

    assert "A person looks at this before anybody else" in text(answer)
    client.logout()
    assert client.get(answer.redirect_chain[-1][0]).status_code == 404


def test_the_award_is_confirmed_on_a_page_of_its_own(client: Client) -> None:
    bounty = make.bounty()
    entry = make.entry(bounty)
    client.force_login(bounty.owner)
    path = f"/bounties/{bounty.id}/entries/{entry.id}/award"

    page = text(client.get(f"/bounties/{bounty.id}"))
    assert f'href="{path}"' in page
    asked = text(client.get(path))
    assert f"Award 1,500 Sparks to {entry.maker.username}" in asked
    assert "final" in asked
    assert Bounty.objects.get().status == "open"
    done = client.post(path, follow=True)
    assert f"{entry.maker.username} has been paid 1,500 Sparks" in text(done)
    assert Bounty.objects.get().status == "awarded"
    again = client.post(path)
    assert again.status_code == 409
    assert "Already awarded" in text(again)
    assert ledger.available(user_id=entry.maker_id) == 1500


def test_a_stranger_is_offered_no_award_and_gets_none(client: Client) -> None:
    bounty = make.bounty()
    entry = make.entry(bounty)
    path = f"/bounties/{bounty.id}/entries/{entry.id}/award"
    assert path not in text(client.get(f"/bounties/{bounty.id}"))
    assert client.post(path)["Location"].startswith("/accounts/login")
    client.force_login(accounts.user("eve"))
    assert path not in text(client.get(f"/bounties/{bounty.id}"))

    refused = client.post(path)

    assert refused.status_code == 403
    assert "This is not yours" in text(refused)
    assert Entry.objects.get().status == "submitted"


def test_entering_with_a_draft_of_ones_own(client: Client) -> None:
    bounty, maker = make.bounty(), accounts.user("maker")
    version = catalog.trained(maker, name="Fox by maker", sample_media_ids=[make.picture(maker).id])
    client.force_login(maker)
    path = f"/bounties/{bounty.id}/enter"

    assert "Fox by maker" in text(client.get(path))
    empty = client.post(path, {"description": "No model."})
    assert empty.status_code == 422
    assert "this bounty asks for a LoRA" in text(empty)
    sent = client.post(path, {"version": str(version.pk), "description": "Epoch 8."})

    entry = Entry.objects.get()
    assert sent["Location"] == f"/bounties/{bounty.id}#{entry.id}"
    assert (entry.status, entry.version) == ("submitted", version)
    assert "locked until it is paid" in text(client.get(f"/bounties/{bounty.id}"))
    gone = client.post(f"/bounties/{bounty.id}/entries/{entry.id}/withdraw", follow=True)
    assert "an ordinary draft again" in text(gone)


def test_pictures_alone_enter_where_pictures_are_wanted(client: Client) -> None:
    bounty = make.bounty(kind="images")
    client.force_login(accounts.user("maker"))

    client.post(f"/bounties/{bounty.id}/enter", {"version": "", "files": [picture(drawing(2))]})

    assert Entry.objects.get().picture_rows.count() == 1


def test_contributing_giving_shortlisting_extending_cancelling(client: Client) -> None:
    bounty = make.bounty()
    bob = rich(client, "bob", 300)
    path = f"/bounties/{bounty.id}"
    small = client.post(f"{path}/contribute", {"amount": "20", "judge": "self"})
    assert (small.status_code, "at least 50" in text(small)) == (422, True)
    client.post(f"{path}/contribute", {"amount": "200", "judge": "self"})
    assert ledger.available(user_id=bob.pk) == 100
    entry = make.entry(bounty)
    stake = bounty.contributions.get(contributor=bob)
    page = text(client.get(path))
    assert "Give your 200 Sparks to an entry" in page
    client.post(f"{path}/entries/{entry.id}/shortlist", {"on": "1"})
    assert entry.shortlistings.count() == 1
    client.post(f"{path}/entries/{entry.id}/shortlist", {"on": "0"})
    assert entry.shortlistings.count() == 0
    assert entry.maker.username in text(client.get(f"{path}/contributions/{stake.id}/give"))
    client.post(f"{path}/contributions/{stake.id}/give", {"entry": entry.id})
    assert ledger.available(user_id=entry.maker_id) == 200
    client.force_login(bounty.owner)
    later = (bounty.deadline + dt.timedelta(days=1)).strftime("%Y-%m-%dT%H:%M")
    client.post(f"{path}/extend", {"deadline": later})
    bounty.refresh_from_db()
    assert bounty.extended_at is not None
    refused = client.post(f"{path}/cancel")
    assert (refused.status_code, "cannot be cancelled" in text(refused)) == (409, True)
    assert "can no longer be cancelled" in text(client.get(path))
    empty = make.bounty(bounty.owner)
    done = client.post(f"/bounties/{empty.id}/cancel", follow=True)
    assert "Every stake is back" in text(done)


def test_asking_staff_to_decide(client: Client) -> None:
    bounty = make.bounty()
    entry = make.entry(bounty)
    client.force_login(entry.maker)
    with clock.frozen(bounty.deadline):
        services.sweep()
        assert f"/bounties/{bounty.id}/dispute" in text(client.get(f"/bounties/{bounty.id}"))
        client.post(f"/bounties/{bounty.id}/dispute", {"reason": "No answer."})
    assert Bounty.objects.get().status == "disputed"


def test_editing_keeps_what_is_not_changed(client: Client) -> None:
    bounty = make.bounty()
    client.force_login(bounty.owner)
    path = f"/bounties/{bounty.id}/edit"
    assert make.TITLE in text(client.get(path))
    client.post(path, {"title": "A blue fox", "description": make.BRIEF, "tags": ""})
    bounty.refresh_from_db()
    assert (bounty.title, bounty.status) == ("A blue fox", "open")
    client.force_login(accounts.user("eve"))
    assert client.get(path).status_code == 403
    assert client.post(path, {"title": "Mine", "description": "x"}).status_code == 403


@pytest.mark.parametrize("state", ["open", "judging", "awarded", "closed", "mine"])
def test_every_list_has_its_page_and_its_empty_state(client: Client, state: str) -> None:
    rich(client)
    assert 'class="empty"' in text(client.get(f"/bounties?state={state}"))
    make.bounty()
    assert client.get(f"/bounties?state={state}&sort=ending&kind=lora").status_code == 200


def test_pages_cost_a_fixed_number_of_queries(
    client: Client, django_assert_max_num_queries: Any
) -> None:
    for seed in range(3):
        bounty = make.bounty(kind="images")
        make.entry(bounty, seed=seed)
        make.entry(bounty, seed=seed + 3)
        make.contribution(bounty)
    client.force_login(bounty.owner)
    with django_assert_max_num_queries(12):
        client.get("/bounties")
    with django_assert_max_num_queries(26):
        client.get(f"/bounties/{bounty.id}")
