from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest
from tests.factories import accounts, catalog
from tests.factories import bounties as make
from tests.factories import ledger as sparks

from atelier.bounties import services
from atelier.bounties.models import Bounty, Contribution, Entry
from atelier.core import clock
from atelier.ledger import queries as ledger
from atelier.likeness import services as likeness
from atelier.likeness.refs import Ref

if TYPE_CHECKING:
    from django.test import Client

    from atelier.accounts.models import User

pytestmark = pytest.mark.django_db
BASE = "/api/v2/bounties"


def bearer(user: User, *scopes: str, **headers: str) -> dict[str, Any]:
    return {"headers": {"Authorization": f"Bearer {accounts.token(user, *scopes)}", **headers}}


def post(client: Client, path: str, body: Any, user: User, *scopes: str, **headers: str) -> Any:
    return client.post(
        BASE + path, body, content_type="application/json", **bearer(user, *scopes, **headers)
    )


def wanted(**changes: Any) -> dict[str, Any]:
    deadline = (clock.now() + dt.timedelta(days=7)).isoformat()
    return {
        "title": "A small fox",
        "description": make.BRIEF,
        "kind": "lora",
        "amount": 1500,
        "deadline": deadline,
        "images": [],
        "tags": ["fox"],
        "rule": "refund",
        **changes,
    }


def rich(name: str, amount: int = 5000) -> User:
    user = accounts.user(name)
    sparks.earned(user.pk, amount)
    return user


def test_the_whole_way_from_brief_to_published_model(client: Client) -> None:
    ada, maker = rich("ada"), accounts.user("maker")
    sketch = make.picture(ada).id

    made = post(client, "", wanted(images=[sketch]), ada)
    assert made.status_code == 201, made.content
    bounty = made.json()
    assert (bounty["status"], bounty["title"], bounty["amount"], bounty["escrow"]) == (
        "open",
        "A small fox",
        1500,
        1500,
    )
    assert (bounty["kind"], bounty["rule"], bounty["images"]) == ("lora", "refund", [sketch])
    assert bounty["id"].startswith("bty_")
    assert client.get("/api/v2/wallet", **bearer(ada)).json()["available"] == 3500

    version = catalog.trained(maker, sample_media_ids=[make.picture(maker, 1).id])
    path = f"/{bounty['id']}"
    entered = post(
        client, f"{path}/entries", {"description": "Epoch 8.", "version": version.pk}, maker
    )
    assert entered.status_code == 201, entered.content
    entry = entered.json()
    assert (entry["status"], entry["version"], entry["locked"]) == (
        "submitted",
        version.pk,
        True,
    )
    assert entry["images"] == version.sample_media_ids

    awarded = post(client, f"{path}/entries/{entry['id']}/award", {}, ada)
    assert awarded.status_code == 200, awarded.content
    answer = awarded.json()
    assert answer["entry"] == entry["id"]
    assert (answer["model"], answer["version"]) == (version.model_id, version.pk)
    assert answer["status"] == "awarded"
    assert answer["transfer"].startswith("trf_")
    assert client.get("/api/v2/wallet", **bearer(maker)).json()["available"] == 1500
    after = client.get(BASE + path).json()
    assert (after["status"], after["escrow"], after["awarded_entry"]) == (
        "awarded",
        0,
        entry["id"],
    )
    lines = client.get(f"{BASE}{path}/timeline").json()["items"]
    assert [line["kind"] for line in lines] == [
        "opened",
        "entered",
        "paid",
        "awarded",
        "published",
    ]
    assert lines[2]["transfer"] == answer["transfer"]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"amount": 499}, "amount"),
        ({"amount": 1500.5}, "amount"),
        ({"amount": "1500"}, "amount"),
        ({"amount": True}, "amount"),
        ({"deadline": "2020-01-01T00:00:00Z"}, "deadline"),
        ({"deadline": "2999-01-01"}, "deadline"),
        ({"deadline": "2999-01-01T00:00:00"}, "deadline"),
        ({"deadline": "soon, Tuesday"}, "deadline"),
        ({"kind": "video"}, "kind"),
        ({"rule": "reactions"}, "rule"),
        ({"title": ""}, "title"),
        ({"description": " "}, "description"),
    ],
)
def test_bad_input_names_its_field_and_changes_nothing(
    client: Client, changes: dict[str, Any], field: str
) -> None:
    ada = rich("ada")

    answer = post(client, "", wanted(**changes), ada)

    assert answer.status_code == 422
    assert answer["Content-Type"] == "application/problem+json"
    body = answer.json()
    assert body["code"] == "invalid"
    assert [error["field"] for error in body["errors"]] == [field]
    assert not Bounty.objects.exists()
    assert ledger.available(user_id=ada.pk) == 5000


def test_a_bounty_beyond_the_balance_is_402(client: Client) -> None:
    ada = rich("ada", 600)

    answer = post(client, "", wanted(), ada)

    assert (answer.status_code, answer.json()["code"]) == (402, "insufficient_sparks")
    assert not Bounty.objects.exists()


def test_a_replayed_request_opens_one_bounty(client: Client) -> None:
    ada = rich("ada")
    token = bearer(ada, **{"Idempotency-Key": "once"})
    body = wanted()

    answers = [client.post(BASE, body, content_type="application/json", **token) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()
    assert Bounty.objects.count() == 1
    other = client.post(BASE, wanted(amount=600), content_type="application/json", **token)
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_conflict")


def test_what_strangers_and_tokens_without_the_scope_cannot_do(client: Client) -> None:
    bounty = make.bounty()
    entry = make.entry(bounty)
    eve = rich("eve")
    path = f"/{bounty.id}"
    award = f"{path}/entries/{entry.id}/award"

    for route in ("", f"{path}/contributions", f"{path}/entries", award, f"{path}/cancel"):
        answer = client.post(BASE + route, {}, content_type="application/json")
        assert answer.status_code == 401, route
    refused = post(client, award, {}, eve)
    assert (refused.status_code, refused.json()["code"]) == (403, "not_owner")
    refused = post(client, f"{path}/cancel", {}, eve)
    assert (refused.status_code, refused.json()["code"]) == (403, "not_owner")
    refused = post(client, f"{path}/entries/{entry.id}/withdraw", {}, eve)
    assert (refused.status_code, refused.json()["code"]) == (403, "not_owner")
    poor = post(client, "", wanted(), eve, "read", "write")
    assert (poor.status_code, poor.json()["code"]) == (403, "forbidden")

    assert Bounty.objects.get().status == "open"
    assert Entry.objects.get().status == "submitted"
    assert ledger.available(user_id=eve.pk) == 5000


def test_twice_late_and_oneself_have_their_own_codes(client: Client) -> None:
    bounty = make.bounty()
    entry = make.entry(bounty)
    path = f"/{bounty.id}"
    award = f"{path}/entries/{entry.id}/award"
    own = post(client, f"{path}/entries", {"version": entry.version_id}, bounty.owner)
    assert own.status_code == 403
    assert post(client, award, {}, bounty.owner).status_code == 200
    again = post(client, award, {}, bounty.owner)
    assert (again.status_code, again.json()["code"]) == (409, "already_awarded")

    late = make.bounty()
    with clock.frozen(late.deadline):
        answer = post(client, f"/{late.id}/entries", {"version": entry.version_id}, accounts.user())
        stake = post(client, f"/{late.id}/contributions", {"amount": 100}, rich("bob"))
    for refused in (answer, stake):
        assert (refused.status_code, refused.json()["code"]) == (409, "deadline_passed")
    assert Contribution.objects.filter(bounty=late).count() == 1


def test_contributions_are_listed_and_given(client: Client) -> None:
    bounty, bob = make.bounty(), rich("bob", 300)
    entry = make.entry(bounty)
    path = f"/{bounty.id}/contributions"

    made = post(client, path, {"amount": 200, "judge": "self"}, bob)
    assert made.status_code == 201
    stake = made.json()
    assert (stake["amount"], stake["judge"], stake["status"]) == (200, "self", "held")
    listed = client.get(BASE + path).json()
    assert [item["amount"] for item in listed["items"]] == [1500, 200]
    assert client.get(f"{BASE}{path}/{stake['id']}").json() == stake
    given = post(client, f"{path}/{stake['id']}/give", {"entry": entry.id}, bob)
    assert (given.json()["status"], given.json()["given_to"]) == ("paid", entry.id)
    assert client.get(f"{BASE}/{bounty.id}").json()["escrow"] == 1500


def test_entries_are_listed_shortlisted_and_withdrawn(client: Client) -> None:
    bounty = make.bounty()
    entry = make.entry(bounty)
    path = f"{BASE}/{bounty.id}/entries"

    listed = client.get(path).json()
    assert [item["id"] for item in listed["items"]] == [entry.id]
    one = f"{path}/{entry.id}"
    assert client.get(one).json() == listed["items"][0]
    assert client.put(f"{one}/shortlist", **bearer(bounty.owner)).status_code == 200
    assert entry.shortlistings.count() == 1
    assert client.delete(f"{one}/shortlist", **bearer(bounty.owner)).status_code == 200
    assert entry.shortlistings.count() == 0
    gone = post(client, f"/{bounty.id}/entries/{entry.id}/withdraw", {}, entry.maker)
    assert gone.json()["status"] == "withdrawn"
    assert client.get(path).json()["items"] == []
    assert client.get(one).status_code == 404


def test_editing_extending_and_cancelling(client: Client) -> None:
    bounty = make.bounty()
    ada = bounty.owner
    changed = client.patch(
        f"{BASE}/{bounty.id}",
        {"title": "A blue fox"},
        content_type="application/json",
        **bearer(ada),
    )
    assert (changed.status_code, changed.json()["title"]) == (200, "A blue fox")
    later = (bounty.deadline + dt.timedelta(days=1)).isoformat()
    assert post(client, f"/{bounty.id}/extend", {"deadline": later}, ada).status_code == 200
    again = post(client, f"/{bounty.id}/extend", {"deadline": later}, ada)
    assert (again.status_code, again.json()["code"]) == (409, "wrong_state")
    over = post(client, f"/{bounty.id}/cancel", {}, ada)
    assert (over.status_code, over.json()["status"], over.json()["escrow"]) == (
        200,
        "cancelled",
        0,
    )
    assert ledger.available(user_id=ada.pk) == 1500


def test_disputing_is_for_those_with_a_part(client: Client) -> None:
    bounty = make.bounty()
    entry = make.entry(bounty)
    with clock.frozen(bounty.deadline):
        services.sweep()
        refused = post(client, f"/{bounty.id}/dispute", {"reason": "Me."}, accounts.user())
        assert refused.status_code == 403
        answer = post(client, f"/{bounty.id}/dispute", {"reason": "No answer."}, entry.maker)
    assert (answer.status_code, answer.json()["status"]) == (201, "disputed")


def test_the_list_filters_sorts_and_pages(client: Client) -> None:
    ada = accounts.user("ada")
    small = make.bounty(ada, amount=600, kind="images")
    big = make.bounty(ada, amount=3000)
    middle = make.bounty(amount=900)
    services.cancel(bounty_id=middle.id, actor=middle.owner)

    def ids(query: str) -> list[str]:
        answer = client.get(f"{BASE}?{query}")
        assert answer.status_code == 200, answer.content
        return [item["id"] for item in answer.json()["items"]]

    assert ids("") == [middle.id, big.id, small.id]
    assert ids("state=open&sort=highest") == [big.id, small.id]
    assert ids("state=open&sort=ending") == [small.id, big.id]
    assert ids("state=closed") == [middle.id]
    assert ids("kind=images") == [small.id]
    assert ids("owner=ada") == [big.id, small.id]
    first = client.get(f"{BASE}?limit=2").json()
    assert ids(f"limit=2&after={first['next']}") == [small.id]
    for bad in ("state=x", "sort=x", "kind=x", "after=x", "limit=0"):
        assert client.get(f"{BASE}?{bad}").status_code == 422
    mine = client.get(f"{BASE}?state=mine", **bearer(middle.owner)).json()["items"]
    assert [item["id"] for item in mine] == [middle.id]


def test_what_is_held_or_blocked_does_not_exist_for_strangers(client: Client) -> None:
    held = make.bounty(description="I love @silver_fox_arts. A fox in that spirit.")
    blocked = make.bounty()
    likeness.block(ref=Ref("bounty", blocked.id), reason="A notice came in.")

    assert client.get(BASE).json()["items"] == []
    for bounty in (held, blocked):
        for route in ("", "/entries", "/contributions", "/timeline"):
            assert client.get(f"{BASE}/{bounty.id}{route}").status_code == 404
    own = client.get(f"{BASE}/{held.id}", **bearer(held.owner))
    assert (own.status_code, own.json()["status"], own.json()["escrow"]) == (
        200,
        "screening",
        0,
    )
    assert client.get(f"{BASE}/{blocked.id}", **bearer(blocked.owner)).status_code == 404


def test_lists_cost_the_same_for_one_and_for_many(
    client: Client, django_assert_max_num_queries: Any
) -> None:
    for _ in range(3):
        bounty = make.bounty(kind="images")
        make.entry(bounty)
        make.contribution(bounty)
    with django_assert_max_num_queries(6):
        client.get(BASE)
    with django_assert_max_num_queries(8):
        client.get(f"{BASE}/{bounty.id}/entries")
