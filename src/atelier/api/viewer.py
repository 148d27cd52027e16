"""Who calls the API: a token's owner, a signed-in browser, or nobody."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ninja.utils import check_csrf

from atelier.accounts import services as accounts
from atelier.accounts.models import User
from atelier.core.errors import Forbidden, Unauthenticated

if TYPE_CHECKING:
    from django.http import HttpRequest

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
ALL = frozenset({"read", "write", "spend", "admin"})


@dataclass(frozen=True, slots=True)
class Viewer:
    """An authenticated caller and what its token may do; a browser session may do everything."""

    user: User
    scopes: frozenset[str]
    token_id: str = ""

    @property
    def caller(self) -> str:
        """The name under which limits and idempotency keys are kept."""
        return self.token_id or f"user:{self.user.pk}"

    def require(self, scope: str) -> None:
        """Raise :class:`Forbidden` unless the token has ``scope``."""
        if scope not in self.scopes:
            raise Forbidden(
                f"This token lacks the scope “{scope}”. Make one that has it in Settings, Tokens.",
                extra={"scope": scope},
            )


def bearer_text(request: HttpRequest, *, query: bool = False) -> str:
    """The token text of a request, from the header or, where allowed, ``?token=``."""
    scheme, _, text = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer" and text.strip():
        return text.strip()
    if query:
        return request.GET.get("token", "")
    return ""


def identify(request: HttpRequest, *, query_token: bool = False) -> Viewer | None:
    """The caller, or ``None`` for nobody.

    Raises :class:`Unauthenticated` for a token that is unknown, revoked or expired, and
    :class:`Forbidden` for a session's mutation without its CSRF token, a missing scope, or a
    suspended account's mutation.
    """
    mutation = request.method not in SAFE_METHODS
    text = bearer_text(request, query=query_token)
    if text:
        token = accounts.authenticate_token(text=text)
        viewer = Viewer(token.user, frozenset(token.scopes), token.id)
        viewer.require("write" if mutation else "read")
    elif request.headers.get("Authorization"):
        raise Unauthenticated("Send the token as “Authorization: Bearer …”.")
    elif request.user.is_authenticated:
        if mutation and check_csrf(request):
            raise Forbidden("The CSRF token is missing or wrong. Reload the page and try again.")
        viewer = Viewer(request.user, ALL)
    else:
        return None
    if mutation:
        accounts.require_active(user=viewer.user)
    return viewer
