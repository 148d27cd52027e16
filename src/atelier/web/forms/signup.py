"""What the sign-up page asks beyond name, mail and password."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django import forms

if TYPE_CHECKING:
    from django.http import HttpRequest

    from atelier.accounts.models import User


class SignupForm(forms.Form):
    """Terms and the likeness rule, agreed to in words."""

    terms = forms.BooleanField(
        label="I have read the terms and the likeness rule: no pictures or models of a real person "
        "without that person's verified consent.",
    )

    def signup(self, request: HttpRequest, user: User) -> None:
        """Called by allauth after the account exists."""
