"""Forms for saying that something is wrong, and for deciding about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django import forms

from atelier.moderation.models import MAX_DETAILS, MAX_REASON, ReportReason, Rule

if TYPE_CHECKING:
    from atelier.core.errors import DomainError

ABOUT_ME = (
    (ReportReason.INTIMATE.value, "It is an intimate picture of me, or made to look like one"),
    (ReportReason.LIKENESS.value, "It shows me, names me or imitates me, and I did not agree"),
    (ReportReason.HARASSMENT.value, "It is about me and attacks me"),
    (ReportReason.OTHER.value, "Something else that is mine to decide"),
)
SUSPENSIONS = (
    ("", "Until staff lift it"),
    ("1", "For a day"),
    ("7", "For a week"),
    ("30", "For a month"),
)


class ReportForm(forms.Form):
    """What is wrong, and with what; the link is left out where the page names the thing."""

    link = forms.CharField(
        label="Its address on this site",
        max_length=500,
        help_text="Copy it from the address bar, or right-click the picture and copy its address.",
    )
    reason = forms.ChoiceField(label="What is wrong", choices=ReportReason.choices)
    details = forms.CharField(
        label="What should a person know who looks at it?",
        required=False,
        max_length=MAX_DETAILS,
        widget=forms.Textarea(attrs={"rows": 5}),
    )
    contact = forms.EmailField(
        label="Your e-mail, for the answer",
        required=False,
        help_text="Left empty, you get an address and a secret with which to look it up.",
    )


class RemovalForm(forms.Form):
    """Somebody, with or without an account, asks that something of theirs be removed."""

    link = forms.CharField(
        label="Its address on this site",
        max_length=500,
        help_text="Copy it from the address bar, or right-click the picture and copy its address.",
    )
    reason = forms.ChoiceField(label="What it is", choices=ABOUT_ME, widget=forms.RadioSelect)
    details = forms.CharField(
        label="Anything that helps us to see it as you do",
        required=False,
        max_length=MAX_DETAILS - 400,
        widget=forms.Textarea(attrs={"rows": 4}),
    )
    signature = forms.CharField(
        label="Your name, or that of the person you speak for", max_length=120
    )
    good_faith = forms.BooleanField(
        label="I believe in good faith that this uses a person's likeness without that person's "
        "consent, and that what I wrote is true."
    )
    contact = forms.EmailField(
        label="An e-mail address for questions and the answer",
        required=False,
        help_text="Never shown to whoever posted it. Without it, your case has a secret link.",
    )

    @property
    def words(self) -> str:
        """The details as staff read them, signature included."""
        data = self.cleaned_data
        return f"{data['details']}\n\nSigned in good faith: {data['signature']}".strip()


class AppealForm(forms.Form):
    """Why somebody thinks that a decision is wrong."""

    words = forms.CharField(
        label="Why is it wrong?",
        max_length=MAX_REASON,
        widget=forms.Textarea(attrs={"rows": 4}),
    )


class DecisionForm(forms.Form):
    """What staff decide. The button says which act."""

    rule = forms.ChoiceField(
        label="Rule that was broken",
        choices=Rule.choices,
        help_text="Counts for hiding, removing, refusing and suspending.",
    )
    reason = forms.CharField(
        label="Reason",
        max_length=MAX_REASON,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="The person concerned reads this. Say what was found and where.",
    )
    days = forms.ChoiceField(label="How long", choices=SUSPENSIONS, required=False)


def tell(form: forms.Form, problem: DomainError) -> None:
    """Put a refusal beside the fields that it names, or above the form."""
    placed = False
    for error in problem.errors:
        if error.field in form.fields:
            form.add_error(error.field, error.rule)
            placed = True
    if not placed:
        form.add_error(None, problem.detail)
