from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from seqrnn.errors import UsageError
from seqrnn.metrics import bleu_tokenizer
from seqrnn.metrics.bleu_tokenizer import check_bleu_tokenizer, choose_bleu_tokenizer
from seqrnn.metrics.sequences import translation_scores

TEXTS = {
    "English": ("the cat sat on the mat", "the cat sat on a mat"),
    "Chinese": ("今天天气很好。我们去公园玩。", "今天天气非常好。我们去公园吧。"),
    "Japanese": ("今日は天気がいいので公園へ行きます。", "今日は天気が良いから公園に行きます。"),
    "Korean": ("오늘은 날씨가 좋아서 공원에 갑니다.", "오늘 날씨가 좋아서 우리는 공원에 갑니다."),
    "Thai": ("วันนี้อากาศดีมากเราจะไปสวนสาธารณะ", "วันนี้อากาศดีเราไปสวนสาธารณะ"),
}


@pytest.fixture
def without_mecab(monkeypatch):
    monkeypatch.setattr(bleu_tokenizer, "find_spec", lambda name: None)


@pytest.mark.parametrize(
    ("language", "name", "told"),
    [
        ("English", "13a", ""),
        ("Chinese", "zh", "BLEU cuts texts as sacrebleu's zh does: the references are Chinese"),
        ("Japanese", "char", "BLEU counts characters: the references are Japanese, and ja-mecab is not"),
        ("Korean", "char", "BLEU counts characters: the references are Korean, and ko-mecab is not"),
        ("Thai", "char", "BLEU counts characters: the references are in Thai script"),
    ],
)
def test_the_script_of_the_references_chooses(without_mecab, language: str, name: str, told: str) -> None:
    chosen = choose_bleu_tokenizer("auto", TEXTS[language])
    assert chosen.name == name
    assert chosen.told.startswith(told)
    assert bool(chosen.told) == bool(told)
    assert choose_bleu_tokenizer("none", TEXTS[language]) == ("none", "")


def test_words_are_found_where_mecab_is_installed(monkeypatch) -> None:
    monkeypatch.setattr(bleu_tokenizer, "find_spec", lambda name: name)
    assert choose_bleu_tokenizer("auto", TEXTS["Japanese"]).name == "ja-mecab"
    assert choose_bleu_tokenizer("auto", TEXTS["Korean"]).name == "ko-mecab"


def test_names_in_another_script_change_nothing() -> None:
    assert choose_bleu_tokenizer("auto", ["我的电脑装了Windows和Linux两个系统"]).name == "zh"
    assert choose_bleu_tokenizer("auto", ["The word 天气 means weather in Chinese."]).name == "13a"
    assert choose_bleu_tokenizer("auto", ["42 !"]).name == "13a"


def test_a_tokenizer_that_is_not_installed_is_refused(without_mecab) -> None:
    with pytest.raises(UsageError, match=r"bleu_tokenizer` ja-mecab: is not installed; pip install 'sacreb"):
        check_bleu_tokenizer("ja-mecab")
    check_bleu_tokenizer("zh")


@pytest.mark.parametrize(("language", "name"), [("English", "13a"), ("Chinese", "zh"), ("Thai", "char")])
def test_scores_and_signature_are_those_of_sacrebleus_command(
    tmp_path: Path, language: str, name: str
) -> None:
    reference, written = TEXTS[language]
    (tmp_path / "reference").write_text(f"{reference}\n", encoding="utf-8")
    (tmp_path / "written").write_text(f"{written}\n", encoding="utf-8")
    command = [sys.executable, "-m", "sacrebleu", "reference", "-i", "written", "-tok", name]
    options = ["-m", "bleu", "chrf", "-w", "6", "-f", "text", "--force"]
    ran = subprocess.run([*command, *options], cwd=tmp_path, capture_output=True, text=True, check=True)
    scores = translation_scores([written], [[reference]])
    bleu, chrf = map(str.strip, ran.stdout.splitlines())
    assert bleu.startswith(f"BLEU|{scores.signatures['bleu']} = {scores.figures['bleu']:.6f} ")
    assert chrf.startswith(f"chrF2|{scores.signatures['chrf']} = {scores.figures['chrf']:.6f}")
