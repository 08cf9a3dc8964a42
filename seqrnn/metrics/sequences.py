"""How good written sequences are, where each may be right in several ways.

`predictions` are texts (N,), `references` the accepted texts of each, (N, 1 or more).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain, zip_longest
from typing import NamedTuple

from seqrnn.metrics.bleu_tokenizer import choose_bleu_tokenizer

Split = Callable[[str], list[str]]
References = Sequence[Sequence[str]]


def sequence_scores(predictions: Sequence[str], references: References, split: Split) -> dict[str, float]:
    """Return `exact_match`, `wer` and `token_error_rate`, as fractions; `split` cuts a text into tokens.

    `exact_match` is the share of outputs all of whose tokens are those of a reference, `wer` the
    share of the others: the word error rate of the literature on pronunciation, in which one
    output is one word. `token_error_rate` is the number of tokens to insert, delete or replace in
    all outputs, by the tokens in all references; of several references the one with the fewest
    errors a token counts.
    """
    from rapidfuzz.distance import Levenshtein

    right = errors = tokens = 0
    for prediction, accepted in zip(predictions, references, strict=True):
        written = split(prediction)
        counts = [(Levenshtein.distance(written, wanted), len(wanted)) for wanted in map(split, accepted)]
        wrong, length = min(counts, key=lambda count: count[0] / max(count[1], 1))
        right += wrong == 0
        errors += wrong
        tokens += length
    exact_match = right / len(predictions)
    return {
        "exact_match": exact_match,
        "wer": 1.0 - exact_match,
        "token_error_rate": errors / max(tokens, 1),
    }


class TranslationScores(NamedTuple):
    """The figures, the signature of each by which others can repeat it, and why BLEU is not the usual one."""

    figures: dict[str, float]
    signatures: dict[str, str]
    told: str


def translation_scores(
    predictions: Sequence[str], references: References, bleu_tokenizer: str = "auto"
) -> TranslationScores:
    """Return `bleu` and `chrf`, from 0 to 100, and the signature of each.

    BLEU is that of Papineni et al. (2002), chrF that of Popović (2015), both as sacrebleu (Post
    2018) computes them; `bleu_tokenizer` is one of its names, or `auto` for that of the script.
    """
    from sacrebleu.metrics.bleu import BLEU
    from sacrebleu.metrics.chrf import CHRF

    chosen = choose_bleu_tokenizer(bleu_tokenizer, chain.from_iterable(references))
    # One list for every first reference, one for every second ...; None where a text has fewer.
    streams = list(zip_longest(*references))
    scores, signatures = {}, {}
    # `force` changes no score: it keeps the advice on tokenized periods off standard error.
    for name, metric in {"bleu": BLEU(tokenize=chosen.name, force=True), "chrf": CHRF()}.items():
        scores[name] = float(metric.corpus_score(predictions, streams).score)
        signatures[name] = str(metric.get_signature())
    return TranslationScores(scores, signatures, chosen.told)
