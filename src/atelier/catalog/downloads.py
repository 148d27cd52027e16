"""Short-lived addresses of files, for one person, checked again when they are used."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.core import signing
from django.utils.crypto import salted_hmac

from atelier.accounts import queries as accounts
from atelier.catalog import queries
from atelier.catalog.models import ModelFile
from atelier.core import clock
from atelier.core.errors import NotFound
from atelier.likeness import services as likeness
from atelier.likeness.actions import Action
from atelier.likeness.refs import Ref

if TYPE_CHECKING:
    from atelier.accounts.models import User
    from atelier.catalog.models import ModelVersion

LIFE_SECONDS = 300
_SALT = "atelier.catalog.download"


@dataclass(frozen=True, slots=True)
class Ticket:
    """The right to fetch one file, as the address carries it."""

    file_id: int
    text: str


def allow(*, version: ModelVersion, file: ModelFile, viewer: User | None) -> Ticket:
    """A ticket for a file that the viewer may have; raises like ``queries.require_available``."""
    queries.require_available(version=version, viewer=viewer)
    likeness.decide(
        action=Action.DOWNLOAD,
        actor_id=viewer.pk if viewer else None,
        subjects=[Ref("version", version.pk)],
    )
    expires = int(clock.now().timestamp()) + LIFE_SECONDS
    payload = f"{file.pk}:{viewer.pk if viewer else 0}:{expires}"
    return Ticket(file.pk, signing.Signer(salt=_SALT).sign(payload))


def redeem(*, file_id: int, text: str) -> ModelFile:
    """The file of a ticket, if its bearer may still have it; raises like :func:`allow`."""
    try:
        payload = signing.Signer(salt=_SALT).unsign(text)
        signed_id, viewer_id, expires = (int(part) for part in payload.split(":"))
    except (signing.BadSignature, ValueError):
        raise NotFound("File not found") from None
    if signed_id != file_id or expires < clock.now().timestamp():
        raise NotFound("This address has expired. Start the download again.")
    file = ModelFile.objects.select_related("version", "version__model").filter(pk=file_id).first()
    if file is None:
        raise NotFound("File not found")
    viewer = accounts.by_id(viewer_id) if viewer_id else None
    if viewer_id and (viewer is None or not viewer.is_active):
        raise NotFound("File not found")
    queries.require_available(version=file.version, viewer=viewer)
    return file


def person_of(*, viewer: User | None, address: str) -> str:
    """Who downloads, for counting each once: an account, or a day's keyed hash of an address."""
    if viewer is not None:
        return f"user:{viewer.pk}"
    value = f"{clock.today().isoformat()}:{address}"
    return salted_hmac(_SALT, value, algorithm="sha256").hexdigest()[:32]


def etag(file: ModelFile) -> str:
    """The strong entity tag of a file's bytes."""
    return f'"{file.sha256}"'
