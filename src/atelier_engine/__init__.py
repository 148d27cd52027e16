"""Pictures and models: generation, LoRA training, scans and marks. Knows no Django."""

import os

# Libraries read both when they load, so they are set before any of them. Passive waiting keeps two
# threads from spinning against each other when the cores are shared.
os.environ.setdefault("HF_HUB_OFFLINE", "1")  # noqa: TID251 - for the libraries, not for us
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # noqa: TID251
