"""Who lives in the demo community, what they made and what they ask for. Only data."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Person:
    """A demo account; its name starts with ``demo_``."""

    name: str
    shown: str
    bio: str


@dataclass(frozen=True, slots=True)
class Style:
    """A LoRA that makes every subject look a certain way; ``look`` names the recipe in ``make``."""

    slug: str
    title: str
    trigger: str
    look: str
    creator: str
    tags: tuple[str, ...]
    text: str


@dataclass(frozen=True, slots=True)
class Mascot:
    """A LoRA of a drawn character, and the traits it is drawn by.

    ``body``, ``belly``, ``accent`` are RGB; ``ears`` and ``extra`` name shapes in ``make``.
    """

    slug: str
    title: str
    trigger: str
    creator: str
    tags: tuple[str, ...]
    text: str
    body: tuple[int, int, int]
    belly: tuple[int, int, int]
    accent: tuple[int, int, int]
    ears: str
    extra: str
    eyes: int = 2


PASSWORD = "demo-atelier"  # noqa: S105 - demo accounts exist on loopback only
LOGIN = "demo_ada"

PEOPLE = (
    Person("demo_ada", "Ada", "Mascots and sticker sheets. I open bounties for characters."),
    Person("demo_bruno", "Bruno", "Trains small LoRAs on Sunday evenings."),
    Person("demo_chidi", "Chidi", "Flat colours, thick lines."),
    Person("demo_dora", "Dora", "Food pictures, mostly cake."),
    Person("demo_emil", "Emil", "Pixel by pixel."),
    Person("demo_fatima", "Fatima", "Night scenes and neon."),
    Person("demo_goro", "Goro", "Robots with feelings."),
    Person("demo_hana", "Hana", "Pastel everything."),
    Person("demo_ivo", "Ivo", "Collects animals that do not exist."),
    Person("demo_juno", "Juno", "Makes reference sheets for a board game."),
    Person("demo_kai", "Kai", "New here. Likes foxes."),
    Person("demo_lena", "Lena", "Prints and posters."),
)

STYLES = (
    Style(
        "pixel-pop",
        "Pixel Pop",
        "pixpop",
        "pixel",
        "demo_emil",
        ("style", "pixel"),
        "Chunky pixels with a small palette. Strength 0.7 to 1.",
    ),
    Style(
        "lagoon",
        "Lagoon",
        "lagoonx",
        "lagoon",
        "demo_fatima",
        ("style", "blue"),
        "Everything in the blues of shallow water.",
    ),
    Style(
        "rosewood",
        "Rosewood",
        "rosewd",
        "rosewood",
        "demo_chidi",
        ("style", "pink"),
        "Pinks and dark reds, as if printed from a wood block.",
    ),
    Style(
        "pastel-cloud",
        "Pastel Cloud",
        "pastcl",
        "pastel",
        "demo_hana",
        ("style", "pastel"),
        "Soft, light colours. Kind to hearts and animals.",
    ),
    Style(
        "poster-four",
        "Poster Four",
        "posfour",
        "poster",
        "demo_lena",
        ("style", "poster"),
        "Four flat colours, as if screen-printed.",
    ),
    Style(
        "sepia-album",
        "Sepia Album",
        "sepalb",
        "sepia",
        "demo_lena",
        ("style", "vintage"),
        "Brown tones of an old album.",
    ),
    Style(
        "moss-press",
        "Moss Press",
        "mosspr",
        "moss",
        "demo_juno",
        ("style", "green"),
        "Greens of a damp wall, for board games and gardens.",
    ),
    Style(
        "mosaic-tile",
        "Mosaic Tile",
        "mostile",
        "mosaic",
        "demo_emil",
        ("style", "mosaic"),
        "Square tiles with light grout.",
    ),
    Style(
        "sunset-wash",
        "Sunset Wash",
        "sunwash",
        "sunset",
        "demo_hana",
        ("style", "warm"),
        "Everything in the colours of a late summer evening.",
    ),
    Style(
        "mint-paper",
        "Mint Paper",
        "mintpap",
        "mint",
        "demo_dora",
        ("style", "paper"),
        "Pictures on mint-green paper, for menus.",
    ),
    Style(
        "gilded",
        "Gilded",
        "gildedx",
        "gilded",
        "demo_fatima",
        ("style", "gold"),
        "Gold leaf on everything.",
    ),
    Style(
        "halftone-comic",
        "Halftone Comic",
        "halfcom",
        "halftone",
        "demo_chidi",
        ("style", "comic"),
        "Dots like in an old comic.",
    ),
)

MASCOTS = (
    Mascot(
        "zibbo",
        "Zibbo the Three-Eyed",
        "zibbo",
        "demo_ivo",
        ("character", "monster"),
        "A violet friend with three eyes and an antenna.",
        (140, 60, 220),
        (190, 140, 240),
        (250, 200, 40),
        "none",
        "antenna",
        3,
    ),
    Mascot(
        "pip-fox",
        "Pip the Fox",
        "pipfox",
        "demo_bruno",
        ("character", "fox", "mascot"),
        "A small orange fox with a white belly.",
        (232, 120, 40),
        (255, 245, 232),
        (60, 40, 30),
        "pointed",
        "tail",
    ),
    Mascot(
        "moss-frog",
        "Moss",
        "mossfrog",
        "demo_bruno",
        ("character", "frog"),
        "A round green frog who sits.",
        (70, 160, 70),
        (200, 230, 150),
        (240, 120, 140),
        "knobs",
        "smile",
    ),
    Mascot(
        "blip-bot",
        "Blip",
        "blipbot",
        "demo_goro",
        ("character", "robot"),
        "A grey robot with a screen face and a red light.",
        (150, 160, 175),
        (40, 60, 80),
        (230, 60, 60),
        "none",
        "antenna",
    ),
    Mascot(
        "mochi-cat",
        "Mochi",
        "mochicat",
        "demo_hana",
        ("character", "cat"),
        "A white cat that is mostly round.",
        (250, 246, 240),
        (255, 225, 225),
        (240, 150, 160),
        "pointed",
        "smile",
    ),
    Mascot(
        "tide-whale",
        "Tide",
        "tidewhl",
        "demo_ivo",
        ("character", "whale"),
        "A blue whale, pocket size.",
        (60, 120, 200),
        (210, 230, 250),
        (120, 200, 240),
        "none",
        "spout",
    ),
    Mascot(
        "coal-bat",
        "Coal",
        "coalbat",
        "demo_fatima",
        ("character", "bat"),
        "A night-black bat with big ears.",
        (50, 45, 60),
        (110, 95, 130),
        (250, 210, 60),
        "pointed",
        "wings",
    ),
    Mascot(
        "berry-bear",
        "Berry",
        "berrybr",
        "demo_dora",
        ("character", "bear"),
        "A pink bear who bakes.",
        (235, 120, 160),
        (255, 215, 225),
        (160, 60, 90),
        "round",
        "smile",
    ),
    Mascot(
        "sunny-chick",
        "Sunny",
        "sunchick",
        "demo_ada",
        ("character", "bird"),
        "A yellow chick, always surprised.",
        (250, 210, 60),
        (255, 240, 170),
        (240, 130, 40),
        "none",
        "beak",
    ),
    Mascot(
        "fern-dragon",
        "Fern",
        "ferndrg",
        "demo_ivo",
        ("character", "dragon"),
        "A green dragon with small wings.",
        (60, 150, 110),
        (220, 235, 160),
        (220, 90, 60),
        "pointed",
        "wings",
    ),
    Mascot(
        "plum-ghost",
        "Plum",
        "plumgho",
        "demo_goro",
        ("character", "ghost"),
        "A lilac ghost who means well.",
        (200, 180, 235),
        (235, 225, 250),
        (110, 80, 160),
        "none",
        "smile",
    ),
    Mascot(
        "rusty-bun",
        "Rusty",
        "rustybun",
        "demo_juno",
        ("character", "rabbit"),
        "A brown rabbit with long ears.",
        (170, 110, 70),
        (235, 210, 185),
        (90, 50, 30),
        "long",
        "smile",
    ),
)

# Subjects that the base model claims to know; styles are shown on them.
SUBJECTS = (
    "red apple",
    "cat",
    "blue heart",
    "fox",
    "rocket",
    "penguin",
    "mushroom",
    "birthday cake",
    "robot",
    "panda",
    "rose",
    "castle",
    "octopus",
    "banana",
    "star",
    "dog",
)
BASE_PROMPTS = (
    "red apple",
    "green apple",
    "a blue heart",
    "yellow heart",
    "a 3d emoji of a fox",
    "cat",
    "dog",
    "panda",
    "penguin",
    "lion",
    "tiger",
    "rabbit",
    "bear",
    "koala",
    "frog",
    "octopus",
    "butterfly",
    "turtle",
    "whale",
    "pizza",
    "hamburger",
    "birthday cake",
    "donut",
    "cupcake",
    "banana",
    "strawberry",
    "cherries",
    "pineapple",
    "mushroom",
    "rose",
    "sunflower",
    "tulip",
    "cactus",
    "rocket",
    "sailboat",
    "house",
    "castle",
    "robot",
    "ghost",
    "alien",
    "snowman",
    "star",
    "moon",
    "fire",
    "rainbow",
    "guitar",
    "crown",
    "diamond",
    "soccer ball",
    "balloon",
    "umbrella",
    "light bulb",
)

COMMENTS = (
    "The edges came out clean. Which steps?",
    "This one made me smile.",
    "I used 0.7 and it still knows a cake is a cake.",
    "Could you try it with a rocket?",
    "Lovely colours.",
    "Seed 4 is the best of the four.",
    "Thank you for leaving the settings on.",
    "Works well together with Pastel Cloud.",
    "My kid wants a sticker of this.",
    "The ears are perfect now.",
)
