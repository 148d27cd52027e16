"""Pictures and models: generation, LoRA training, scans and marks. Knows no Django."""
