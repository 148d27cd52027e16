"""Where allauth's pages meet ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from allauth.account.adapter import DefaultAccountAdapter
from django.core.exceptions import ValidationError

from atelier.accounts import names
from atelier.core.errors import Invalid

if TYPE_CHECKING:
    from django.http import HttpRequest


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc] # the library has no types
    """Accounts as this site makes them."""

    def clean_username(self, username: str, shallow: bool = False) -> str:
        """The name in the site's own rules, then the library's look whether somebody has it."""
        try:
            name = names.check_public(username)
        except Invalid as problem:
            raise ValidationError(f"This name {problem.errors[0].rule}.") from problem
        cleaned: str = super().clean_username(name, shallow=shallow)
        return cleaned

    def get_signup_redirect_url(self, request: HttpRequest) -> str:
        """A newcomer lands where the welcome is: the home page."""
        del request
        return "/"
