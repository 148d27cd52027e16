"""Making accounts and tokens, and what staff can do to an account."""

from __future__ import annotations

import datetime as dt
import secrets
from typing import TYPE_CHECKING

from allauth.account.models import EmailAddress
from django.core.exceptions import ValidationError
from django.core.validators import URLValidator, validate_email
from django.db import IntegrityError, transaction
from django.utils.crypto import constant_time_compare, salted_hmac

from atelier.accounts import names
from atelier.accounts.errors import MissingScope, Suspended, Taken
from atelier.accounts.models import ApiToken, User
from atelier.core import clock, markdown
from atelier.core.errors import FieldError, Forbidden, Invalid, NotFound, Unauthenticated

if TYPE_CHECKING:
    from collections.abc import Sequence

READ, WRITE, SPEND, ADMIN = "read", "write", "spend", "admin"
ALL_SCOPES = (READ, WRITE, SPEND)
KNOWN_SCOPES = (*ALL_SCOPES, ADMIN)
TOKEN_MARK = "at"  # noqa: S105 - the public beginning of every token, so that scanners find leaks
MAX_LIVE_TOKENS = 50
MAX_TOKEN_NAME = 80
MAX_LINKS = 5
MAX_BIO = 2000
MAX_DISPLAY_NAME = 60
LOWEST_RATING, ALL_RATINGS = 1, 31
# Writing on every call would make each read a write; a minute is exact enough for a person.
LAST_USED_STEP = dt.timedelta(minutes=1)


def create_user(
    *,
    username: str,
    email: str,
    password: str | None,
    is_staff: bool = False,
    is_demo: bool = False,
    email_verified: bool = True,
) -> User:
    """A new account, made by the operator; without a password nobody can sign in to it.

    Raises :class:`Invalid` for a name or address that breaks a rule and :class:`Taken` for one
    that somebody has. The welcome Sparks come from ``social.join``.
    """
    stored = names.check(username, is_demo=is_demo)
    address = _email(email)
    if password is not None and not password:
        raise Invalid.field("password", "must not be empty")
    try:
        with transaction.atomic():
            user = User(
                username=stored,
                email=address,
                is_staff=is_staff,
                is_demo=is_demo,
                created_by_operator=True,
                terms_accepted_at=clock.now(),
            )
            user.set_password(password)
            user.save()
            EmailAddress.objects.create(
                user=user, email=address, primary=True, verified=email_verified
            )
    except IntegrityError as problem:
        raise _taken(stored, address) from problem
    return user


def _taken(username: str, email: str) -> Taken:
    if User.objects.filter(username=username).exists():
        return Taken(
            f"The name {username} is taken. Choose another one.",
            errors=(FieldError("username", "is taken"),),
        )
    return Taken(
        f"There is an account with the address {email}.",
        errors=(FieldError("email", "has an account"),),
    )


def _email(text: str) -> str:
    address = text.strip().lower()
    try:
        validate_email(address)
    except ValidationError:
        raise Invalid.field("email", "must be an e-mail address") from None
    return address


def make_staff(*, username: str) -> User:
    """Gives an account the rights of staff."""
    user = User.objects.filter(username=username.lower()).first()
    if user is None:
        raise NotFound(f"There is no account {username}.")
    user.is_staff = True
    user.save(update_fields=["is_staff"])
    return user


def create_token(
    *,
    user: User,
    name: str,
    scopes: Sequence[str] = ALL_SCOPES,
    expires_at: dt.datetime | None = None,
) -> tuple[ApiToken, str]:
    """A new token and its text, which is shown this once: only a digest is kept."""
    require_active(user)
    label = name.strip()
    if not 1 <= len(label) <= MAX_TOKEN_NAME:
        raise Invalid.field("name", f"must be 1 to {MAX_TOKEN_NAME} characters")
    wanted = [scope for scope in KNOWN_SCOPES if scope in scopes]
    if not wanted or set(wanted) != set(scopes):
        raise Invalid.field("scopes", f"must be some of {', '.join(KNOWN_SCOPES)}")
    if ADMIN in wanted and not user.is_staff:
        raise Forbidden("Only staff may hold a token with the scope admin.")
    if expires_at is not None and expires_at <= clock.now():
        raise Invalid.field("expires_at", "must lie in the future")
    with transaction.atomic():
        # The row lock makes the count below true for two requests at once.
        User.objects.select_for_update(no_key=True).get(pk=user.pk)
        if live_tokens(user=user) >= MAX_LIVE_TOKENS:
            raise Invalid(f"An account holds at most {MAX_LIVE_TOKENS} tokens. Revoke one first.")
        prefix = secrets.token_hex(5)
        secret = secrets.token_urlsafe(32)
        token = ApiToken.objects.create(
            user=user,
            name=label,
            prefix=prefix,
            digest=_digest(secret),
            scopes=wanted,
            expires_at=expires_at,
        )
    return token, f"{TOKEN_MARK}_{prefix}_{secret}"


def live_tokens(*, user: User) -> int:
    """How many tokens of an account are not revoked."""
    return ApiToken.objects.filter(user=user, revoked_at=None).count()


def _digest(secret: str) -> str:
    return salted_hmac("atelier.accounts.token", secret, algorithm="sha256").hexdigest()


def revoke_token(*, user: User, token_id: str) -> None:
    """Ends one of the user's own tokens; twice is once."""
    changed = ApiToken.objects.filter(pk=token_id, user=user, revoked_at=None).update(
        revoked_at=clock.now()
    )
    if not changed and not ApiToken.objects.filter(pk=token_id, user=user).exists():
        raise NotFound("You have no such token.")


def authenticate_token(*, text: str) -> ApiToken:
    """The live token with this text, its user loaded; raises :class:`Unauthenticated`.

    A suspended user is still recognised, and can read; what changes something asks
    :func:`require_active` too.
    """
    mark, _, rest = text.partition("_")
    prefix, _, secret = rest.partition("_")
    token = None
    if mark == TOKEN_MARK and prefix and secret and "\0" not in prefix:
        token = ApiToken.objects.select_related("user").filter(prefix=prefix).first()
    # The comparison runs for unknown prefixes too, so that time does not tell which ones exist.
    matches = constant_time_compare(_digest(secret), token.digest if token else "")
    if token is None or not matches or not token.is_live or not token.user.is_active:
        raise Unauthenticated("This token is unknown, revoked or expired.")
    now = clock.now()
    if token.last_used_at is None or token.last_used_at < now - LAST_USED_STEP:
        token.last_used_at = now
        ApiToken.objects.filter(pk=token.pk).update(last_used_at=now)
    return token


def require_scope(*, token: ApiToken, scope: str) -> None:
    """Raises :class:`MissingScope` unless the token was made for this."""
    if not token.allows(scope):
        raise MissingScope(f"This needs a token with the scope {scope}.")


def require_active(user: User) -> None:
    """Raises :class:`Suspended` for a suspended account: asked before anything changes."""
    if not user.is_active:
        raise Unauthenticated("This account is closed.")
    if user.is_suspended:
        raise Suspended.of(user)


def suspend(*, user: User, actor: User, reason: str, until: dt.datetime | None = None) -> User:
    """Stops an account from changing anything, with a reason that it is shown."""
    _require_staff(actor)
    if user.pk == actor.pk:
        raise Forbidden("Nobody suspends themselves.")
    if not reason.strip():
        raise Invalid.field("reason", "must say why; the person reads it")
    if until is not None and until <= clock.now():
        raise Invalid.field("until", "must lie in the future")
    with transaction.atomic():
        locked = User.objects.select_for_update(no_key=True).get(pk=user.pk)
        locked.suspended_at = clock.now()
        locked.suspended_until = until
        locked.suspension_reason = reason.strip()
        locked.save(update_fields=["suspended_at", "suspended_until", "suspension_reason"])
    return locked


def unsuspend(*, user: User, actor: User) -> User:
    """Gives a suspended account back to its person."""
    _require_staff(actor)
    with transaction.atomic():
        locked = User.objects.select_for_update(no_key=True).get(pk=user.pk)
        locked.suspended_at = None
        locked.suspended_until = None
        locked.suspension_reason = ""
        locked.save(update_fields=["suspended_at", "suspended_until", "suspension_reason"])
    return locked


def _require_staff(actor: User) -> None:
    if not actor.is_staff or not actor.is_active or actor.is_suspended:
        raise Forbidden("Only staff may do this.")


def update_profile(
    *,
    user: User,
    display_name: str | None = None,
    bio: str | None = None,
    links: Sequence[str] | None = None,
    browsing_level: int | None = None,
    avatar_media_id: str | None = None,
) -> User:
    """Changes what a person says about themselves; what is ``None`` stays.

    Words pass ``social.update_profile`` first, which asks whether they may be shown.
    """
    require_active(user)
    fields: dict[str, object] = {}
    if display_name is not None:
        fields["display_name"] = _short(display_name)
    if bio is not None:
        if len(bio) > MAX_BIO:
            raise Invalid.field("bio", f"must be at most {MAX_BIO} characters")
        fields["bio"] = bio.strip()
        fields["bio_html"] = markdown.render(bio.strip())
    if links is not None:
        fields["links"] = _links(links)
    if browsing_level is not None:
        if not LOWEST_RATING <= browsing_level <= ALL_RATINGS:
            raise Invalid.field("browsing_level", "must be made of the ratings PG to XXX")
        # PG is always shown: a page without any picture helps nobody.
        fields["browsing_level"] = browsing_level | LOWEST_RATING
    if avatar_media_id is not None:
        fields["avatar_media_id"] = avatar_media_id
    if fields:
        User.objects.filter(pk=user.pk).update(**fields)
        for name, value in fields.items():
            setattr(user, name, value)
    return user


def _short(text: str) -> str:
    shown = " ".join(text.split())
    if len(shown) > MAX_DISPLAY_NAME or not shown.isprintable():
        raise Invalid.field("display_name", f"must be at most {MAX_DISPLAY_NAME} plain characters")
    return shown


def _links(links: Sequence[str]) -> list[str]:
    kept = [link.strip() for link in links if link.strip()]
    if len(kept) > MAX_LINKS:
        raise Invalid.field("links", f"must be at most {MAX_LINKS}")
    check = URLValidator(schemes=["http", "https"])
    for link in kept:
        try:
            check(link)
        except ValidationError:
            raise Invalid.field("links", "must be addresses that start with https://") from None
    return kept
