"""Sharing a model, and changing what is said about it."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any, cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from atelier.catalog import queries as catalog
from atelier.catalog import services, uploads
from atelier.catalog.services import Permissions
from atelier.catalog.vocabulary import ATELIER_BASE, MAX_INT
from atelier.core.errors import DomainError, NotOwner
from atelier.web.forms.catalog import ModelForm, UploadForm, VersionForm

if TYPE_CHECKING:
    from django import forms
    from django.core.files.uploadedfile import UploadedFile
    from django.http import HttpRequest, HttpResponse

    from atelier.accounts.models import User
    from atelier.catalog.models import ModelVersion


@login_required
@require_http_methods(["GET", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """A model with its first version and file, in one form."""
    user = cast("User", request.user)
    if request.method == "GET":
        form = UploadForm(initial={"base_model": ATELIER_BASE})
        return render(request, "models/new.html", {"area": "create", "form": form})
    form = UploadForm(request.POST, request.FILES)
    problem: DomainError | None = None
    if form.is_valid():
        cleaned = form.cleaned_data
        try:
            upload_id = cleaned["upload"] or _take(user, cleaned["file"])
            version = services.share(
                owner=user,
                upload_id=upload_id,
                name=cleaned["name"],
                type=cleaned["type"],
                base_model=cleaned["base_model"],
                version_name=cleaned["version_name"],
                description=cleaned["description"],
                tags=cleaned["tags"],
                trained_words=cleaned["trained_words"],
                permissions=_permissions(cleaned),
            )
        except DomainError as refusal:
            problem = refusal
        else:
            messages.success(
                request,
                "The file arrived and its checks passed. A person looks at weights from elsewhere "
                "before anybody can have them; you will hear when it is done.",
            )
            return redirect(version.model.get_absolute_url())
    return render(
        request,
        "models/new.html",
        {"area": "create", "form": form, "problem": problem},
        status=problem.status if problem else 422,
    )


def _take(user: User, file: UploadedFile[Any]) -> str:
    """A file that a form brought, as a finished upload."""
    name = base64.b64encode((file.name or "model.safetensors").encode()).decode()
    upload = uploads.create(owner=user, length=file.size or 0, metadata=f"filename {name}")
    uploads.append(upload=upload, offset=0, stream=cast("Any", file), length=file.size)
    return str(upload.pk)


def _permissions(cleaned: dict[str, Any]) -> Permissions:
    return Permissions(
        license=cleaned["license"],
        allow_no_credit=cleaned["allow_no_credit"],
        allow_commercial_use=cleaned["uses"],
        allow_derivatives=cleaned["allow_derivatives"],
        allow_different_license=cleaned["allow_different_license"],
    )


@login_required
@require_http_methods(["GET", "POST"])
def edit(request: HttpRequest, model_id: int) -> HttpResponse:
    """Change what is said about a model."""
    user = cast("User", request.user)
    model = catalog.model_for(model_id=min(model_id, MAX_INT), viewer=user)
    if model.owner_id != user.pk:
        raise NotOwner("Only its maker can change this model.")
    initial = {
        "name": model.name,
        "description": model.description,
        "tags": ", ".join(tag.name for tag in model.tags.order_by("name")),
        "license": model.license,
        "uses": model.allow_commercial_use,
        "allow_no_credit": model.allow_no_credit,
        "allow_derivatives": model.allow_derivatives,
        "allow_different_license": model.allow_different_license,
    }
    form = ModelForm(request.POST or None, initial=initial)
    problem = None
    if request.method == "POST" and form.is_valid():
        try:
            changed = services.update_model(
                model=model,
                actor=user,
                name=form.cleaned_data["name"],
                description=form.cleaned_data["description"],
                tags=form.cleaned_data["tags"],
                permissions=_permissions(form.cleaned_data),
            )
        except DomainError as refusal:
            problem = refusal
        else:
            messages.success(request, "Saved.")
            return redirect(changed.get_absolute_url())
    return _edit_page(request, form, problem, title=f"Edit {model.name}", back=model)


@login_required
@require_http_methods(["GET", "POST"])
def edit_version(request: HttpRequest, version_id: int) -> HttpResponse:
    """Change what is said about a version."""
    user = cast("User", request.user)
    version = _own(user, version_id)
    initial = {
        "name": version.name,
        "trained_words": ", ".join(version.trained_words),
        "description": version.description,
    }
    form = VersionForm(request.POST or None, initial=initial)
    problem = None
    if request.method == "POST" and form.is_valid():
        try:
            services.update_version(version=version, actor=user, **form.cleaned_data)
        except DomainError as refusal:
            problem = refusal
        else:
            messages.success(request, "Saved.")
            return _to(version)
    return _edit_page(
        request,
        form,
        problem,
        title=f"Edit {version.model.name}, {version.name}",
        back=version.model,
    )


def _edit_page(
    request: HttpRequest, form: forms.Form, problem: DomainError | None, *, title: str, back: Any
) -> HttpResponse:
    refused = problem is not None or bool(form.errors)
    return render(
        request,
        "models/edit.html",
        {"area": "models", "form": form, "problem": problem, "title": title, "back": back},
        status=(problem.status if problem else 422) if refused else 200,
    )


@login_required
@require_POST
def publish(request: HttpRequest, version_id: int) -> HttpResponse:
    """Make a version public."""
    user = cast("User", request.user)
    version = _own(user, version_id)
    try:
        services.publish(version=version, actor=user)
    except DomainError as refusal:
        messages.error(request, refusal.detail)
    else:
        messages.success(request, "Published. Everybody can see and download it now.")
    return _to(version)


@login_required
@require_POST
def unpublish(request: HttpRequest, version_id: int) -> HttpResponse:
    """Take a version back to a draft."""
    user = cast("User", request.user)
    version = _own(user, version_id)
    services.unpublish(version=version, actor=user)
    messages.success(request, "It is a draft again; only you see it.")
    return _to(version)


def _own(user: User, version_id: int) -> ModelVersion:
    version = catalog.version_for(version_id=min(version_id, MAX_INT), viewer=user)
    if version.model.owner_id != user.pk:
        raise NotOwner("Only its maker can change this version.")
    return version


def _to(version: ModelVersion) -> HttpResponse:
    return redirect(f"{version.model.get_absolute_url()}?version={version.pk}")
