"""The words of the wire contract: types, base models, permissions, ratings."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import models

MAX_INT = 2**31 - 1


class ModelType(models.TextChoices):
    """What a model is. Values are the contract's, in exact case."""

    CHECKPOINT = "Checkpoint"
    TEXTUAL_INVERSION = "TextualInversion", "Embedding"
    HYPERNETWORK = "Hypernetwork"
    AESTHETIC_GRADIENT = "AestheticGradient"
    LORA = "LORA", "LoRA"
    LOCON = "LoCon", "LoCon"
    DORA = "DoRA", "DoRA"
    CONTROLNET = "Controlnet", "ControlNet"
    UPSCALER = "Upscaler"
    MOTION_MODULE = "MotionModule"
    VAE = "VAE", "VAE"
    TEXT_ENCODER = "TextEncoder"
    UNET = "UNet", "UNet"
    CLIP_VISION = "CLIPVision", "CLIP vision"
    POSES = "Poses"
    WILDCARDS = "Wildcards"
    WORKFLOWS = "Workflows"
    COMFY_WORKFLOWS = "ComfyWorkflows"
    DETECTION = "Detection"
    VISION_LANGUAGE = "VisionLanguage"
    CLIP = "CLIP", "CLIP"
    LLM = "LLM", "LLM"
    OTHER = "Other"


AIR_TYPES = {
    ModelType.CHECKPOINT: "checkpoint",
    ModelType.LORA: "lora",
    ModelType.LOCON: "lycoris",
    ModelType.DORA: "dora",
    ModelType.TEXTUAL_INVERSION: "embedding",
    ModelType.HYPERNETWORK: "hypernet",
    ModelType.AESTHETIC_GRADIENT: "ag",
    ModelType.VAE: "vae",
    ModelType.CONTROLNET: "controlnet",
    ModelType.UPSCALER: "upscaler",
    ModelType.MOTION_MODULE: "motion",
    ModelType.TEXT_ENCODER: "text_encoders",
    ModelType.UNET: "unet",
    ModelType.CLIP_VISION: "clipvision",
    ModelType.CLIP: "clip",
    ModelType.VISION_LANGUAGE: "visionlanguage",
}


class FileType(models.TextChoices):
    """What a file of a version is for."""

    MODEL = "Model"
    TEXT_ENCODER = "Text Encoder"
    VISION_ENCODER = "Vision Encoder"
    PRUNED_MODEL = "Pruned Model"
    NEGATIVE = "Negative"
    TRAINING_DATA = "Training Data"
    VAE = "VAE"
    CONFIG = "Config"
    ARCHIVE = "Archive"
    UNET = "UNet"
    DIFFUSION_MODEL = "Diffusion Model"
    CLIP_VISION = "CLIPVision"
    CONTROLNET = "ControlNet"
    WORKFLOW = "Workflow"
    UPSCALER = "Upscaler"
    ENHANCEMENT_LORA = "Enhancement LoRA"
    OTHER = "Other"


class CommercialUse(models.TextChoices):
    """What others may sell."""

    NONE = "None"
    IMAGE = "Image"
    RENT_CIVIT = "RentCivit"
    RENT = "Rent"
    SELL = "Sell"


class License(models.TextChoices):
    """Licences that a maker can choose from."""

    OPENRAIL_M = "creativeml-openrail-m", "CreativeML OpenRAIL-M"
    APACHE_2 = "apache-2.0", "Apache 2.0"
    MIT = "mit", "MIT"
    CC0 = "cc0-1.0", "CC0 1.0"
    CC_BY = "cc-by-4.0", "CC BY 4.0"
    CC_BY_SA = "cc-by-sa-4.0", "CC BY-SA 4.0"
    CC_BY_NC = "cc-by-nc-4.0", "CC BY-NC 4.0"
    OTHER = "other", "Other, see the description"


@dataclass(frozen=True, slots=True)
class BaseModelEntry:
    """A base model that versions can be made for.

    ``ecosystem`` is the family's key in an AIR. ``family`` names the engine's adapter, empty while
    the site cannot draw with it.
    """

    name: str
    ecosystem: str
    family: str = ""


ATELIER_BASE = "Atelier Base"
_ECOSYSTEMS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("sd1", ("SD 1.4", "SD 1.5", "SD 1.5 LCM", "SD 1.5 Hyper")),
    ("sd2", ("SD 2.0", "SD 2.0 768", "SD 2.1", "SD 2.1 768", "SD 2.1 Unclip")),
    ("sd3", ("SD 3",)),
    ("sd3_5", ("SD 3.5", "SD 3.5 Large", "SD 3.5 Large Turbo")),
    ("sd3_5m", ("SD 3.5 Medium",)),
    (
        "sdxl",
        (
            "SDXL 0.9", "SDXL 1.0", "SDXL 1.0 LCM", "SDXL Lightning", "SDXL Hyper", "SDXL Turbo",
            "SDXL Distilled", "Pony", "Illustrious", "NoobAI",
        ),
    ),
    ("flux1", ("Flux.1 S", "Flux.1 D")),
    ("fluxkrea", ("Flux.1 Krea",)),
    ("flux1kontext", ("Flux.1 Kontext",)),
    (
        "flux2",
        (
            "Flux.2 D", "Flux.2 Klein 9B", "Flux.2 Klein 9B-base", "Flux.2 Klein 4B",
            "Flux.2 Klein 4B-base",
        ),
    ),
    ("auraflow", ("AuraFlow", "Pony V7")),
    ("chroma", ("Chroma",)),
    ("hidream", ("HiDream", "HiDream-O1")),
    ("hydit1", ("Hunyuan 1",)),
    ("hyv1", ("Hunyuan Video",)),
    ("kolors", ("Kolors",)),
    ("lumina", ("Lumina",)),
    ("ltxv", ("LTXV",)),
    ("ltxv2", ("LTXV2", "LTXV 2.3")),
    ("mochi", ("Mochi",)),
    ("pixarta", ("PixArt a",)),
    ("pixarte", ("PixArt E",)),
    ("playgroundv2", ("Playground v2",)),
    ("qwen", ("Qwen",)),
    ("qwen2", ("Qwen 2",)),
    ("scascade", ("Stable Cascade",)),
    ("svd", ("SVD", "SVD XT")),
    ("wanvideo", ("Wan Video", "Wan Video 1.3B t2v", "Wan Video 14B t2v")),
    ("zimageturbo", ("ZImageTurbo",)),
    ("zimagebase", ("ZImageBase",)),
    ("other", ("Upscaler", "Other")),
)  # fmt: skip

BASE_MODELS: dict[str, BaseModelEntry] = {
    ATELIER_BASE: BaseModelEntry(ATELIER_BASE, "atelier", family="atelier"),
    **{name: BaseModelEntry(name, ecosystem) for ecosystem, names in _ECOSYSTEMS for name in names},
}


def ecosystem_of(base_model: str) -> str:
    """The key of a base model's family in an AIR; unknown ones are their own family."""
    entry = BASE_MODELS.get(base_model)
    return entry.ecosystem if entry else base_model.lower().replace(" ", "")


class Rating(models.IntegerChoices):
    """How explicit a thing is; a bit each, so that a set of them is a mask."""

    PG = 1, "PG"
    PG13 = 2, "PG-13"
    R = 4, "R"
    X = 8, "X"
    XXX = 16, "XXX"
    BLOCKED = 32, "Blocked"


SFW_LEVELS = Rating.PG | Rating.PG13
ALL_LEVELS = 31
