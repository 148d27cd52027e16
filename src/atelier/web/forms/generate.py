"""The form of the Generate page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms

from atelier.generation import spec
from atelier.generation.spec import Request, ResourceChoice

if TYPE_CHECKING:
    from collections.abc import Sequence

    from atelier.catalog.models import ModelVersion
    from atelier.core.errors import DomainError
    from atelier.generation.prefill import Prefill

LORA_ROWS = range(spec.MAX_RESOURCES)
QUANTITIES = (1, 2, 4, 8)


def _label(version: ModelVersion) -> str:
    return f"{version.model.name} · {version.name}"


class GenerateForm(forms.Form):
    """Prompt first, then models, then the rest with the defaults of the base model."""

    prompt = forms.CharField(
        label="Prompt",
        max_length=spec.MAX_PROMPT,
        widget=forms.Textarea(attrs={"rows": 4, "autocomplete": "off"}),
    )
    negative_prompt = forms.CharField(
        label="Without", required=False, widget=forms.Textarea(attrs={"rows": 2})
    )
    checkpoint = forms.ChoiceField(label="Base model", required=False)
    size = forms.ChoiceField(label="Size")
    quantity = forms.TypedChoiceField(
        label="Pictures",
        coerce=int,
        choices=[(number, str(number)) for number in QUANTITIES],
        initial=4,
    )
    steps = forms.IntegerField(label="Steps", initial=20)
    cfg_scale = forms.FloatField(
        label="Guidance", initial=4.0, widget=forms.NumberInput(attrs={"step": "0.5"})
    )
    sampler = forms.ChoiceField(label="Sampler")
    clip_skip = forms.IntegerField(label="Clip skip", initial=1)
    seed = forms.IntegerField(
        label="Seed", required=False, help_text="Empty for a new one each time."
    )

    def __init__(
        self,
        data: Any = None,
        *,
        checkpoints: Sequence[ModelVersion],
        loras: Sequence[ModelVersion],
        prefill: Prefill | None = None,
    ) -> None:
        start = dict(prefill.values) if prefill else {}
        if "width" in start and "height" in start:
            start["size"] = f"{start['width']}x{start['height']}"
        if start.get("quantity") not in {None, *QUANTITIES}:
            start.pop("quantity")
        kept = list(loras)
        bases = list(checkpoints)
        if prefill:
            if prefill.checkpoint is not None:
                start["checkpoint"] = str(prefill.checkpoint.pk)
                if prefill.checkpoint not in bases:
                    bases.append(prefill.checkpoint)
            for row, (version, strength) in enumerate(prefill.loras[: len(LORA_ROWS)]):
                start[f"lora_{row}"] = str(version.pk)
                start[f"strength_{row}"] = strength
                if version not in kept:
                    kept.append(version)
        super().__init__(data, initial=start)
        family = spec.family_of(bases[0].base_model) if bases else None
        self._choose("checkpoint", [(str(base.pk), _label(base)) for base in bases])
        if family:
            self._choose("size", [(f"{w}x{h}", f"{w} by {h}") for w, h in family.sizes])
            self._choose("sampler", [(s.name, s.name) for s in family.samplers])
        for row in LORA_ROWS:
            self.fields[f"lora_{row}"] = forms.ChoiceField(
                label=f"LoRA {row + 1}",
                required=False,
                choices=[("", "None"), *((str(one.pk), _label(one)) for one in kept)],
            )
            self.fields[f"strength_{row}"] = forms.FloatField(
                label=f"Strength of LoRA {row + 1}",
                required=False,
                initial=0.8,
                widget=forms.NumberInput(attrs={"step": "0.05"}),
            )

    def _choose(self, name: str, choices: list[tuple[str, str]]) -> None:
        field = self.fields[name]
        if isinstance(field, forms.ChoiceField):
            field.choices = choices

    @property
    def lora_rows(self) -> list[tuple[forms.BoundField, forms.BoundField, bool]]:
        """Each row's two fields, and whether it has something in it."""
        return [
            (
                self[f"lora_{row}"],
                self[f"strength_{row}"],
                bool(self[f"lora_{row}"].value()),
            )
            for row in LORA_ROWS
        ]

    def as_request(self) -> Request:
        """What was filled in, as the domain takes it."""
        data = self.cleaned_data
        width, _, height = data["size"].partition("x")
        rows = [(data[f"lora_{row}"], data[f"strength_{row}"]) for row in LORA_ROWS]
        return Request(
            prompt=data["prompt"],
            negative_prompt=data["negative_prompt"],
            checkpoint=data["checkpoint"],
            resources=tuple(
                ResourceChoice(version, 1.0 if strength is None else strength)
                for version, strength in rows
                if version
            ),
            width=int(width),
            height=int(height),
            steps=data["steps"],
            cfg_scale=data["cfg_scale"],
            sampler=data["sampler"],
            clip_skip=data["clip_skip"],
            seed=data["seed"],
            quantity=data["quantity"],
        )

    def tell(self, refusal: DomainError) -> None:
        """Put a refusal's rules beside the fields that broke them."""
        chosen = [row for row in LORA_ROWS if self.cleaned_data.get(f"lora_{row}")]
        for error in refusal.errors:
            name = error.field
            if name in {"width", "height"}:
                name = "size"
            if name.startswith("resources."):
                _, place, part = name.split(".")
                row = chosen[int(place)] if int(place) < len(chosen) else 0
                name = f"lora_{row}" if part == "version" else f"strength_{row}"
            self.add_error(name if name in self.fields else None, error.rule)
