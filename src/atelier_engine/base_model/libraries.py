"""diffusers and transformers, as values without types: what they publish does not hold."""

from importlib import import_module
from typing import Any

diffusers: Any = import_module("diffusers")
transformers: Any = import_module("transformers")

# What passes between the modules here; named for the reader, Any for the type checker.
Codec = Any
Pipeline = Any
Tokenizer = Any
Unet = Any
TextEncoder = Any
