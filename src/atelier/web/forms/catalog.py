"""Forms about models and posts."""

from __future__ import annotations

from typing import Any

from django import forms
from typing_extensions import override

from atelier.catalog.vocabulary import BASE_MODELS, CommercialUse, License, ModelType

MAX_PICTURES = 20
LORA = ModelType.LORA
USES = (
    (CommercialUse.IMAGE, "Sell pictures made with it"),
    (CommercialUse.RENT, "Offer it on paid services"),
    (CommercialUse.SELL, "Sell it, or what is merged from it"),
)


class WordsField(forms.CharField):
    """Words apart by commas."""

    @override
    def clean(self, value: Any) -> list[str]:
        text = super().clean(value)
        return [word.strip() for word in text.split(",") if word.strip()]


class ModelForm(forms.Form):
    """What people read about a model, and what they may do with it."""

    name = forms.CharField(max_length=100)
    description = forms.CharField(
        max_length=20_000, required=False, widget=forms.Textarea(attrs={"rows": 6})
    )
    tags = WordsField(required=False)
    license = forms.ChoiceField(
        choices=License.choices, initial=License.OPENRAIL_M, label="Licence"
    )
    uses = forms.MultipleChoiceField(
        choices=USES,
        required=False,
        initial=[CommercialUse.IMAGE],
        widget=forms.CheckboxSelectMultiple,
        label="Others may",
    )
    allow_no_credit = forms.BooleanField(
        required=False, initial=True, label="It may be used without naming you"
    )
    allow_derivatives = forms.BooleanField(
        required=False, initial=True, label="It may be merged into other models"
    )
    allow_different_license = forms.BooleanField(
        required=False, initial=True, label="Merged models may have another licence"
    )


class UploadForm(ModelForm):
    """A new model with its first file."""

    type = forms.ChoiceField(choices=ModelType.choices, initial=LORA)
    base_model = forms.ChoiceField(
        choices=[(name, name) for name in BASE_MODELS], label="Base model"
    )
    version_name = forms.CharField(max_length=60, initial="v1", label="Version")
    trained_words = WordsField(required=False, label="Trained words")
    file = forms.FileField(label="File", error_messages={"required": "Choose the file to share."})
    # The id of an upload that a script sent ahead, instead of the file itself.
    upload = forms.CharField(required=False, max_length=40, widget=forms.HiddenInput)

    field_order = (
        "file", "upload", "name", "type", "base_model", "version_name", "trained_words", "tags",
        "description", "license", "uses",
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["file"].widget.attrs["accept"] = ".safetensors"

    @override
    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("upload"):
            self.errors.pop("file", None)
        return cleaned


class VersionForm(forms.Form):
    """What people read about a version."""

    name = forms.CharField(max_length=60)
    trained_words = WordsField(required=False, label="Trained words")
    description = forms.CharField(
        max_length=20_000, required=False, widget=forms.Textarea(attrs={"rows": 4})
    )


class ManyFilesInput(forms.ClearableFileInput):
    """A file input that takes several."""

    allow_multiple_selected = True


class ManyFilesField(forms.FileField):
    """Several files."""

    widget = ManyFilesInput

    @override
    def clean(self, data: Any, initial: Any = None) -> list[Any]:
        files = data if isinstance(data, list | tuple) else [data] if data else []
        return [super(ManyFilesField, self).clean(file, initial) for file in files]


class PostForm(forms.Form):
    """Pictures to share, and words about them."""

    title = forms.CharField(max_length=100, required=False)
    description = forms.CharField(
        max_length=5_000, required=False, widget=forms.Textarea(attrs={"rows": 3})
    )
    prompt = forms.CharField(
        max_length=10_000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        label="Prompt of the new pictures",
    )

    def __init__(
        self, *args: Any, media_ids: list[str], versions: list[tuple[str, str]], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        # These two names are also Django's own on a form, so they are fields by key alone.
        self.fields["media"] = forms.MultipleChoiceField(
            choices=[(media_id, media_id) for media_id in media_ids],
            required=False,
            label="Your pictures",
        )
        self.fields["files"] = ManyFilesField(required=False, label="New pictures")
        self.fields["version"] = forms.ChoiceField(
            choices=[("", "No model of mine"), *versions],
            required=False,
            label="Shown with your model",
        )
        self.fields["files"].widget.attrs.update(
            {"accept": "image/png,image/jpeg,image/webp", "multiple": True}
        )

    @override
    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        count = len(cleaned.get("media", [])) + len(cleaned.get("files", []))
        if not self.errors and not 1 <= count <= MAX_PICTURES:
            raise forms.ValidationError(f"Choose 1 to {MAX_PICTURES} pictures.")
        return cleaned


class CommentForm(forms.Form):
    """Something to say."""

    body = forms.CharField(
        max_length=2000, widget=forms.Textarea(attrs={"rows": 3}), label="Your comment"
    )
