"""The training wizard and the run's page, without scripts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from tests.factories import accounts, photographs
from tests.factories import generation as generations
from tests.factories import training as make
from tests.factories.jobs import rich_user, without_heartbeat

from atelier.ledger import queries as ledger
from atelier.media import services as media
from atelier.training import worker
from atelier.training.models import Training, TrainingDraft

if TYPE_CHECKING:
    from django.test import Client

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_no_heartbeat")]


@pytest.fixture
def _no_heartbeat(monkeypatch: pytest.MonkeyPatch) -> None:
    without_heartbeat(monkeypatch)


def _files(*contents: bytes) -> list[SimpleUploadedFile]:
    return [
        SimpleUploadedFile(f"fox_{number}.png", data, "image/png")
        for number, data in enumerate(contents)
    ]


def _drawings(count: int) -> list[SimpleUploadedFile]:
    return _files(*[photographs.drawing(seed, size=128) for seed in range(count)])


def test_the_whole_wizard(client: Client) -> None:
    generations.base()
    user = rich_user(1000)
    client.force_login(user)
    answer = client.post("/train", {"files": _drawings(5)})
    draft = TrainingDraft.objects.get()
    sheet = f"/train/drafts/{draft.pk}/pictures"
    assert (answer.status_code, answer["Location"]) == (302, sheet)
    page = client.get(sheet).content.decode()
    assert "Checking pictures: 0 of 5 done" in page
    assert "refresh" in page
    for picture in draft.pictures:
        media.process(media_id=picture["media"])
    page = client.get(sheet).content.decode()
    assert "Continue to captions" in page
    assert "refresh" not in page
    captions = f"/train/drafts/{draft.pk}/captions"
    first = draft.pictures[0]["media"]
    answer = client.post(captions, {f"caption_{first}": "mofo sits"})
    assert answer["Location"] == f"/train/drafts/{draft.pk}/settings"
    assert "mofo sits" in client.get(captions).content.decode()
    settings = f"/train/drafts/{draft.pk}/settings"
    answer = client.post(
        settings, {"name": "Fox", "trigger_word": "mofo", "epochs": "2", "steps_per_epoch": "4"}
    )
    assert answer["Location"] == f"/train/drafts/{draft.pk}/review"
    page = client.get(answer["Location"]).content.decode()
    assert "Start training for 500 Sparks" in page
    answer = client.post(answer["Location"])
    training = Training.objects.get()
    assert answer["Location"] == f"/train/{training.pk}"
    assert not TrainingDraft.objects.exists()
    assert training.dataset.first().caption == "mofo sits"  # type: ignore[union-attr]
    assert training.settings["steps_per_epoch"] == 4
    assert ledger.wallet(user_id=user.pk).held == 500
    assert "Next in the queue" in client.get(answer["Location"]).content.decode()


def test_what_is_not_a_picture_is_named_and_left_out(client: Client) -> None:
    client.force_login(rich_user(1000))
    answer = client.post("/train", {"files": _files(b"not a picture", photographs.drawing(1))})
    page = client.get(answer["Location"]).content.decode()
    assert "fox_0.png: That file is not a picture" in page
    assert len(TrainingDraft.objects.get().pictures) == 1


def test_a_real_persons_picture_stops_the_start_and_the_draft_stays(client: Client) -> None:
    generations.base()
    user = rich_user(1000)
    client.force_login(user)
    client.post("/train", {"files": [*_drawings(4), *_files(photographs.real_woman())]})
    draft = TrainingDraft.objects.get()
    for picture in draft.pictures:
        media.process(media_id=picture["media"])
    client.post(
        f"/train/drafts/{draft.pk}/settings", {"name": "Her", "trigger_word": "hrx", "epochs": "2"}
    )
    answer = client.post(f"/train/drafts/{draft.pk}/review")
    page = answer.content.decode()
    assert answer.status_code == 403
    assert "real person" in page
    assert "no Spark moved" in page
    assert TrainingDraft.objects.filter(pk=draft.pk).exists()
    assert not Training.objects.exists()
    assert ledger.wallet(user_id=user.pk).available == 1000


def test_settings_keep_what_was_typed(client: Client) -> None:
    user = rich_user(1000)
    client.force_login(user)
    draft = TrainingDraft.objects.create(owner=user)
    address = f"/train/drafts/{draft.pk}/settings"
    answer = client.post(address, {"name": "Fox", "trigger_word": "", "epochs": "many"})
    assert answer.status_code == 422
    page = client.get(address).content.decode()
    assert 'value="Fox"' in page
    answer = client.post(address, {"name": "Fox", "trigger_word": "mofo", "preset": "quick"})
    draft.refresh_from_db()
    assert (draft.values["epochs"], draft.values["name"]) == (4, "Fox")


def test_pictures_can_be_taken_out_and_drafts_thrown_away(client: Client) -> None:
    user = rich_user(1000)
    client.force_login(user)
    client.post("/train", {"files": _drawings(2)})
    draft = TrainingDraft.objects.get()
    client.post(f"/train/drafts/{draft.pk}/pictures", {"remove": draft.pictures[0]["media"]})
    draft.refresh_from_db()
    assert len(draft.pictures) == 1
    client.force_login(accounts.user())
    assert client.get(f"/train/drafts/{draft.pk}/pictures").status_code == 404
    assert client.post(f"/train/drafts/{draft.pk}/delete").status_code == 404
    client.force_login(user)
    client.post(f"/train/drafts/{draft.pk}/delete")
    assert not TrainingDraft.objects.exists()


def test_the_run_shows_epochs_prompts_and_loss_and_gives_a_version(client: Client) -> None:
    training = make.training()
    worker.run_next(trains=make.TestTrainer())
    client.force_login(training.owner)
    page = client.get(f"/train/{training.pk}").content.decode()
    assert "photo of mofo, face" in page
    assert '<polyline class="chart-line"' in page
    assert "As a table" in page
    assert page.count("Use this epoch") == 2
    answer = client.post(f"/train/{training.pk}/epochs/2/version")
    assert answer.status_code == 302
    assert answer["Location"].startswith("/models/")
    page = client.get(f"/train/{training.pk}").content.decode()
    assert page.count("Use this epoch") == 1
    assert "/generate?version=" in page


def test_a_run_is_its_owners(client: Client) -> None:
    training = make.training()
    client.force_login(accounts.user())
    for path in ("", "/cancel", "/epochs/1/version"):
        method = client.get if path == "" else client.post
        assert method(f"/train/{training.pk}{path}").status_code == 404
    client.force_login(training.owner)
    assert "of 2 epochs" in client.get("/train").content.decode()
    assert client.post(f"/train/{training.pk}/cancel").status_code == 302
    assert ledger.wallet(user_id=training.owner_id).held == 0
