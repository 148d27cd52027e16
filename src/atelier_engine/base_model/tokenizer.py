"""Our own byte-level BPE vocabulary, in the layout that ``CLIPTokenizer`` reads."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import tokenizers
from tokenizers import Regex, models, normalizers, pre_tokenizers, trainers

if TYPE_CHECKING:
    from collections.abc import Iterable

from atelier_engine.base_model.libraries import Tokenizer, transformers

LENGTH = 32
_START, _END = "<|startoftext|>", "<|endoftext|>"
_PIECES = r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"


def train(texts: Iterable[str], *, size: int = 2400) -> Tokenizer:
    """A tokenizer whose merges were learnt from ``texts``; every byte stays representable."""
    model = tokenizers.Tokenizer(
        models.BPE(unk_token=_END, end_of_word_suffix="</w>", continuing_subword_prefix="")
    )
    model.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Lowercase()])
    model.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(_PIECES), "removed", invert=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    )
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        special_tokens=[_START, _END],
        initial_alphabet=alphabet,
        end_of_word_suffix="</w>",
        show_progress=False,
    )
    model.train_from_iterator(texts, trainer)
    learnt = json.loads(model.to_str())["model"]
    vocabulary: dict[str, int] = learnt["vocab"]
    # CLIP writes the last byte of a word with its suffix; merges alone do not cover all of them.
    for symbol in alphabet:
        vocabulary.setdefault(symbol + "</w>", len(vocabulary))
    merges = [
        tuple(merge) if isinstance(merge, list) else tuple(merge.split(" "))
        for merge in learnt["merges"]
    ]
    return transformers.CLIPTokenizer(
        vocab=vocabulary, merges=merges, model_max_length=LENGTH, pad_token=_END
    )
