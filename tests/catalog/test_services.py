"""Making, uploading, clearing, locking, publishing and taking down models."""

from __future__ import annotations

import pytest
from tests.factories import accounts, catalog
from tests.factories.weights import safetensors

from atelier.catalog import queries, services, uploads
from atelier.catalog.errors import FileRefused, Locked, Quarantined
from atelier.catalog.models import (
    Access,
    AiModel,
    Clearance,
    FileHash,
    ModelFile,
    ModelVersion,
    Source,
    Status,
    Upload,
)
from atelier.core import storage
from atelier.core.errors import Duplicate, Forbidden, Invalid, NotFound, NotOwner, WrongState
from atelier.core.models import OutboxEvent
from atelier.likeness.errors import LikenessConsentRequired
from atelier.likeness.refs import Ref
from atelier.likeness.services import block

pytestmark = pytest.mark.django_db


def topics() -> list[str]:
    return list(OutboxEvent.objects.order_by("id").values_list("topic", flat=True))


class TestMaking:
    def test_a_model_is_a_draft_with_checked_words(self) -> None:
        owner = accounts.user()
        model = services.create_model(
            owner=owner,
            name="  Mascot fox ",
            type="LORA",
            base_model="Atelier Base",
            description="A **fox**.",
            tags=["Fox", "fox", "  small   animal "],
        )
        assert model.name == "Mascot fox"
        assert model.status == Status.DRAFT
        assert model.description_html == "<p>A <strong>fox</strong>.</p>\n"
        assert sorted(tag.name for tag in model.tags.all()) == ["fox", "small animal"]
        assert model.get_absolute_url() == f"/models/{model.pk}/mascot-fox"

    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ({"name": "  "}, "name"),
            ({"name": "x" * 101}, "name"),
            ({"name": "a\0b"}, "name"),
            ({"type": "lora"}, "type"),
            ({"base_model": "SD 9"}, "base_model"),
            ({"description": "x" * 20_001}, "description"),
            ({"tags": ["<script>"]}, "tags"),
            ({"tags": [f"tag {number}" for number in range(21)]}, "tags"),
            ({"permissions": services.Permissions(license="mine")}, "license"),
            (
                {"permissions": services.Permissions(allow_commercial_use=["All"])},
                "allow_commercial_use",
            ),
        ],
    )
    def test_bad_input_names_the_field_and_makes_nothing(
        self, changes: dict[str, object], field: str
    ) -> None:
        with pytest.raises(Invalid) as caught:
            catalog.model(**changes)
        assert caught.value.errors[0].field == field
        assert not AiModel.objects.exists()

    def test_words_about_a_real_person_are_refused(self) -> None:
        with pytest.raises(LikenessConsentRequired):
            catalog.model(name="My coworker", description="a LoRA of my coworker Anna")
        assert not AiModel.objects.exists()

    def test_only_the_owner_adds_versions_and_changes_words(self) -> None:
        model = catalog.model()
        stranger = accounts.user()
        with pytest.raises(NotOwner):
            services.create_version(model=model, actor=stranger, name="v1")
        with pytest.raises(NotOwner):
            services.update_model(model=model, actor=stranger, name="Mine")
        assert not model.versions.exists()
        model.refresh_from_db()
        assert model.name != "Mine"

    def test_versions_take_the_model_s_base_and_stand_in_order(self) -> None:
        model = catalog.model()
        first = services.create_version(model=model, actor=model.owner, name="v1")
        second = services.create_version(
            model=model, actor=model.owner, name="v2", trained_words=["fox", "fox ", ""]
        )
        assert (first.index, second.index) == (0, 1)
        assert first.base_model == "Atelier Base"
        assert second.trained_words == ["fox"]
        assert first.clearance == Clearance.QUARANTINED
        assert first.source == Source.UPLOADED

    def test_update_keeps_what_is_not_given(self) -> None:
        model = catalog.model(description="Before", tags=["fox"])
        services.update_model(
            model=model,
            actor=model.owner,
            name="After",
            permissions=services.Permissions(license="cc0-1.0", allow_derivatives=False),
        )
        model.refresh_from_db()
        assert (model.name, model.description) == ("After", "Before")
        assert [tag.name for tag in model.tags.all()] == ["fox"]
        assert (model.license, model.allow_derivatives) == ("cc0-1.0", False)


class TestFiles:
    def test_an_upload_becomes_a_quarantined_file_with_six_hashes(self) -> None:
        data = safetensors({"lora_unet_attn2_to_k.lora_down.weight": (4, 768)})
        version = catalog.quarantined(data=data)
        file = catalog.file_of(version)
        assert storage.blobs().read(file.sha256) == data
        assert file.size_bytes == len(data)
        assert set(file.hashes) == {"AutoV2", "AutoV3", "SHA256", "CRC32", "BLAKE3"}
        assert FileHash.objects.filter(file=file).count() == 6
        assert (file.detected_type, file.precision, file.is_primary) == ("LORA", "fp16", True)
        assert file.header_facts["tensors"] == 1
        assert version.clearance == Clearance.QUARANTINED
        assert Upload.objects.get().state == Upload.State.USED
        assert not uploads.path_of(Upload.objects.get()).exists()
        assert topics()[-1] == "catalog.version_quarantined"

    def test_a_file_that_is_not_safetensors_changes_nothing(self) -> None:
        model = catalog.model()
        version = services.create_version(model=model, actor=model.owner, name="v1")
        upload = catalog.upload(model.owner, b"\x80\x04\x95" + b"K\x01." * 20)
        with pytest.raises(FileRefused, match="Python pickle"):
            services.add_file_from_upload(version=version, actor=model.owner, upload_id=upload.pk)
        upload.refresh_from_db()
        assert upload.state == Upload.State.FINISHED
        assert uploads.offset_of(upload) == upload.length
        assert not ModelFile.objects.exists()
        assert topics() == []

    def test_a_truncated_file_is_refused_as_such(self) -> None:
        model = catalog.model()
        version = services.create_version(model=model, actor=model.owner, name="v1")
        upload = catalog.upload(model.owner, safetensors()[:-7])
        with pytest.raises(FileRefused, match="cut off"):
            services.add_file_from_upload(version=version, actor=model.owner, upload_id=upload.pk)
        assert not ModelFile.objects.exists()

    def test_another_extension_is_refused(self) -> None:
        model = catalog.model()
        version = services.create_version(model=model, actor=model.owner, name="v1")
        upload = catalog.upload(model.owner, name="weights.ckpt")
        with pytest.raises(FileRefused, match=r"\.safetensors"):
            services.add_file_from_upload(version=version, actor=model.owner, upload_id=upload.pk)

    def test_an_unfinished_upload_is_refused(self) -> None:
        model = catalog.model()
        version = services.create_version(model=model, actor=model.owner, name="v1")
        upload = uploads.create(owner=model.owner, length=100)
        with pytest.raises(WrongState, match="0 of 100 bytes"):
            services.add_file_from_upload(version=version, actor=model.owner, upload_id=upload.pk)

    def test_another_person_s_upload_does_not_exist(self) -> None:
        model = catalog.model()
        version = services.create_version(model=model, actor=model.owner, name="v1")
        upload = catalog.upload(accounts.user())
        with pytest.raises(NotFound):
            services.add_file_from_upload(version=version, actor=model.owner, upload_id=upload.pk)
        assert not ModelFile.objects.exists()

    def test_the_same_bytes_twice_are_a_duplicate(self) -> None:
        data = safetensors()
        version = catalog.quarantined(data=data)
        owner = version.model.owner
        again = catalog.upload(owner, data)
        with pytest.raises(Duplicate):
            services.add_file_from_upload(version=version, actor=owner, upload_id=again.pk)
        assert version.files.count() == 1

    def test_a_new_file_puts_a_cleared_draft_back_into_quarantine(self) -> None:
        version = catalog.cleared()
        owner = version.model.owner
        services.add_file_from_upload(
            version=version, actor=owner, upload_id=catalog.upload(owner).pk, type="VAE"
        )
        version.refresh_from_db()
        assert version.clearance == Clearance.QUARANTINED
        assert [file.is_primary for file in version.files.order_by("id")] == [True, False]

    @pytest.mark.parametrize("make", [catalog.published, catalog.trained])
    def test_public_and_trained_versions_take_no_files(self, make: object) -> None:
        version = make()  # type: ignore[operator]
        owner = version.model.owner
        with pytest.raises(WrongState):
            services.add_file_from_upload(
                version=version, actor=owner, upload_id=catalog.upload(owner).pk
            )
        assert version.files.count() == 1


class TestClearance:
    def test_only_staff_clear_and_refuse(self) -> None:
        version = catalog.quarantined()
        with pytest.raises(Forbidden):
            services.clear_version(version_id=version.pk, actor=version.model.owner)
        with pytest.raises(Forbidden):
            services.refuse_version(version_id=version.pk, actor=version.model.owner, reason="mine")
        version.refresh_from_db()
        assert version.clearance == Clearance.QUARANTINED

    def test_a_quarantined_version_cannot_be_published(self) -> None:
        version = catalog.quarantined()
        with pytest.raises(Quarantined):
            services.publish(version=version, actor=version.model.owner)
        version.refresh_from_db()
        assert version.status == Status.DRAFT

    def test_a_refused_version_says_why_and_leaves_the_public(self) -> None:
        version = catalog.published()
        services.refuse_version(
            version_id=version.pk, actor=accounts.staff(), reason="It shows a real person."
        )
        version.refresh_from_db()
        assert (version.clearance, version.status) == (Clearance.REFUSED, Status.HIDDEN)
        with pytest.raises(NotFound):
            queries.require_available(version=version, viewer=version.model.owner)
        with pytest.raises(Quarantined, match="real person"):
            queries.require_available(version=version, viewer=accounts.staff())


class TestPublishing:
    def test_a_cleared_version_becomes_public_with_its_model(self) -> None:
        version = catalog.published()
        model = AiModel.objects.get(pk=version.model_id)
        assert (version.status, model.status) == (Status.PUBLISHED, Status.PUBLISHED)
        assert model.last_version_at == version.published_at
        assert list(queries.published_versions()) == [version]
        assert list(queries.published_models()) == [model]
        before = topics()
        services.publish(version=version, actor=model.owner)
        assert topics() == before

    def test_strangers_cannot_publish(self) -> None:
        version = catalog.cleared()
        with pytest.raises(NotOwner):
            services.publish(version=version, actor=accounts.user())

    def test_a_version_without_files_cannot_be_published(self) -> None:
        model = catalog.model()
        version = services.create_version(model=model, actor=model.owner, name="v1")
        with pytest.raises(Invalid, match="Add a file"):
            services.publish(version=version, actor=model.owner)

    def test_unpublish_takes_the_model_along(self) -> None:
        version = catalog.published()
        services.unpublish(version=version, actor=version.model.owner)
        version.model.refresh_from_db()
        assert version.model.status == Status.DRAFT
        assert not queries.published_models().exists()

    def test_hidden_and_shown_again(self) -> None:
        version = catalog.published()
        services.hide_model(model_id=version.model_id)
        assert not queries.published_versions().exists()
        with pytest.raises(NotFound):
            queries.model_for(model_id=version.model_id, viewer=version.model.owner)
        services.unhide_model(model_id=version.model_id)
        assert queries.published_versions().exists()
        services.remove_model(model_id=version.model_id)
        with pytest.raises(WrongState):
            services.unhide_model(model_id=version.model_id)

    def test_a_block_acts_on_every_reading(self) -> None:
        version = catalog.published()
        block(ref=Ref("version", version.pk), reason="a notice")
        assert not queries.published_versions().exists()
        assert queries.by_hash(catalog.file_of(version).hashes["SHA256"]) is None
        with pytest.raises(NotFound):
            queries.require_available(version=version, viewer=version.model.owner)


class TestLocks:
    def test_a_locked_version_is_its_owner_s_staff_s_and_of_those_it_was_unlocked_for(
        self,
    ) -> None:
        version = catalog.trained()
        owner = version.model.owner
        services.lock(version=version, owner=owner)
        version = ModelVersion.objects.get(pk=version.pk)
        commissioner, stranger = accounts.user(), accounts.user()
        with pytest.raises(Locked):
            queries.require_available(version=version, viewer=stranger)
        with pytest.raises(Locked):
            queries.require_available(version=version, viewer=commissioner)
        queries.require_available(version=version, viewer=owner)
        queries.require_available(version=version, viewer=accounts.staff())
        services.unlock_for(version=version, user=commissioner, reason="award")
        services.unlock_for(version=version, user=commissioner, reason="award")
        queries.require_available(version=version, viewer=commissioner)
        with pytest.raises(Locked):
            queries.require_available(version=version, viewer=stranger)

    def test_what_cannot_be_locked(self) -> None:
        published = catalog.published()
        with pytest.raises(WrongState):
            services.lock(version=published, owner=published.model.owner)
        quarantined = catalog.quarantined()
        with pytest.raises(Quarantined):
            services.lock(version=quarantined, owner=quarantined.model.owner)
        trained = catalog.trained()
        with pytest.raises(NotOwner):
            services.lock(version=trained, owner=accounts.user())
        services.lock(version=trained, owner=trained.model.owner)
        with pytest.raises(WrongState):
            services.lock(version=trained, owner=trained.model.owner)

    def test_a_locked_version_is_published_only_after_it_opens(self) -> None:
        version = catalog.trained()
        services.lock(version=version, owner=version.model.owner)
        with pytest.raises(WrongState, match="bounty"):
            services.publish(version=version, actor=version.model.owner)
        services.open_lock(version=version)
        published = services.publish(version=version, actor=None)
        assert (published.status, published.access) == (Status.PUBLISHED, Access.PUBLIC)


class TestTrained:
    def test_an_epoch_becomes_one_cleared_draft(self) -> None:
        owner = accounts.user()
        stored = storage.blobs().put_bytes(safetensors())
        fields = {
            "owner": owner,
            "training_id": "trn_1",
            "epoch": 3,
            "blob_sha256": stored.sha256,
        }
        version = catalog.trained(**fields)
        again = catalog.trained(**fields)
        assert again == version
        assert (version.clearance, version.status) == (Clearance.CLEARED, Status.DRAFT)
        assert version.source == Source.TRAINED
        assert AiModel.objects.count() == 1
        assert catalog.file_of(version).sha256 == stored.sha256
        queries.generatable(version=version, viewer=owner)
        with pytest.raises(NotFound):
            queries.generatable(version=version, viewer=accounts.user())
        with pytest.raises(NotOwner):
            catalog.trained(**{**fields, "owner": accounts.user()})

    def test_it_may_join_a_model_of_its_owner(self) -> None:
        first = catalog.trained()
        owner = first.model.owner
        second = catalog.trained(owner, model=first.model)
        assert (second.model, second.index) == (first.model, 1)
        with pytest.raises(NotOwner):
            catalog.trained(accounts.user(), model=first.model)


class TestBase:
    def test_the_base_model_is_made_once(self, tmp_path: object) -> None:
        path = tmp_path / "base.safetensors"  # type: ignore[operator]
        path.write_bytes(safetensors({"unet.conv_in.weight": (64, 64)}))
        version = services.ensure_base_model(path=path)
        assert services.ensure_base_model(path=path) == version
        assert version.model.owner.username == "atelier"
        assert version.model.name == "Atelier Base"
        assert path.exists()
        queries.generatable(version=version, viewer=None)
        path.write_bytes(safetensors({"unet.conv_in.weight": (64, 64)}))
        newer = services.ensure_base_model(path=path)
        assert newer != version
        version.refresh_from_db()
        assert (newer.index, version.index) == (0, 1)


class TestCounting:
    def test_a_person_counts_once_a_day(self) -> None:
        version = catalog.published()
        for person in ("a", "a", "b"):
            services.record_download(version_id=version.pk, person=person)
        assert services.roll_up_downloads() == 2
        assert services.roll_up_downloads() == 0
        version.refresh_from_db()
        version.model.refresh_from_db()
        assert (version.download_count, version.model.download_count) == (2, 2)

    def test_counters_never_go_below_zero(self) -> None:
        version = catalog.published()
        services.add_votes(version_id=version.pk, up=2, down=1)
        services.add_votes(version_id=version.pk, up=-1, down=-5)
        services.add_images(by_model={version.model_id: 3})
        services.add_comments(model_id=version.model_id, count=-1)
        services.add_ratings(version_id=version.pk, levels=4)
        version.refresh_from_db()
        model = AiModel.objects.get(pk=version.model_id)
        assert (version.thumbs_up_count, version.thumbs_down_count) == (1, 0)
        assert (model.thumbs_up_count, model.image_count, model.comment_count) == (1, 3, 0)
        assert (version.nsfw_level, model.nsfw_level) == (5, 5)
