from __future__ import annotations

from typing import Any

import pytest
from tests.factories import accounts as make

from atelier.core import outbox
from atelier.notifications import queries, services
from atelier.notifications.models import Notification

pytestmark = pytest.mark.django_db


def _told(user_id: int) -> list[tuple[str, str, str]]:
    rows = Notification.objects.filter(user_id=user_id).order_by("id")
    return [(row.kind, row.text, row.link) for row in rows]


def _publish(topic: str, **payload: Any) -> None:
    outbox.publish(topic, payload)
    outbox.deliver()


def test_a_bounty_tells_its_people_and_not_the_actor() -> None:
    ada, bob, eve = make.user("ada"), make.user("bob"), make.user("eve")
    _publish(
        "bounties.awarded",
        bounty_id="bty_1",
        title="A fox",
        status="awarded",
        owner_id=ada.pk,
        actor_id=ada.pk,
        recipients=[ada.pk, bob.pk],
        entry_id="ent_1",
        amount=1500,
    )
    words = "“A fox” was awarded: 1,500 Sparks to the maker."
    assert _told(bob.pk) == [("bounty", words, "/bounties/bty_1")]
    assert _told(ada.pk) == []
    assert _told(eve.pk) == []


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("completed", ["Your training is done."]),
        ("failed", ["Your training failed. What it did not use was given back."]),
        ("cancelled", []),
    ],
)
def test_a_finished_job_tells_its_owner(status: str, words: list[str]) -> None:
    ada = make.user("ada")
    payload = {"job_id": "job_1", "subject_id": "trn_1", "owner_id": ada.pk, "status": status}
    _publish("training.finished", **payload)
    _publish("training.finished", **payload)
    assert [text for _, text, _ in _told(ada.pk)] == words


def test_people_hear_of_followers_comments_reactions_and_tips() -> None:
    ada, bob = make.user("ada"), make.user("bob")
    _publish("social.followed", follower_id=bob.pk, followee_id=ada.pk)
    _publish(
        "social.commented",
        comment_id="cmt_1",
        author_id=bob.pk,
        target_kind="image",
        target_id="7",
        owner_id=ada.pk,
        parent_author_id=None,
    )
    for kind in ("Like", "Heart"):
        _publish(
            "social.reacted",
            reaction_id=f"rea_{kind}",
            user_id=bob.pk,
            kind=kind,
            target_kind="image",
            target_id="7",
            owner_id=ada.pk,
        )
    _publish(
        "social.tipped",
        tip_id="tip_1",
        payer_id=bob.pk,
        payee_id=ada.pk,
        amount=50,
        transfer_id="trf_1",
    )
    assert _told(ada.pk) == [
        ("social", "bob follows you.", "/u/bob"),
        ("social", "bob commented on your picture.", "/images/7"),
        ("social", "bob reacted to your picture.", "/images/7"),
        ("sparks", "bob tipped you 50 Sparks.", "/wallet/transfers/trf_1"),
    ]
    assert _told(bob.pk) == []


def test_an_answer_to_ones_own_comment_on_ones_own_picture_is_told_once() -> None:
    ada, bob = make.user("ada"), make.user("bob")
    _publish(
        "social.commented",
        comment_id="cmt_2",
        author_id=bob.pk,
        target_kind="post",
        target_id="3",
        owner_id=ada.pk,
        parent_author_id=ada.pk,
    )
    assert _told(ada.pk) == [("social", "bob answered your comment.", "/posts/3")]


def test_counting_stops_at_99() -> None:
    ada = make.user("ada")
    for number in range(105):
        services.notify(user_id=ada.pk, kind="social", text="x" * 400, key=str(number))
    assert queries.unread_count(user_id=ada.pk) == 99
    assert len(Notification.objects.filter(user=ada)[0].text) == 300
