"""The tokenizers that are chosen where none is given, one for each side that a task reads or writes."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from seqrnn.config import Config
from seqrnn.data.fields.field import Side, Use
from seqrnn.data.fields.source_kind import kind_named
from seqrnn.data.source import Source
from seqrnn.data.text.text_sample import take_sample
from seqrnn.data.text.token_choice import TokenizerRequest, choose_tokens


@dataclass(frozen=True)
class TokenizerDefaults:
    """What was chosen for all sides: the settings, a line for the user, and whether sentences are written."""

    settings: Mapping[str, Any] = field(default_factory=dict)
    told: str = ""
    writes_sentences: bool = False


def choose_tokenizer_defaults(
    config: Config, given: Collection[str], uses: Mapping[Side, Use], source: Source
) -> TokenizerDefaults:
    """Choose what a token is on each side that a task has a use for, where the user has not `given` it."""
    sides = {side: _asked(config, given, side, use) for side, use in uses.items()}
    if not kind_named(config.data.source_kind).has_tokenizer:
        sides.pop("source", None)
    if not sides:
        return TokenizerDefaults()
    sample = take_sample(replace(source, format=config.data.format, kind=config.data.source_kind))
    settings: dict[str, Any] = {}
    told: list[str] = []
    writes_sentences = False
    for side in sorted(sides, reverse=True):  # the target first
        asked = replace(sides[side], spelled=settings.get("data.target_tokenizer") == "char")
        lists = side == "source" and sample.has_token_lists
        chosen = choose_tokens(sample.texts[side], asked, sample.growth, lists)
        prefix = "data." if side == "source" else "data.target_"
        settings |= {f"{prefix}tokenizer": chosen.tokenizer, f"{prefix}pretokenized": chosen.pretokenized}
        if chosen.vocabulary_size != asked.vocabulary_size:
            settings[f"{prefix}vocabulary_size"] = chosen.vocabulary_size
        told.insert(0, f"{side} {chosen.evidence}" if len(sides) > 1 else chosen.evidence)
        writes_sentences |= asked.use == "written" and chosen.many_words
    return TokenizerDefaults(settings, f"tokens: {'; '.join(told)}", writes_sentences)


def _asked(config: Config, given: Collection[str], side: Side, use: Use) -> TokenizerRequest:
    data = config.data
    size = data.vocabulary_size if "data.vocabulary_size" in given else None
    if side == "target":
        size = data.target_vocabulary_size or size
        return TokenizerRequest(
            data.target_tokenizer, data.target_pretokenized, size, use, min_count=data.min_count
        )
    named_by_vectors = data.tokenizer == "auto" and config.model.embeddings is not None
    tokenizer = "word" if named_by_vectors else data.tokenizer
    return TokenizerRequest(
        tokenizer,
        data.pretokenized,
        size,
        use,
        lowercase=data.lowercase,
        min_count=data.min_count,
    )
