"""`seqrnn generate` in pipelines: text as it comes, the same for the same seed."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest


@pytest.fixture(scope="module")
def generate(seqrnn, storyteller):
    """The text that `seqrnn generate` writes with some options; it must succeed."""

    def run(*args: str | bytes) -> tuple[str, str]:
        result = seqrnn("generate", "-m", storyteller, *args)
        assert result.returncode == 0, result.stderr.decode()
        return result.stdout.decode(), result.stderr.decode()

    return run


def test_the_seed_decides_the_text_and_streaming_does_not(generate) -> None:
    first, notes = generate("--prompt", "the ", "--max-len", "60", "--seed", "3")
    assert notes == ""
    assert first.startswith("the ")
    assert len(first) <= 4 + 60 + 1
    assert first.endswith("\n")
    assert generate("--prompt", "the ", "--max-len", "60", "--seed", "3", "--no-stream")[0] == first
    assert generate("--prompt", "the ", "--max-len", "60", "--seed", "4")[0] != first


def test_a_fixed_length_is_exact_and_samples_differ(generate) -> None:
    shown, _ = generate("--fixed-len", "25", "--samples", "3", "--jsonl", "--prompt", "a")
    records = [json.loads(line) for line in shown.splitlines()]
    assert [record["id"] for record in records] == [0, 1, 2]
    assert [len(record["prediction"]) for record in records] == [25] * 3  # a token is a character
    assert len({record["prediction"] for record in records}) == 3
    for record in records:
        assert list(record) == ["id", "prompt", "prediction", "score", "truncated", "unknown", "error"]
        assert record["prompt"] == "a"
        assert record["score"] < 0


def test_greedy_text_is_the_text_of_temperature_0(generate) -> None:
    greedy, _ = generate("--greedy", "--max-len", "30", "--seed", "1")
    assert generate("--temperature", "0", "--max-len", "30", "--seed", "2")[0] == greedy
    varied, _ = generate("--greedy", "--max-len", "30", "--no-repeat-ngram", "2")
    pairs = [varied[i : i + 2] for i in range(len(varied.rstrip("\n")) - 1)]
    assert len(set(pairs)) == len(pairs)


def test_characters_that_the_model_never_saw_are_counted_and_do_no_harm(generate) -> None:
    shown, notes = generate("--prompt", "Ü€ soup", "--max-len", "5")
    assert shown.startswith("Ü€ soup")
    assert (notes.count("\n"), notes[-2:]) == (1, "2\n")
    assert "<unk>" in notes
    assert generate("--prompt", "Ü€ soup", "--max-len", "5", "--quiet") == (shown, "")


def test_a_prompt_that_is_not_utf_8_is_read_with_u_fffd(generate) -> None:
    shown, notes = generate("--prompt", os.fsdecode(b"\xff soup"), "--max-len", "5")
    assert shown.startswith("\ufffd soup")
    assert "<unk>: 1" in notes


def test_text_is_on_its_way_before_it_is_finished(storyteller, environment, folder) -> None:
    command = [sys.executable, "-m", "seqrnn", "generate", "-m", storyteller, "--fixed-len", "1000000"]
    process = subprocess.Popen(command, env=environment, cwd=folder, stdout=subprocess.PIPE, bufsize=0)
    assert process.stdout.read(1)
    assert process.poll() is None
    process.terminate()
    process.communicate()


def test_a_state_that_could_not_be_written_is_refused_before_a_word_is(seqrnn, storyteller) -> None:
    result = seqrnn("generate", "-m", storyteller, "--state-out", "nowhere/s.npz")
    assert (result.returncode, result.stdout) == (5, b"")
    assert result.stderr.startswith(b"seqrnn: error: writing nowhere/s.npz: there is no directory nowhere")


def test_a_reader_that_leaves_early_ends_it_silently(shell, storyteller) -> None:
    line = "seqrnn generate -m storyteller --fixed-len 1000000 | head -c 10; exit ${PIPESTATUS[0]}"
    result = shell(line)
    assert (result.returncode, len(result.stdout), result.stderr) == (141, 10, b"")


OUT_OF_RANGE = [
    ("--max-len", "0"),
    ("--max-len", "x"),
    ("--fixed-len", "0"),
    ("--temperature", "nan"),
    ("--top-k", "-1"),
    ("--top-p", "0"),
    ("--samples", "0"),
    ("--repetition-penalty", "0"),
    ("--no-repeat-ngram", "-1"),
    ("--seed", "-1"),
]


@pytest.mark.parametrize(("option", "value"), OUT_OF_RANGE)
def test_an_option_out_of_range_is_named(seqrnn, storyteller, option: str, value: str) -> None:
    result = seqrnn("generate", "-m", storyteller, option, value)
    assert (result.returncode, result.stdout, result.stderr.count(b"\n")) == (2, b"", 1)
    assert result.stderr.decode().startswith(f"seqrnn: error: {option.split(maxsplit=1)[0]}")


def test_a_prompt_can_be_piped(seqrnn, storyteller, generate) -> None:
    typed, _ = generate("--prompt", "the fox\nand", "--greedy", "--max-len", "20")
    piped = seqrnn(
        "generate", "-m", storyteller, "--prompt", "-", "--greedy", "--max-len", "20", stdin=b"the fox\nand\n"
    )
    assert (piped.returncode, piped.stdout.decode()) == (0, typed)


def test_what_is_piped_and_not_read_is_told(seqrnn, storyteller, generate) -> None:
    told = b"seqrnn: standard input was not read; --prompt - continues it\n"
    asked = ("generate", "-m", storyteller, "--greedy", "--max-len", "5")
    assert seqrnn(*asked, stdin=b"the fox\n").stderr == told
    assert seqrnn(*asked, "--prompt", "the ", stdin=b"the fox\n").stderr == b""
    assert seqrnn(*asked, stdin=b"").stderr == b""


def test_the_likeliest_text_is_not_drawn(seqrnn, storyteller) -> None:
    for option, value in [("--temperature", "0.5"), ("--top-k", "3"), ("--top-p", "0.5")]:
        result = seqrnn("generate", "-m", storyteller, "--greedy", option, value)
        assert (result.returncode, result.stdout) == (2, b"")
        assert b"are for draws; leave out --greedy" in result.stderr


def test_only_one_length_can_be_given(seqrnn, storyteller) -> None:
    result = seqrnn("generate", "-m", storyteller, "--max-len", "5", "--fixed-len", "5")
    assert (result.returncode, result.stdout, result.stderr.count(b"\n")) == (2, b"", 1)
    assert result.stderr.startswith(b"seqrnn: error: --max-len: --fixed-len says how many tokens")


def test_a_wrong_kind_of_model_names_the_command_that_is_right(seqrnn, classifier) -> None:
    result = seqrnn("generate", "-m", classifier)
    assert (result.returncode, result.stdout, result.stderr.count(b"\n")) == (2, b"", 1)
    assert result.stderr.endswith(b"use seqrnn classify\n")


def test_a_text_goes_on_from_a_saved_state_as_if_it_had_never_stopped(generate, folder) -> None:
    whole, _ = generate("--greedy", "--prompt", "the ", "--fixed-len", "40")
    first, _ = generate("--greedy", "--prompt", "the ", "--fixed-len", "15", "--state-out", "s.npz")
    rest, _ = generate("--greedy", "--state-in", "s.npz", "--fixed-len", "25")
    assert first.removesuffix("\n") + rest == whole
    again, _ = generate("--greedy", "--state-in", "s.npz", "--prompt", rest[:5], "--fixed-len", "20")
    assert again == rest


def test_a_state_is_of_one_text_and_of_one_model(seqrnn, storyteller, classifier, folder) -> None:
    several = seqrnn("generate", "-m", storyteller, "--samples", "2", "--state-out", "s2.npz")
    assert (several.returncode, several.stdout) == (2, b"")
    (folder / "foreign.npz").write_bytes(b"no archive")
    foreign = seqrnn("generate", "-m", storyteller, "--state-in", "foreign.npz")
    assert (foreign.returncode, foreign.stdout, foreign.stderr.count(b"\n")) == (4, b"", 1)
    assert b"foreign.npz: damaged" in foreign.stderr
