# ruff: noqa: RUF001 (texts in many scripts)
"""What a token is, as the data decide it: words, byte pairs or characters, given or to be found."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest

from seqrnn.config_file import from_flags
from seqrnn.data.source import Source
from seqrnn.data.text.text_sample import take_sample
from seqrnn.data.text.token_choice import TokenizerRequest, bpe_size, choose_tokens
from seqrnn.library.plan import plan_training

TONGUES = {
    "English": (["The dog", "A cat", "My friend"], ["sees", "hears", "knows"], ["the sea", "a house"]),
    "French": (["Le chien", "L'ami", "Une fille"], ["voit", "n'aime pas", "connaît"], ["l'eau", "la mer"]),
    "German": (["Der Hund", "Die Katze"], ["sieht", "hört", "kennt"], ["das Haus", "den See"]),
    "Russian": (["Собака", "Моя кошка"], ["видит", "слышит"], ["большой дом", "синее море"]),
    "Greek": (["Ο σκύλος", "Η γάτα"], ["βλέπει", "ακούει"], ["το σπίτι", "τη θάλασσα"]),
    "Arabic": (["الكلب الكبير", "القطة"], ["يرى", "يسمع"], ["البيت", "البحر الأزرق"]),
    "Hindi": (["कुत्ता", "मेरी बिल्ली"], ["घर को", "समुद्र को"], ["देखता है", "सुनती है"]),
    "Korean": (["강아지가", "내 고양이가"], ["집을", "바다를"], ["본다", "듣는다"]),
}
STOPS = {"Arabic": "،", "Hindi": "।"}
UNSPACED = {
    "Chinese": (["小狗", "我的猫", "朋友"], ["看见了", "听到了"], ["大房子。", "蓝色的海，", "月亮。"]),
    "Japanese": (["犬は", "猫が", "ともだちは"], ["家を", "海を"], ["みています。", "聞いた。"]),
    "Thai": (["สุนัข", "แมวของฉัน"], ["มองเห็น", "ได้ยิน"], ["บ้านหลังใหญ่", "ทะเลสีฟ้า"]),
}


def sentences(tongue: str, count: int = 300, spaced: bool = True) -> list[str]:
    """Make sentences of a tongue, the middle of each with a name of its own."""
    parts = (TONGUES if spaced else UNSPACED)[tongue]
    stop = STOPS.get(tongue, ".") if spaced else ""
    space = " " if spaced else ""
    return [
        space.join(part[(i // (n + 1) + i) % len(part)] for n, part in enumerate(parts)) + stop
        for i in range(count)
    ]


def apart(texts: list[str]) -> list[str]:
    return [f"{text[:-1]} {text[-1]}" for text in texts]


def numbered(texts: list[str]) -> list[str]:
    """Put a word into each text that no other has."""
    letters = [chr(ord("a") + i) for i in range(26)]
    return [
        f"{letters[i % 26]}{letters[i // 26 % 26]}{letters[i // 676]}x {text}" for i, text in enumerate(texts)
    ]


@pytest.mark.parametrize("tongue", TONGUES)
def test_sentences_that_are_read_are_words_and_punctuation(tongue: str) -> None:
    chosen = choose_tokens(sentences(tongue), TokenizerRequest())
    assert (chosen.tokenizer, chosen.pretokenized, chosen.vocabulary_size) == ("word", "no", None)
    assert "0 of 300 marks are apart" in chosen.evidence
    assert "of held-out words 0.0% would be unknown" in chosen.evidence


@pytest.mark.parametrize("tongue", TONGUES)
def test_words_are_given_where_punctuation_is_apart(tongue: str) -> None:
    chosen = choose_tokens(apart(sentences(tongue)), TokenizerRequest())
    assert (chosen.tokenizer, chosen.pretokenized) == ("word", "yes")
    assert "300 of 300 marks are apart" in chosen.evidence


@pytest.mark.parametrize("use", ["translated", "written"])
def test_sentences_that_are_written_are_byte_pairs_sized_by_the_data(use: Any) -> None:
    texts = numbered(sentences("French"))
    chosen = choose_tokens(texts, TokenizerRequest(use=use), growth=50)
    assert chosen.tokenizer == "bpe"
    assert chosen.vocabulary_size == bpe_size(50 * sum(map(len, texts)))
    assert "would be unknown" in chosen.evidence
    assert f"vocabulary of {chosen.vocabulary_size:,}" in chosen.evidence


def test_many_unknown_words_make_byte_pairs_of_what_is_read() -> None:
    texts = [f"{text} {text}" for text in numbered([""] * 300)]
    assert choose_tokens(texts, TokenizerRequest()).tokenizer == "bpe"
    assert choose_tokens(texts[:150], TokenizerRequest()).tokenizer == "word"  # too few to tell


def test_rare_words_are_unknown_words() -> None:
    texts = sentences("English")
    assert choose_tokens(texts, TokenizerRequest(min_count=1000)).tokenizer == "bpe"
    mixed = [text.upper() if i % 10 == 9 else text for i, text in enumerate(texts)]
    assert choose_tokens(mixed, TokenizerRequest()).tokenizer == "bpe"
    assert choose_tokens(mixed, TokenizerRequest(lowercase=True)).tokenizer == "word"


@pytest.mark.parametrize("use", ["read", "translated", "written"])
@pytest.mark.parametrize("tongue", UNSPACED)
def test_scripts_without_spaces_are_read_and_written_as_characters(tongue: str, use: Any) -> None:
    chosen = choose_tokens(sentences(tongue, spaced=False), TokenizerRequest(use=use))
    assert chosen.tokenizer == "char"
    assert "without spaces" in chosen.evidence


def test_words_of_such_a_script_that_were_set_apart_are_words() -> None:
    parts = UNSPACED["Chinese"]
    texts = [" ".join([*(part[i % len(part)] for part in parts[:2]), "大 房子 。"]) for i in range(300)]
    chosen = choose_tokens(texts, TokenizerRequest())
    assert (chosen.tokenizer, chosen.pretokenized) == ("word", "yes")


@pytest.mark.parametrize("use", ["read", "translated", "written"])
def test_single_words_are_characters(use: Any) -> None:
    assert (
        choose_tokens(["Garcia", "O'Neill", "van Dyk"] * 100, TokenizerRequest(use=use)).tokenizer == "char"
    )


@pytest.mark.parametrize("use", ["translated", "written"])
def test_symbols_are_words_that_are_given(use: Any) -> None:
    phonemes = ["AA B ER G", "T R IH P", "a̠ i k ɨᵝ", "t' ʰa ."] * 100
    chosen = choose_tokens(phonemes, TokenizerRequest(use=use))
    assert (chosen.tokenizer, chosen.pretokenized) == ("word", "yes")


def test_abbreviations_and_typographic_spaces_are_no_evidence() -> None:
    french = ["Vous venez ? Oui !", "Mais non ! Il est là, enfin.", "Quoi ? Rien."] * 100
    assert choose_tokens(french, TokenizerRequest()).pretokenized == "no"
    given = ["Mr. Ford of the U.S. army came . ", "It was fine , he said ."] * 100
    assert choose_tokens(given, TokenizerRequest()).pretokenized == "yes"


def test_lists_of_tokens_are_given_and_what_the_user_says_is_kept() -> None:
    glued = sentences("English")
    assert choose_tokens(glued, TokenizerRequest(), lists=True).pretokenized == "yes"
    asked = TokenizerRequest(tokenizer="bpe", pretokenized="yes", vocabulary_size=777)
    chosen = choose_tokens(glued, asked)
    assert (chosen.tokenizer, chosen.pretokenized, chosen.vocabulary_size) == ("bpe", "yes", 777)


def test_nothing_to_look_at_is_words() -> None:
    assert choose_tokens([], TokenizerRequest()).tokenizer == "word"


def test_the_size_of_a_vocabulary_grows_with_the_text() -> None:
    sizes = [bpe_size(10.0**power) for power in range(3, 11)]
    assert sizes == sorted(sizes)
    assert sizes[0] == 500
    assert sizes[-1] == 32_000


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_sample_is_the_first_rows_and_tells_how_much_there_is(tmp_path, monkeypatch, pack) -> None:
    monkeypatch.setattr("seqrnn.data.text.text_sample.SAMPLE_ROWS", 100)
    path = tmp_path / "pairs.tsv"
    path.write_bytes(pack(b"one two\tthree four\n" * 400))
    sample = take_sample(Source(paths=(str(path),), format="tsv", kind="text"))
    assert len(sample.records) == 100
    assert sample.growth == pytest.approx(4.0, rel=0.01)


def test_a_malformed_row_ends_a_sample(tmp_path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"text": "a b", "label": "x"}\n' * 5 + "{\n")
    assert len(take_sample(Source(paths=(str(path),), format="jsonl", kind="text")).records) == 5


@pytest.fixture
def plan(tmp_path):
    def make(content: str, begun: Any = None, name: str = "train.tsv", **settings: Any):
        (tmp_path / name).write_text(content)
        given = {"data.train": (str(tmp_path / name),)}
        return plan_training(
            [from_flags(given | {k.replace("__", "."): v for k, v in settings.items()})], begun
        )

    return make


def pairs() -> str:
    """Make pairs of sentences with more than a thousand different words."""
    rows = zip(numbered(sentences("English", 1200)), numbered(sentences("French", 1200)), strict=True)
    return "".join(f"{i}s {source}\t{i}t {target}\n" for i, (source, target) in enumerate(rows))


def test_a_translator_needs_no_flag(plan) -> None:
    planned = plan(pairs())
    data = planned.config.data
    assert planned.config.task == "seq2seq"
    assert (data.tokenizer, data.target_tokenizer) == ("bpe", "bpe")
    assert data.vocabulary_size == data.target_vocabulary_size == 500
    assert planned.config.model.tie_embeddings
    assert planned.tokens.startswith("tokens: source byte pairs (vocabulary of 500")
    assert "; target byte pairs (vocabulary of 500" in planned.tokens


def test_a_model_of_words_has_defaults_of_its_own(plan) -> None:
    text = "\n".join(numbered(sentences("English", 1200)))
    words, letters = (plan(text, task="language-model", data__tokenizer=t) for t in ("word", "char"))
    assert words.config.model.tie_embeddings
    assert words.config.training.restart_every
    assert not letters.config.model.tie_embeddings
    assert words.config.training.batch_size < letters.config.training.batch_size
    kept = plan(text, task="language-model", data__tokenizer="word", model__embedding_size=64).config.model
    assert (kept.embedding_size, kept.tie_embeddings) == (64, True)


def test_settings_of_the_user_are_kept(plan) -> None:
    config = plan(pairs(), data__vocabulary_size=900, data__target_tokenizer="word").config
    assert (config.data.tokenizer, config.data.target_tokenizer) == ("bpe", "word")
    assert (config.data.vocabulary_size, config.data.target_vocabulary_size) == (900, None)
    assert (config.data.pretokenized, config.data.target_pretokenized) == ("no", "no")


def test_symbols_keep_the_defaults_of_symbols(plan) -> None:
    words = [f"{first}{second}" for first in "abcdefghijklmnop" for second in "abcdefghijklmnopqr"]
    config = plan("".join(f"{word}\t{' '.join(word.upper())}\n" for word in words)).config
    assert (config.task, config.data.tokenizer, config.data.target_tokenizer) == ("seq2seq", "char", "word")
    assert config.model.tie_embeddings is False


def test_short_sources_of_single_words_are_characters_too(plan) -> None:
    rows = "".join(f"the {i % 30}th of May, {1800 + i}\t{1800 + i}-05-{i % 30:02}\n" for i in range(200))
    config = plan(rows, task="seq2seq").config
    assert (config.data.tokenizer, config.data.target_tokenizer) == ("char", "char")


def test_lists_of_tokens_in_json_are_tokens_that_are_given(plan) -> None:
    rows = [{"tokens": ["Yes,", "I", f"do{i % 7}."], "label": "xy"[i % 2]} for i in range(40)]
    config = plan("".join(f"{json.dumps(row)}\n" for row in rows), name="train.jsonl").config
    assert (config.task, config.data.pretokenized) == ("classification", "yes")


def test_word_vectors_are_of_words(plan, tmp_path) -> None:
    rows = "".join(f"{text}\t{'xy'[i % 2]}\n" for i, text in enumerate(numbered([""] * 300)))
    assert plan(rows).config.data.tokenizer == "char"
    assert plan(rows, model__embeddings="vectors.txt").config.data.tokenizer == "word"


def test_a_run_from_before_there_was_a_choice_keeps_its_words(plan) -> None:
    begun = from_flags({"task": "seq2seq", "data.tokenizer": "word", "data.target_tokenizer": "bpe"})
    planned = plan(pairs(), begun)
    assert planned.tokens == ""
    data = planned.config.data
    assert (data.pretokenized, data.target_pretokenized) == ("auto", "auto")
    fields = planned.task().fields
    assert "kind='word'" in fields[0].description
    assert "kind='gpt2-bpe'" in fields[1].description
    assert "kind='bpe'" in plan(pairs()).task().fields[1].description
