"""People, and the tokens that act for them."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.contrib.postgres.fields import ArrayField
from django.core.validators import RegexValidator
from django.db import models
from django.db.models.functions import Lower
from typing_extensions import override

from atelier.core import clock
from atelier.core.ids import OpaqueIdField

NAME_PATTERN = r"^[a-z0-9_]{3,30}$"
NAME_RULE = "must be 3 to 30 characters: small letters, digits and underscores"
DEFAULT_BROWSING_LEVEL = 3  # PG and PG13


class UserManager(BaseUserManager["User"]):
    """Looks people up by name without regard to case."""

    @override
    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(username=(username or "").lower())


class User(AbstractBaseUser, PermissionsMixin):
    """An account. Its id is the positive 32-bit integer of the wire contract."""

    id = models.AutoField(primary_key=True)
    username = models.CharField(
        max_length=30, unique=True, validators=[RegexValidator(NAME_PATTERN, f"This {NAME_RULE}.")]
    )
    email = models.EmailField(max_length=254)
    display_name = models.CharField(max_length=60, blank=True)
    bio = models.TextField(max_length=2000, blank=True)
    bio_html = models.TextField(blank=True)
    links = ArrayField(models.URLField(max_length=200), default=list, blank=True)
    avatar_media_id = models.CharField(max_length=40, blank=True)
    is_staff = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)
    is_demo = models.BooleanField(default=False)
    # Accounts that the operator vouches for skip the limits of newcomers.
    created_by_operator = models.BooleanField(default=False)
    suspended_at = models.DateTimeField(null=True, blank=True)
    suspended_until = models.DateTimeField(null=True, blank=True)
    suspension_reason = models.TextField(blank=True)
    browsing_level = models.PositiveSmallIntegerField(default=DEFAULT_BROWSING_LEVEL)
    terms_accepted_at = models.DateTimeField(null=True, blank=True)
    date_joined = models.DateTimeField(default=clock.now)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "username"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["email"]

    class Meta:
        constraints = [
            models.UniqueConstraint(Lower("email"), name="user_email_once"),
            # Small letters only, so `unique` on the column is unique without regard to case.
            models.CheckConstraint(
                condition=models.Q(username__regex=NAME_PATTERN), name="user_name_rule"
            ),
            models.CheckConstraint(
                condition=models.Q(is_demo=True) | ~models.Q(username__startswith="demo_"),
                name="user_demo_names",
            ),
            # Bits of the ratings PG to XXX; the first one is always shown, Blocked never.
            models.CheckConstraint(
                condition=models.Q(browsing_level__gte=1, browsing_level__lte=31),
                name="user_browsing_level",
            ),
        ]
        indexes = [models.Index(fields=["-date_joined"], name="user_newest")]

    @override
    def __str__(self) -> str:
        return self.username

    @property
    def shown_name(self) -> str:
        """What pages call this person."""
        return self.display_name or self.username

    @property
    def is_suspended(self) -> bool:
        """Whether staff stopped this account, and for now."""
        if self.suspended_at is None:
            return False
        return self.suspended_until is None or self.suspended_until > clock.now()

    @override
    def clean(self) -> None:
        self.username = self.username.lower()
        super().clean()


class ApiToken(models.Model):
    """A secret that acts for a user within its scopes. Only a digest of it is stored."""

    id = OpaqueIdField(prefix="tok")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=80)
    prefix = models.CharField(max_length=12, unique=True)
    digest = models.CharField(max_length=64)
    scopes = ArrayField(models.CharField(max_length=20))
    created_at = models.DateTimeField(default=clock.now)
    last_used_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    def allows(self, scope: str) -> bool:
        """Whether this token was given ``scope``."""
        return scope in self.scopes

    @property
    def is_live(self) -> bool:
        """Whether the token still opens anything."""
        if self.revoked_at is not None:
            return False
        return self.expires_at is None or self.expires_at > clock.now()
