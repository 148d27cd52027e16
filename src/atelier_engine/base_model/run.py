"""The stages of a training run, each of which reads what the stage before it left behind."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from atelier_engine.base_model import captions, codec, data, denoiser, evaluate, export, tokenizer
from atelier_engine.base_model.libraries import Codec, diffusers, transformers
from atelier_engine.base_model.vocabulary import Word, claimed_words

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

STYLE = "3d"


@dataclass(frozen=True)
class Settings:
    """What one run is given."""

    work: Path
    source: Path | None = None
    target: Path | None = None
    codec_steps: int = 2000
    codec_widths: tuple[int, ...] = (24, 48, 64)
    seconds: float = 3765.0
    steps: int | None = None
    shape: denoiser.Shape = field(default_factory=denoiser.Shape)
    batch: int = 64
    words: tuple[Word, ...] = field(default_factory=lambda: tuple(claimed_words()))
    styles: frozenset[str] = frozenset({"3d", "flat", "cartoon"})
    namer_steps: int = 1200

    @property
    def out(self) -> Path:
        """The finished model's folder."""
        return self.target or self.work / "model"


def smoke(settings: Settings) -> Settings:
    """The same run over four words with everything tiny: under a minute."""
    kept = ("red apple", "banana", "blue heart", "fox")
    return replace(
        settings,
        words=tuple(word for word in claimed_words() if word.label in kept),
        styles=frozenset({"3d"}),
        codec_steps=12,
        codec_widths=(8, 16, 16),
        steps=10,
        shape=denoiser.Shape(widths=(16, 32, 32), text_width=32, text_layers=1, groups=8),
        batch=8,
        namer_steps=10,
    )


def prepare(settings: Settings) -> dict[str, Any]:
    """Read the picture packages, after checking their licences."""
    if settings.source is None or not settings.source.is_dir():
        wanted = " ".join(
            f"{part.package}@{part.version}" for part in (*data.SOURCES, data.CAPTIONS)
        )
        raise FileNotFoundError(
            f"no picture packages: npm install --prefix {settings.work} {wanted}"
        )
    pictures = list(data.read_pictures(root=settings.source, styles=settings.styles))
    return {"pictures": data.save(pictures=pictures, folder=settings.work / "data").counts()}


def train_codec(settings: Settings) -> dict[str, Any]:
    """Train the codec, or go on with it."""
    model = codec.train(
        dataset=data.load(settings.work / "data"),
        folder=settings.work,
        steps=settings.codec_steps,
        widths=settings.codec_widths,
    )
    return {"scaling_factor": float(model.config.scaling_factor)}


def _vae(settings: Settings) -> Codec:
    return diffusers.AutoencoderKL.from_pretrained(
        settings.work / "vae", local_files_only=True
    ).eval()


def trainer(settings: Settings) -> denoiser.Trainer:
    """The trainer over the prepared pictures, at its first step."""
    bank = captions.bank(
        dataset=data.load(settings.work / "data"),
        words=list(settings.words),
        model=_vae(settings),
        style=STYLE,
    )
    vocabulary = settings.work / "tokenizer"
    if vocabulary.is_dir():
        tokens = transformers.CLIPTokenizer.from_pretrained(vocabulary, local_files_only=True)
    else:
        tokens = tokenizer.train(captions.texts(bank.words, bank.tags))
        tokens.save_pretrained(vocabulary)
    plan = denoiser.Plan(seconds=settings.seconds, steps=settings.steps, batch=settings.batch)
    return denoiser.Trainer(bank=bank, tokenizer=tokens, shape=settings.shape, plan=plan)


def train_denoiser(settings: Settings) -> dict[str, Any]:
    """Train the denoiser and its text encoder, or go on with them."""
    run = trainer(settings)
    run.run(checkpoint=settings.work / "denoiser.pt")
    return {"steps": run.step, "samples": run.step * settings.batch, "seconds": round(run.seconds)}


def write(settings: Settings) -> dict[str, Any]:
    """Write the model folder and check that its single file draws the same picture."""
    run = trainer(settings)
    run.restore(settings.work / "denoiser.pt")
    pipeline = export.assemble(trainer=run, vae=_vae(settings))
    size = export.write(pipeline=pipeline, target=settings.out, words=list(settings.words))
    difference = export.check_single_file(folder=settings.out)
    if difference != 0.0:
        raise ValueError(f"the single file draws another picture: largest difference {difference}")
    return {"bytes": size, "single_file_difference": difference, "steps": run.step}


def draw_sheet(settings: Settings) -> dict[str, Any]:
    """Draw every word, save the sheet, and have a classifier of the real pictures name them."""
    words = list(settings.words)
    pipeline = export.load(settings.out)
    drawn = evaluate.pictures(pipeline=pipeline, prompts=[word.name for word in words])
    evaluate.sheet(
        drawn=drawn, titles=[word.name for word in words], path=settings.out / "sample_sheet.webp"
    )
    real = evaluate.word_pixels(dataset=data.load(settings.work / "data"), words=words, style=STYLE)
    namer = evaluate.train_namer(pictures_by_word=real, steps=settings.namer_steps)
    answers = list(range(len(words)))
    plain = [data.compose(pixels) for pixels in real.numpy()]
    ours = evaluate.accuracy(namer=namer, drawn=drawn, answers=answers)
    theirs = evaluate.accuracy(namer=namer, drawn=plain, answers=answers)
    return {
        "words": len(words),
        "top1": ours.top1,
        "top5": ours.top5,
        "real_top1": theirs.top1,
        "real_top5": theirs.top5,
    }


STAGES: dict[str, Callable[[Settings], dict[str, Any]]] = {
    "prepare": prepare,
    "codec": train_codec,
    "denoiser": train_denoiser,
    "export": write,
    "sheet": draw_sheet,
}
