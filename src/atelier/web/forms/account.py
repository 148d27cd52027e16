"""Forms about oneself: joining, the profile, tokens, tips."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from allauth.account import forms as allauth
from django import forms
from django.db import IntegrityError, transaction
from typing_extensions import override

from atelier.accounts import services as accounts
from atelier.accounts.errors import Taken
from atelier.core import clock
from atelier.social import services as social

if TYPE_CHECKING:
    from django.http import HttpRequest

    from atelier.accounts.models import User

RATINGS: tuple[tuple[int, str], ...] = (
    (1, "PG: for everybody"),
    (2, "PG-13: mild"),
    (4, "R: nudity without sex, or strong violence"),
    (8, "X: sexual"),
    (16, "XXX: explicit"),
)
MAX_TIP = 1_000_000


PASSWORD_HINT = "At least 8 characters, and not a common password."  # noqa: S105 - a hint


def _plain(form: forms.Form, **labels: str) -> None:
    """Labels instead of placeholders, which vanish while one types; one line on passwords, because
    the library's list of rules repeats what each refusal says.
    """
    for name, field in form.fields.items():
        field.widget.attrs.pop("placeholder", None)
        if name == "password1":
            field.help_text = PASSWORD_HINT
        if name in labels:
            field.label = labels[name]


class LoginForm(allauth.LoginForm):  # type: ignore[misc] # the library has no types
    """Signing in by name or address."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _plain(self, login="User name or e-mail", remember="Keep me signed in")


class ChangePasswordForm(allauth.ChangePasswordForm):  # type: ignore[misc] # the library has no types
    """A new password for somebody who knows the old one."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _plain(
            self,
            oldpassword="Present password",
            password1="New password",
            password2="New password again",
        )


class ResetPasswordForm(allauth.ResetPasswordForm):  # type: ignore[misc] # the library has no types
    """Asking for a link by mail."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _plain(self, email="E-mail")


class NewPasswordForm(allauth.ResetPasswordKeyForm):  # type: ignore[misc] # the library has no types
    """A new password for somebody who followed the link."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _plain(self, password1="New password", password2="New password again")


class AddEmailForm(allauth.AddEmailForm):  # type: ignore[misc] # the library has no types
    """One more address."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _plain(self, email="E-mail")


class ReauthenticateForm(allauth.ReauthenticateForm):  # type: ignore[misc] # the library has no types
    """The password once more, before something sensitive."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _plain(self)


class SignupForm(allauth.SignupForm):  # type: ignore[misc] # the library has no types
    """Name, address, password, and the two rules that everybody agrees to."""

    terms = forms.BooleanField(label="I have read the terms and agree to them.")
    likeness = forms.BooleanField(
        label="I will not upload, commission, train or generate a real person's likeness without "
        "that person's verified consent."
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _plain(
            self,
            username="User name",
            email="E-mail",
            password2="Password again",
        )
        self.fields["username"].help_text = "Small letters, digits and underscores. It is public."
        self.fields["email"].help_text = "For resetting your password. Nobody else sees it."

    @override
    def save(self, request: HttpRequest) -> User:
        """Account, address, wallet and welcome Sparks: all of it, or nothing."""
        try:
            with transaction.atomic():
                user: User = super().save(request)
                user.terms_accepted_at = clock.now()
                user.save(update_fields=["terms_accepted_at"])
                social.join(user=user)
        except IntegrityError as problem:
            # Somebody took the name or the address between the check and now.
            raise Taken(
                "Somebody just took that name or address. Go back and choose another one."
            ) from problem
        return user


class ProfileForm(forms.Form):
    """What others read about a person."""

    display_name = forms.CharField(
        max_length=accounts.MAX_DISPLAY_NAME,
        required=False,
        help_text="What pages call you. Empty: your user name.",
    )
    bio = forms.CharField(
        max_length=accounts.MAX_BIO,
        required=False,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text="A few words, in Markdown. Pictures and HTML are not shown.",
    )
    links = forms.CharField(
        required=False,
        max_length=1100,
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false"}),
        help_text=f"Up to {accounts.MAX_LINKS} addresses, one a line.",
    )

    @override
    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        values["links"] = values.get("links", "").split()
        return values


class BrowsingForm(forms.Form):
    """Which ratings somebody wants to see."""

    ratings = forms.TypedMultipleChoiceField(
        coerce=int,
        choices=RATINGS,
        widget=forms.CheckboxSelectMultiple,
        required=False,
        label="Show me pictures rated",
    )

    def level(self) -> int:
        """The chosen ratings as a mask; PG is always in it."""
        chosen: list[int] = self.cleaned_data["ratings"]
        return sum(chosen) | 1


class TokenForm(forms.Form):
    """A token for a program."""

    SCOPES: ClassVar = (
        ("read", "Read: see what you see, your wallet included"),
        ("write", "Write: upload, post, comment, train, generate, change your things"),
        ("spend", "Spend: tip, fund bounties, pay for jobs"),
    )
    LIFETIMES: ClassVar = (("30", "30 days"), ("90", "90 days"), ("365", "A year"), ("0", "No end"))

    name = forms.CharField(max_length=80, help_text="What will use it, so that you know it later.")
    scopes = forms.MultipleChoiceField(
        choices=SCOPES, widget=forms.CheckboxSelectMultiple, label="It may"
    )
    days = forms.ChoiceField(choices=LIFETIMES, initial="90", label="It works for")


class TipForm(forms.Form):
    """Sparks for somebody. ``key`` makes two clicks one tip."""

    amount = forms.IntegerField(min_value=1, max_value=MAX_TIP, initial=50)
    key = forms.CharField(max_length=40, widget=forms.HiddenInput)
