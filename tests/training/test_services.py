"""Starting trainings: what is refused changes nothing, what is accepted is held and queued."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image
from procrastinate.contrib.django.models import ProcrastinateJob
from tests.factories import accounts, photographs
from tests.factories import training as make
from tests.factories.jobs import rich_user

from atelier.core.errors import DomainError, Invalid, NotFound, NotOwner
from atelier.ledger import queries as ledger
from atelier.ledger.errors import InsufficientSparks
from atelier.likeness.errors import LikenessConsentRequired
from atelier.media import services as media
from atelier.media.errors import MediaPending
from atelier.training import queries, services
from atelier.training.models import Training

if TYPE_CHECKING:
    from atelier.accounts.models import User

pytestmark = pytest.mark.django_db


def _money(user: User) -> tuple[int, int]:
    wallet = ledger.wallet(user_id=user.pk)
    return wallet.available, wallet.held


def _refused(user: User, kind: type[DomainError], **fields: Any) -> DomainError:
    asked = make.request(user, **fields)
    with pytest.raises(kind) as refusal:
        services.start(owner=user, request=asked)
    assert not Training.objects.exists()
    assert _money(user)[1] == 0
    assert not ProcrastinateJob.objects.filter(task_name="training.run").exists()
    return refusal.value


def test_a_training_is_decided_held_and_queued() -> None:
    user = rich_user(1000)
    captions = ("mofo sits", "", "mofo runs", "", "")
    training = make.training(user, captions=captions)
    assert (training.status, training.cost_sparks) == ("queued", 500)
    assert _money(user) == (500, 500)
    assert [row.caption for row in training.dataset.all()] == list(captions)
    assert training.sample_prompts == [
        "mofo",
        "mofo sits",
        "photo of mofo",
        "photo of mofo, face",
    ]
    assert ProcrastinateJob.objects.filter(task_name="training.run").count() == 1
    state = queries.state(queries.get_owned(owner=user, training_id=training.pk))
    assert (state["status"], state["queue_position"], state["epochs"]) == ("queued", 1, [])


def test_a_photograph_of_a_real_woman_is_refused_and_nothing_moves() -> None:
    user = rich_user(1000)
    pictures = [*make.drawings(user, 4), make.picture(user, photographs.real_woman(), "her.png")]
    refusal = _refused(user, LikenessConsentRequired, media_ids=tuple(row.pk for row in pictures))
    assert (refusal.code, refusal.status) == ("likeness_consent_required", 403)
    assert _money(user) == (1000, 0)


def test_a_caption_that_names_a_person_of_ones_life_is_refused() -> None:
    user = rich_user(1000)
    refusal = _refused(user, LikenessConsentRequired, captions=("my ex girlfriend", "", "", "", ""))
    assert refusal.code == "likeness_consent_required"


def _encoded_again(data: bytes) -> bytes:
    out = io.BytesIO()
    Image.open(io.BytesIO(data)).save(out, "PNG", compress_level=1)
    assert out.getvalue() != data
    return out.getvalue()


def test_the_same_picture_counts_once() -> None:
    user = rich_user(1000)
    rows = make.drawings(user, 4)
    twin = make.picture(user, _encoded_again(photographs.drawing(0, size=128)), "twin.png")
    assert twin.canonical_sha256 == rows[0].canonical_sha256
    refusal = _refused(user, Invalid, media_ids=tuple(row.pk for row in (*rows, twin)))
    assert "of these 5 only 4 differ" in refusal.detail
    more = make.picture(user, photographs.drawing(9))
    planned = services.plan(
        owner=user,
        request=make.request(user, media_ids=tuple(row.pk for row in (*rows, twin, more))),
    )
    assert (len(planned.pictures), planned.duplicates) == (5, 1)


def test_small_pictures_are_refused() -> None:
    user = rich_user(1000)
    small = make.picture(user, photographs.drawing(50, size=63), "small.png")
    rows = make.drawings(user, 4)
    refusal = _refused(user, Invalid, media_ids=tuple(row.pk for row in (*rows, small)))
    assert "at least 64 pixels on each side; small.png is 63 by 63" in refusal.detail


def test_others_pictures_cannot_be_used() -> None:
    user, other = rich_user(1000), accounts.user()
    rows = make.drawings(other, 5)
    _refused(user, NotOwner, media_ids=tuple(row.pk for row in rows))
    _refused(user, NotFound, media_ids=tuple(f"med_{number}" for number in range(5)))


def test_pictures_that_are_still_checked_cannot_be_used() -> None:
    user = rich_user(1000)
    waiting = media.receive(
        owner=user, stream=io.BytesIO(photographs.drawing(70)), filename="new.png"
    )
    rows = make.drawings(user, 4)
    _refused(user, MediaPending, media_ids=tuple(row.pk for row in (*rows, waiting)))


def test_a_wallet_that_is_too_small_starts_nothing() -> None:
    user = rich_user(499)
    _refused(user, InsufficientSparks)
    assert _money(user) == (499, 0)


def test_cancelling_what_waits_gives_everything_back() -> None:
    user = rich_user(1000)
    training = make.training(user)
    assert services.cancel(training=training, actor=user).status == "cancelled"
    assert _money(user) == (1000, 0)
    with pytest.raises(NotOwner):
        services.cancel(training=training, actor=accounts.user())


def test_a_large_dataset_is_checked_by_a_task(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "DECIDED_AT_ONCE", 4)
    user = rich_user(1000)
    training = make.training(user)
    assert (training.status, training.job_id) == ("checking", None)
    assert _money(user) == (1000, 0)
    assert services.check(training_id=training.pk).status == "queued"
    assert services.check(training_id=training.pk).status == "queued"
    assert _money(user) == (500, 500)


def test_a_large_dataset_with_a_real_person_ends_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "DECIDED_AT_ONCE", 4)
    user = rich_user(1000)
    rows = [*make.drawings(user, 4), make.picture(user, photographs.real_woman())]
    training = make.training(user, media_ids=tuple(row.pk for row in rows))
    checked = services.check(training_id=training.pk)
    assert (checked.status, checked.refusal_code) == ("refused", "likeness_consent_required")
    assert _money(user) == (1000, 0)


def test_a_large_dataset_can_be_cancelled_while_it_is_checked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(services, "DECIDED_AT_ONCE", 4)
    user = rich_user(1000)
    training = make.training(user)
    assert services.cancel(training=training, actor=user).status == "cancelled"
    assert services.check(training_id=training.pk).status == "cancelled"
    assert _money(user) == (1000, 0)


def test_the_price_and_time_are_told_before() -> None:
    user = rich_user(0)
    planned = services.plan(owner=user, request=make.request(user))
    assert planned.cost == 500
    assert 0 < services.expected_seconds(planned) < 60
