"""The forms around a bounty. They keep what was typed; the domain checks it."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from django import forms

from atelier.bounties.rules import (
    MAX_DESCRIPTION,
    MAX_REASON,
    MAX_TITLE,
    MIN_AMOUNT_SPARKS,
    MIN_CONTRIBUTION_SPARKS,
    Judge,
    Kind,
    Rule,
)
from atelier.core import clock

if TYPE_CHECKING:
    from atelier.bounties.models import Bounty
    from atelier.core.errors import DomainError

MOMENT = "%Y-%m-%dT%H:%M"
USUAL_DAYS = 7


class TellingForm(forms.Form):
    """A form that can show a refusal beside the fields that broke its rules."""

    # Names of the domain's fields where the form's own differ.
    ALIASES: dict[str, str] = {"images": "files"}

    def tell(self, refusal: DomainError) -> None:
        """Put a refusal's rules beside the fields that broke them."""
        for error in refusal.errors:
            name = self.ALIASES.get(error.field, error.field)
            self.add_error(name if name in self.fields else None, error.rule)


class MomentField(forms.DateTimeField):
    """A moment in UTC, as browsers send it."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            input_formats=[MOMENT, f"{MOMENT}:%S"],
            widget=forms.DateTimeInput(
                attrs={"type": "datetime-local", "data-utc": ""}, format=MOMENT
            ),
            **kwargs,
        )


class WordsForm(TellingForm):
    """What is wanted, in words and pictures."""

    title = forms.CharField(label="What do you want made?", max_length=MAX_TITLE)
    description = forms.CharField(
        label="Brief",
        max_length=MAX_DESCRIPTION,
        widget=forms.Textarea(attrs={"rows": 7}),
        help_text="What it should show, where it should work, what counts as done. Markdown.",
    )
    tags = forms.CharField(label="Tags", required=False, help_text="Up to 10, with commas.")

    def tag_list(self) -> list[str]:
        """The tags as a list."""
        return [tag for tag in self.cleaned_data.get("tags", "").split(",") if tag.strip()]

    @classmethod
    def of(cls, bounty: Bounty) -> WordsForm:
        """The form with what a bounty says now."""
        return cls(
            initial={
                "title": bounty.title,
                "description": bounty.description,
                "tags": ", ".join(bounty.tags),
            }
        )


class BountyForm(WordsForm):
    """A whole new bounty."""

    kind = forms.ChoiceField(label="Kind", choices=Kind.choices, initial=Kind.LORA)
    amount = forms.IntegerField(
        label="Sparks you put in",
        initial=1500,
        widget=forms.NumberInput(attrs={"min": MIN_AMOUNT_SPARKS, "step": 50}),
        help_text=f"At least {MIN_AMOUNT_SPARKS}. Others can add to it.",
    )
    deadline = MomentField(label="Deadline (UTC)", help_text="At most 90 days from now.")
    rule = forms.ChoiceField(
        label="If you award nobody",
        choices=Rule.choices,
        initial=Rule.REFUND,
        widget=forms.RadioSelect,
    )

    field_order = ("title", "kind", "description", "tags", "amount", "deadline", "rule")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        usual = (clock.now() + dt.timedelta(days=USUAL_DAYS)).replace(minute=0)
        self.fields["deadline"].initial = usual.strftime(MOMENT)


class ContributionForm(TellingForm):
    """A stake of somebody else."""

    amount = forms.IntegerField(
        label="Sparks",
        initial=100,
        widget=forms.NumberInput(attrs={"min": MIN_CONTRIBUTION_SPARKS, "step": 10}),
        help_text=f"At least {MIN_CONTRIBUTION_SPARKS}. They move into escrow at once.",
    )
    judge = forms.ChoiceField(
        label="Who decides where your Sparks go?",
        choices=[
            (Judge.CREATOR, "The creator: your Sparks follow the award"),
            (Judge.SELF, "I do: I give them to an entry myself"),
        ],
        initial=Judge.CREATOR,
        widget=forms.RadioSelect,
    )


class EntryForm(TellingForm):
    """Work for a bounty."""

    version = forms.ChoiceField(label="Your model", required=False, widget=forms.RadioSelect)
    description = forms.CharField(
        label="About your entry",
        required=False,
        max_length=MAX_DESCRIPTION,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="How you made it, and how to use it. Markdown.",
    )


class ExtendForm(TellingForm):
    """A later deadline."""

    deadline = MomentField(
        label="New deadline (UTC)", help_text="Later than the present one, within 90 days."
    )


class ReasonForm(TellingForm):
    """Words to staff."""

    reason = forms.CharField(
        label="What should staff know?",
        max_length=MAX_REASON,
        widget=forms.Textarea(attrs={"rows": 5}),
    )


class GiftForm(TellingForm):
    """Which entry gets a stake."""

    entry = forms.ChoiceField(label="Entry", widget=forms.RadioSelect)


class ConfirmForm(TellingForm):
    """Nothing to fill in: a button is the answer."""
