"""The forms of the training wizard. They keep whatever was typed; the domain checks at the end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django import forms

from atelier.training import spec

if TYPE_CHECKING:
    from atelier.core.errors import DomainError
    from atelier.training.models import TrainingDraft


@dataclass(frozen=True, slots=True)
class Preset:
    """A choice of settings that says what it does."""

    label: str
    does: str
    values: dict[str, Any]


PRESETS = {
    "usual": Preset(
        "Usual",
        "Ten epochs. Right for most subjects with 8 to 30 pictures.",
        {"epochs": 10, "learning_rate": 0.001, "steps_per_epoch": ""},
    ),
    "quick": Preset(
        "Quick look",
        "Four epochs, to see whether the pictures work.",
        {"epochs": 4, "learning_rate": 0.001, "steps_per_epoch": ""},
    ),
    "careful": Preset(
        "Careful",
        "Fifteen epochs at half the learning rate, for subjects with small details.",
        {"epochs": 15, "learning_rate": 0.0005, "steps_per_epoch": ""},
    ),
}


class SettingsForm(forms.Form):
    """Name, word, and how to train."""

    name = forms.CharField(label="Name", max_length=spec.MAX_NAME)
    trigger_word = forms.CharField(
        label="Trigger word",
        max_length=spec.MAX_TRIGGER,
        help_text="A made-up word that will call your subject in prompts, as zibbo.",
    )
    epochs = forms.IntegerField(label="Epochs", initial=spec.DEFAULT_EPOCHS)
    sample_prompts = forms.CharField(
        label="Sample prompts",
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=f"Up to {spec.MAX_SAMPLE_PROMPTS}, one a line, each with the trigger word. "
        "Every epoch draws them with the same seeds.",
    )
    learning_rate = forms.FloatField(
        label="Learning rate",
        required=False,
        initial=0.001,
        widget=forms.NumberInput(attrs={"step": "any"}),
    )
    rank = forms.IntegerField(label="Rank", required=False, initial=16)
    alpha = forms.FloatField(
        label="Alpha", required=False, initial=16, widget=forms.NumberInput(attrs={"step": "any"})
    )
    batch = forms.IntegerField(label="Pictures a step", required=False, initial=4)
    repeats = forms.IntegerField(
        label="Repeats",
        required=False,
        help_text="How often an epoch shows each picture. Empty: 10, fewer in a large dataset.",
    )
    steps_per_epoch = forms.IntegerField(
        label="Steps an epoch", required=False, help_text="Empty: as the repeats say."
    )
    seed = forms.IntegerField(label="Seed", required=False, initial=0)
    prior_preservation = forms.BooleanField(
        label="Keep what the base model knows", required=False, initial=True
    )
    text_encoder = forms.BooleanField(
        label="Train the text encoder too", required=False, initial=True
    )
    flip = forms.BooleanField(label="Learn mirrored pictures too", required=False, initial=True)

    @classmethod
    def of(cls, draft: TrainingDraft, data: Any = None) -> SettingsForm:
        """The form with what the draft holds."""
        return cls(data, initial=draft.values)

    def kept(self) -> dict[str, Any]:
        """Everything as typed, right or wrong."""
        values: dict[str, Any] = {}
        for name, field in self.fields.items():
            if isinstance(field, forms.BooleanField):
                values[name] = name in self.data
            else:
                values[name] = str(self.data.get(name, ""))[:4000]
        return values

    def tell(self, refusal: DomainError) -> None:
        """Put a refusal's rules beside the fields that broke them."""
        for error in refusal.errors:
            self.add_error(error.field if error.field in self.fields else None, error.rule)
