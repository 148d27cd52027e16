"""Posting pictures, showing what made them, taking them down."""

from __future__ import annotations

import pytest
from tests.factories import accounts, catalog, gallery

from atelier.catalog.models import AiModel
from atelier.core import outbox
from atelier.core.errors import Invalid, NotFound, NotOwner, WrongState
from atelier.core.models import OutboxEvent
from atelier.gallery import queries, services
from atelier.gallery.models import Image, ImageResource, Post, Status
from atelier.gallery.provenance import ResourceSpec
from atelier.gallery.services import ImageSpec
from atelier.likeness.errors import LikenessConsentRequired
from atelier.likeness.refs import Ref
from atelier.likeness.services import block
from atelier.media.errors import MediaPending
from atelier.media.models import Visibility

pytestmark = pytest.mark.django_db


class TestPosting:
    def test_pictures_become_public_in_order(self) -> None:
        owner = accounts.user()
        first, second = gallery.picture(owner, rating=2), gallery.picture(owner)
        post = gallery.post(owner, [first, second], title=" Foxes ", description="*Two*")
        images = list(post.images.order_by("position"))
        assert [image.media_id for image in images] == [first.pk, second.pk]
        assert [image.nsfw_level for image in images] == [2, 1]
        assert (post.title, post.nsfw_level, post.description_html) == (
            "Foxes",
            3,
            "<p><em>Two</em></p>\n",
        )
        assert images[0].blurhash == "005?}k"
        first.refresh_from_db()
        assert first.visibility == Visibility.PUBLIC
        event = OutboxEvent.objects.get(topic="gallery.post_published")
        assert event.payload["image_ids"] == [image.pk for image in images]

    def test_only_one_s_own_ready_pictures(self) -> None:
        owner = accounts.user()
        pending = gallery.picture(owner, status="pending")
        for media, problem in (
            (gallery.picture(accounts.user()), NotOwner),
            (pending, MediaPending),
        ):
            with pytest.raises(problem):
                services.create_post(owner=owner, title="", images=[ImageSpec(media_id=media.pk)])
        with pytest.raises(NotFound):
            services.create_post(owner=owner, title="", images=[ImageSpec(media_id="med_none")])
        assert not Post.objects.exists()

    @pytest.mark.parametrize("count", [0, 21])
    def test_a_post_has_one_to_twenty_pictures(self, count: int) -> None:
        owner = accounts.user()
        with pytest.raises(Invalid):
            gallery.post(owner, [gallery.picture(owner) for _ in range(count)])
        assert not Post.objects.exists()

    def test_the_same_picture_twice_is_refused(self) -> None:
        owner = accounts.user()
        media = gallery.picture(owner)
        with pytest.raises(Invalid, match="twice"):
            gallery.post(owner, [media, media])

    def test_a_real_face_is_refused_before_anybody_sees_it(self) -> None:
        owner = accounts.user()
        media = gallery.picture(owner, scan={"real_faces": 1, "photoreal": 0.9})
        with pytest.raises(LikenessConsentRequired):
            gallery.post(owner, [media])
        media.refresh_from_db()
        assert media.visibility == Visibility.PRIVATE
        assert not Image.objects.exists()
        assert not OutboxEvent.objects.exists()

    def test_the_same_key_posts_once(self) -> None:
        owner = accounts.user()
        post = gallery.post(owner, key="samples:1")
        assert gallery.post(owner, key="samples:1") == post
        assert Post.objects.count() == 1

    def test_what_made_a_picture_is_read_from_its_origin(self) -> None:
        version = catalog.published()
        owner = accounts.user()
        made_by = gallery.origin(
            generator="atelier",
            generation_id="gen_1",
            resources=[
                {"version_id": version.pk, "name": "Fox", "type": "LORA", "strength": 0.8},
                {"name": "elsewhere", "type": "LORA", "strength": 1},
            ],
        )
        media = gallery.picture(owner, origin=made_by, generated=True)
        image = gallery.post(owner, [media]).images.get()
        link = ImageResource.objects.get()
        assert (link.version, link.model, link.strength) == (version, version.model, 0.8)
        assert link.proven
        assert image.base_model == "Atelier Base"

    def test_a_hash_in_the_metadata_finds_a_public_model(self) -> None:
        version = catalog.published()
        owner = accounts.user()
        value = catalog.file_of(version).hashes["AutoV2"].lower()
        media = gallery.picture(
            owner, origin=gallery.origin(resources=[{"name": "fox", "hash": value}])
        )
        gallery.post(owner, [media])
        link = ImageResource.objects.get()
        assert (link.version, link.proven) == (version, False)

    def test_what_the_owner_says_counts_where_the_file_is_silent(self) -> None:
        version = catalog.published()
        owner = accounts.user()
        media = gallery.picture(owner)
        post = services.create_post(
            owner=owner,
            title="",
            images=[
                ImageSpec(
                    media_id=media.pk,
                    prompt="a fox",
                    resources=[ResourceSpec(version.pk, 0.5)],
                )
            ],
        )
        facts = queries.facts_of(post.images.get(), viewer=None)
        assert facts.prompt == "a fox"
        assert [(used.version_id, used.strength) for used in facts.resources] == [(version.pk, 0.5)]

    def test_drafts_of_others_cannot_be_named(self) -> None:
        owner = accounts.user()
        with pytest.raises(NotFound):
            services.create_post(
                owner=owner,
                title="",
                images=[
                    ImageSpec(
                        media_id=gallery.picture(owner).pk,
                        resources=[ResourceSpec(catalog.cleared().pk)],
                    )
                ],
            )
        assert not Post.objects.exists()

    def test_only_the_maker_shows_posts_with_a_model(self) -> None:
        version = catalog.published()
        with pytest.raises(NotOwner):
            gallery.post(accounts.user(), version=version)
        gallery.post(version.model.owner, version=version)
        assert ImageResource.objects.get().version == version

    def test_models_count_their_pictures_when_the_news_arrives(self) -> None:
        version = catalog.published()
        post = gallery.post(version.model.owner, version=version)
        outbox.deliver()
        assert AiModel.objects.get().image_count == 1
        services.hide_post(post_id=post.pk)
        outbox.deliver()
        assert AiModel.objects.get().image_count == 0
        services.unhide_post(post_id=post.pk)
        outbox.deliver()
        assert AiModel.objects.get().image_count == 1


class TestSamples:
    def test_a_trained_version_s_samples_are_posted_once(self) -> None:
        owner = accounts.user()
        samples = [gallery.picture(owner).pk for _ in range(2)]
        version = catalog.trained(owner, sample_media_ids=samples)
        from atelier.catalog import services as catalog_services

        catalog_services.publish(version=version, actor=owner)
        outbox.deliver()
        services.show_samples({"version_id": version.pk})
        post = Post.objects.get()
        assert (post.version, post.owner) == (version, owner)
        assert [image.media_id for image in post.images.order_by("position")] == samples


class TestTakedown:
    def test_a_hidden_picture_is_staff_s_alone(self) -> None:
        image = gallery.image()
        services.hide_image(image_id=image.pk)
        for viewer in (None, image.owner, accounts.user()):
            with pytest.raises(NotFound):
                queries.image_for(image_id=image.pk, viewer=viewer)
        assert queries.image_for(image_id=image.pk, viewer=accounts.staff()) == image
        image.media.refresh_from_db()
        assert image.media.visibility == Visibility.HIDDEN
        services.unhide_image(image_id=image.pk)
        image.media.refresh_from_db()
        assert image.media.visibility == Visibility.PUBLIC
        assert list(queries.feed(levels=1).items) == [image]

    def test_a_removed_post_does_not_come_back(self) -> None:
        post = gallery.post()
        services.remove_post(post_id=post.pk)
        with pytest.raises(WrongState):
            services.unhide_post(post_id=post.pk)
        with pytest.raises(NotFound):
            queries.post_for(post_id=post.pk, viewer=accounts.staff())

    def test_deleting_a_post_makes_its_pictures_private_unless_shown_elsewhere(self) -> None:
        owner = accounts.user()
        once, twice = gallery.picture(owner), gallery.picture(owner)
        first = gallery.post(owner, [once, twice])
        gallery.post(owner, [twice])
        with pytest.raises(NotOwner):
            services.delete_post(post=first, actor=accounts.user())
        services.delete_post(post=first, actor=owner)
        once.refresh_from_db()
        twice.refresh_from_db()
        assert (once.visibility, twice.visibility) == (Visibility.PRIVATE, Visibility.PUBLIC)
        assert first.images.filter(status=Status.PUBLISHED).count() == 0

    def test_a_hidden_post_cannot_be_deleted_by_its_owner(self) -> None:
        post = gallery.post()
        services.hide_post(post_id=post.pk)
        with pytest.raises(WrongState):
            services.delete_post(post=post, actor=post.owner)

    @pytest.mark.parametrize("kind", ["image", "post", "media"])
    def test_a_block_acts_on_every_reading(self, kind: str) -> None:
        image = gallery.image()
        ref = {"image": image.pk, "post": image.post_id, "media": image.media_id}[kind]
        block(ref=Ref(kind, ref), reason="a notice")
        assert queries.feed(levels=1).items == []
        with pytest.raises(NotFound):
            queries.image_for(image_id=image.pk, viewer=image.owner)


class TestCounting:
    def test_reactions_add_up(self) -> None:
        image = gallery.image()
        services.add_reactions(by_image={image.pk: {"like": 2, "dislike": 1, "unknown": 5}})
        services.add_reactions(by_image={image.pk: {"like": -5, "heart": 1}})
        services.add_comments(image_id=image.pk, post_id=image.post_id, count=2)
        image.refresh_from_db()
        assert (image.like_count, image.heart_count, image.dislike_count) == (0, 1, 1)
        assert (image.reaction_count, image.comment_count) == (1, 2)
