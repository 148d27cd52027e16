"""Posts: sharing pictures, and what was shared together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from atelier.catalog import queries as catalog
from atelier.catalog.vocabulary import MAX_INT
from atelier.core.errors import DomainError, NotFound
from atelier.gallery import queries as gallery
from atelier.gallery import services
from atelier.gallery.services import ImageSpec
from atelier.media import queries as media_queries
from atelier.media import services as media
from atelier.media.errors import MediaRefused
from atelier.web.forms.catalog import PostForm
from atelier.web.views import talk
from atelier.web.views.models import viewer_of

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from atelier.accounts.models import User
    from atelier.media.models import Media


@require_safe
def detail(request: HttpRequest, post_id: int) -> HttpResponse:
    """A post: its pictures in order, each with what made it."""
    if post_id > MAX_INT:
        raise NotFound("There is no such post.")
    viewer = viewer_of(request)
    post, images = gallery.post_for(post_id=post_id, viewer=viewer)
    levels = gallery.levels_of(viewer)
    return render(
        request,
        "posts/detail.html",
        {
            "area": "images",
            "post": post,
            "shown": [
                (image, gallery.facts_of(image, viewer=viewer), not image.nsfw_level & levels)
                for image in images
            ],
            "is_owner": viewer is not None and viewer.pk == post.owner_id,
            **talk.context(request, kind="post", target_id=post.pk),
        },
    )


@login_required
@require_http_methods(["GET", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """Choose pictures of one's own, or bring new ones, and share them."""
    user = cast("User", request.user)
    pictures = _choices(request, user)
    versions = [
        (str(version.pk), f"{version.model.name}, {version.name}")
        for version in catalog.published_versions()
        .filter(model__owner=user)
        .select_related("model")
        .order_by("-id")[:100]
    ]
    if request.method == "GET":
        form = PostForm(
            media_ids=[picture.pk for picture in pictures],
            versions=versions,
            initial={
                "media": request.GET.getlist("media"),
                "version": request.GET.get("version", ""),
            },
        )
        return _page(request, form, pictures)
    form = PostForm(
        request.POST,
        request.FILES,
        media_ids=[picture.pk for picture in pictures],
        versions=versions,
    )
    if not form.is_valid():
        return _page(request, form, pictures, status=422)
    brought: list[Media] = []
    try:
        _receive(user, form.cleaned_data["files"], into=brought)
        post = _post(user, form.cleaned_data, brought)
    except DomainError as problem:
        # What was brought stays chosen when something is refused: nobody uploads it twice.
        chosen = [*form.cleaned_data["media"], *(picture.pk for picture in brought)]
        return _page(request, form, [*brought, *pictures], problem=problem, chosen=chosen)
    messages.success(request, "Posted. Everybody can see it now.")
    return redirect(post.get_absolute_url())


def _choices(request: HttpRequest, user: User) -> list[Media]:
    """Pictures to offer: the ones that the address names first, then what is not posted yet."""
    named = [*request.GET.getlist("media"), *request.POST.getlist("media")]
    first: list[Media] = []
    for media_id in dict.fromkeys(named[:100]):
        try:
            first += media_queries.get_ready(owner=user, ids=[media_id.replace("\0", "")])
        except DomainError:
            continue
    known = {picture.pk for picture in first}
    return first + [one for one in gallery.postable(owner=user) if one.pk not in known]


def _receive(user: User, files: list[Any], *, into: list[Media]) -> None:
    for file in files:
        picture = media.receive_now(owner=user, stream=file, filename=file.name)
        if picture.status == "refused":
            raise MediaRefused(f"{file.name}: {picture.refusal_detail}", code=picture.refusal_code)
        into.append(picture)


def _post(user: User, cleaned: dict[str, Any], brought: list[Media]) -> Any:
    version = None
    if cleaned["version"]:
        version = catalog.version_for(version_id=int(cleaned["version"]), viewer=user)
    return services.create_post(
        owner=user,
        title=cleaned["title"],
        description=cleaned["description"],
        version=version,
        images=[
            *(ImageSpec(media_id=media_id) for media_id in cleaned["media"]),
            *(ImageSpec(media_id=picture.pk, prompt=cleaned["prompt"]) for picture in brought),
        ],
    )


def _page(
    request: HttpRequest,
    form: PostForm,
    pictures: list[Media],
    *,
    problem: DomainError | None = None,
    chosen: list[str] | None = None,
    status: int = 200,
) -> HttpResponse:
    marked = chosen if chosen is not None else form["media"].value() or []
    return render(
        request,
        "posts/new.html",
        {
            "area": "create",
            "form": form,
            "pictures": [(picture, picture.pk in marked) for picture in pictures],
            "problem": problem,
        },
        status=problem.status if problem else status,
    )


@login_required
@require_POST
def delete(request: HttpRequest, post_id: int) -> HttpResponse:
    """Take one's own post back."""
    user = cast("User", request.user)
    post, _ = gallery.post_for(post_id=min(post_id, MAX_INT), viewer=user)
    services.delete_post(post=post, actor=user)
    messages.success(request, "The post is deleted. Its pictures are private again.")
    return redirect("profile", name=user.username)
