"""The base model: its data, training, evaluation and export."""
