from __future__ import annotations

import random

import pytest
import sacrebleu

from seqrnn.metrics.sequences import sequence_scores, translation_scores


def test_an_output_is_right_if_any_reference_has_its_tokens():
    references = [["AH B", "AE  B"], ["K AE T"], ["D AO G", "D AA G"], ["X"]]
    scores = sequence_scores(["AE B", "K AE", "D AA G", "Y Z"], references, str.split)
    assert scores["exact_match"] == 0.5
    assert scores["wer"] == 0.5
    # Nothing of 2 tokens, 1 of 3, nothing of 3, 2 of 1.
    assert scores["token_error_rate"] == pytest.approx(3 / 9)


def test_the_reference_with_the_fewest_errors_a_token_counts():
    scores = sequence_scores(["a b c d"], [["a x", "a b c x y"]], str.split)
    assert scores["token_error_rate"] == pytest.approx(2 / 5)


def test_nothing_written_is_wrong_unless_nothing_is_wanted():
    assert sequence_scores(["", ""], [["a b"], [""]], str.split) == {
        "exact_match": 0.5,
        "wer": 0.5,
        "token_error_rate": 1.0,
    }


def edits(one: list[str], other: list[str]) -> int:
    """Wagner and Fischer's table."""
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, start=1):
        row, above = [i], row
        for j, b in enumerate(other, start=1):
            row.append(min(above[j] + 1, row[-1] + 1, above[j - 1] + (a != b)))
    return row[-1]


def test_token_errors_are_insertions_deletions_and_replacements():
    draw = random.Random(5)
    texts = [[" ".join(draw.choices("abcd", k=draw.randrange(1, 9))) for _ in range(60)] for _ in range(2)]
    expected = sum(edits(a.split(), b.split()) for a, b in zip(*texts, strict=True))
    scores = sequence_scores(texts[0], [[text] for text in texts[1]], str.split)
    assert scores["token_error_rate"] == pytest.approx(expected / sum(len(text.split()) for text in texts[1]))


def test_tokens_may_be_characters():
    assert sequence_scores(["abc"], [["abd"]], list)["token_error_rate"] == pytest.approx(1 / 3)


WRITTEN = ["the cat sat on the mat", "a dog barks at night", "it rains"]


def test_bleu_and_chrf_are_those_of_sacrebleu_for_references_of_any_number():
    references = [
        ["the cat sat on a mat", "a cat sat on the mat"],
        ["the dog barks at night"],
        ["it is raining"],
    ]
    scores, signatures, _ = translation_scores(WRITTEN, references)
    streams = [[row[0] for row in references], [references[0][1], None, None]]
    assert scores["bleu"] == pytest.approx(sacrebleu.corpus_bleu(WRITTEN, streams).score)
    assert scores["chrf"] == pytest.approx(sacrebleu.corpus_chrf(WRITTEN, streams).score)
    assert 0 < scores["bleu"] < 100
    assert all("version:" in signature and "nrefs:var" in signature for signature in signatures.values())


def test_a_perfect_translation_scores_100():
    scores, *_ = translation_scores(WRITTEN, [[text] for text in WRITTEN])
    assert scores == pytest.approx({"bleu": 100.0, "chrf": 100.0})


def test_tokenized_sentences_are_scored_without_advice(caplog):
    sentences = ["the cat sat ."] * 120
    scores, signatures, _ = translation_scores(sentences, [[sentence] for sentence in sentences])
    assert scores["bleu"] == pytest.approx(100.0)
    assert "force" not in signatures["bleu"]
    assert caplog.records == []
