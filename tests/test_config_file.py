from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from seqrnn.cli.given_settings import read_layers
from seqrnn.config import KEYS, Config
from seqrnn.config_file import (
    dump,
    from_defaults,
    from_yaml,
    load_run_config,
    read_file,
    resolve,
)
from seqrnn.errors import ConfigError, ModelError


def config_of(text: str) -> Config:
    return resolve([from_yaml(text, "a.yaml")])


def refusal(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        config_of(text)
    return str(caught.value)


def assigned(*assignments: str) -> Config:
    return resolve(read_layers([], assignments, {}))


def test_a_number_with_an_exponent_and_no_point_is_a_number() -> None:
    assert config_of("training:\n  learning_rate: 1e-3\n").training.learning_rate == 1e-3


def test_one_file_name_stands_for_a_list_of_one() -> None:
    assert config_of("data: {train: a.txt}").data.train == ("a.txt",)
    assert config_of("data: {train: [a.txt, b.txt]}").data.train == ("a.txt", "b.txt")


def test_a_section_whose_keys_are_all_commented_out_keeps_the_defaults() -> None:
    assert config_of("model:\n  # cell: gru\ntraining:\n") == Config()


def test_later_layers_win_over_earlier_ones(tmp_path) -> None:
    first, second = tmp_path / "a.yaml", tmp_path / "b.yaml"
    first.write_text("model: {hidden_size: 1, num_layers: 2, embedding_size: 3}\ntraining: {steps: 4}\n")
    second.write_text("model: {num_layers: 20, embedding_size: 30}\n")
    given = read_layers(
        [str(first), str(second)],
        ["model.embedding_size=300", "model.dropout=0.5"],
        {"model.dropout": 0.25},
    )
    config = resolve([from_defaults({"training.steps": 40, "training.batch_size": 5}), *given])
    assert (config.model.hidden_size, config.model.num_layers, config.model.embedding_size) == (1, 20, 300)
    assert (config.model.dropout, config.training.steps, config.training.batch_size) == (0.25, 4, 5)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\nmodel:\n  hiden_size: 3", "a.yaml:3: model.hiden_size: unknown key; did you mean hidden_size?"),
        ("hidden_size: 3", "a.yaml:1: hidden_size: unknown key; did you mean model.hidden_size?"),
        ("modle: {}", "a.yaml:1: modle: unknown key; did you mean model?"),
        ("model: 3", "a.yaml:1: model: must be a mapping"),
        ("model:\n  cell: lsmt", "a.yaml:2: model.cell: must be one of"),
        ("model:\n  cell: lsmt", "did you mean lstm?"),
        ("training: {seed: 1,\n  steps: 1.0}", "a.yaml:2: training.steps: must be a whole number, not 1.0"),
        ("training: {seed: true}", "must be a whole number, not true"),
        ("training: {seed: '3'}", "must be a whole number, not '3'"),
        ("training: {learning_rate: 0}", "must be more than 0, not 0"),
        ("training: {learning_rate: .nan}", "must be a finite number, not nan"),
        ("training: {learning_rate: true}", "must be a number, not true"),
        ("model: {bidirectional: 1}", "must be true or false, not 1"),
        ("data: {text_column: 2}", "data.text_column: must be text, not 2; quote it"),
        ("training: {budget: 15}", "training.budget: must be a time such as 90s, 10m, 1.5h or 1h30m, not 15"),
        ("data: {train: [a, 2]}", "data.train: must be text, not 2; quote it"),
        ("data: {train: {a: b}}", "data.train: must be a list, not a mapping"),
        ("model: {cell: }", "not nothing"),
    ],
)
def test_a_value_that_the_schema_refuses_is_told_with_line_and_remedy(text: str, expected: str) -> None:
    message = refusal(text)
    assert expected in message
    assert message.startswith("a.yaml:")
    assert "\n" not in message


@pytest.mark.parametrize("spelling", ["no", "off", "12:30:45", "010", "1_000", "0x1F", "2001-01-01", "0o17"])
def test_a_spelling_that_readers_of_yaml_disagree_about_must_be_quoted(spelling: str) -> None:
    for line in (f"data: {{text_column: {spelling}}}", f"training: {{seed: {spelling}}}"):
        message = refusal(line)
        assert spelling in message
        assert "quote it" in message
    assert config_of(f"data: {{text_column: '{spelling}'}}").data.text_column == spelling


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "a.yaml: is empty"),
        ("# nothing\n", "a.yaml: is empty"),
        ("- 3", "a.yaml:1: no mapping"),
        ("word", "a.yaml:1: no mapping"),
        ("training:\n  seed: 1\n  steps: 2\n  seed: 3", "a.yaml:4: seed: is already on line 2"),
        ("model: {}\ntraining: {}\nmodel: {}", "a.yaml:3: model: is already on line 1"),
        ("model: &m {}", "a.yaml:1: anchors"),
        ("model: *m", "a.yaml:1: anchors"),
        ("model:\n  <<: {cell: gru}", "a.yaml:2: merge keys"),
        ("model:\n  cell: !!python/object:os.system x", "a.yaml:2: tags"),
        ("model:\n  cell: !!str gru", "a.yaml:2: tags"),
        ("model: {}\n---\nmodel: {}", "a.yaml:2: a second document"),
        ("[" * 100_000, "a.yaml:1: nested deeper than 64"),
        ("training:\n  seed: " + "1" * 5000, "a.yaml:2: a number of 5,000 characters"),
        ("model: {}\ndata: 'x", "a.yaml:2: not valid YAML"),
        ("model:\n\tcell: gru", "a.yaml:2: not valid YAML"),
        ("model:\n  cell: \0", "a.yaml:2: the character U+0000"),
        ('model: "\\UFFFFFFFF"', "an escape"),
        ('model: "\\ud800"', "an escape"),
        ("? [a]\n: 3", "a.yaml:1: a list or a mapping instead of a key"),
    ],
)
def test_what_goes_beyond_plain_yaml_is_refused_with_its_line(text: str, expected: str) -> None:
    assert expected in refusal(text)


def test_sixty_four_levels_are_read_as_far_as_yaml_goes() -> None:
    assert "nested" not in refusal("data: {train: " + "[" * 60 + "]" * 60 + "}")


def test_a_file_that_cannot_be_read_is_named(tmp_path) -> None:
    large = tmp_path / "large.yaml"
    large.write_bytes(b"#" * ((1 << 20) + 1))
    latin = tmp_path / "latin.yaml"
    latin.write_bytes(b"model: {}\n# caf\xe9\n")
    for path, expected in [
        (tmp_path / "none.yaml", "No such file"),
        (tmp_path, "Is a directory"),
        (large, "larger than 1,048,576 bytes"),
        (latin, ":2: not UTF-8"),
    ]:
        with pytest.raises(ConfigError, match=expected) as caught:
            read_file(str(path))
        assert str(caught.value).startswith(str(path))


def test_a_byte_order_mark_is_no_part_of_the_first_key(tmp_path) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes(b"\xef\xbb\xbfmodel: {cell: gru}\r\n")
    assert resolve([read_file(str(path))]).model.cell == "gru"


def test_set_takes_scalars_and_flow_lists() -> None:
    config = assigned("training.learning_rate=1e-3", "data.train=[a, b]", "model.bidirectional=true")
    assert config.training.learning_rate == 1e-3
    assert config.data.train == ("a", "b")
    assert config.model.bidirectional is True


def test_set_takes_text_as_it_was_typed() -> None:
    config = assigned(
        "data.text_column=010", "data.header=no", "data.label_separator=: ", "training.budget=90s"
    )
    assert (config.data.text_column, config.data.header) == ("010", "no")
    assert (config.data.label_separator, config.training.budget) == (": ", "90s")


@pytest.mark.parametrize(
    ("assignment", "expected"),
    [
        ("model.hidden=3", "unknown key; did you mean hidden_size?"),
        ("model.num_layers=0", "must be at least 1, not 0"),
        ("model.cell", "no value"),
        ("model=3", "it is a section"),
        ("training.steps=[", "not valid YAML"),
    ],
)
def test_an_error_in_an_assignment_names_the_assignment(assignment: str, expected: str) -> None:
    with pytest.raises(ConfigError) as caught:
        assigned(assignment)
    assert str(caught.value).startswith(f"--set {assignment}:")
    assert expected in str(caught.value)


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("model.hidden_size", 0, "`model.hidden_size=0`: must be at least 1"),
        ("model.dropout", float("nan"), "`model.dropout=nan`: must be a finite number"),
    ],
)
def test_an_error_in_a_flag_names_the_flag(key: str, value: float, expected: str) -> None:
    with pytest.raises(ConfigError) as caught:
        resolve(read_layers([], [], {key: value}))
    assert str(caught.value).startswith(expected)


def test_a_dumped_configuration_shows_every_key_and_loads_back_equal() -> None:
    config = resolve([from_yaml("data: {train: [a b.txt, 'no']}\nmodel: {cell: gru}", "a.yaml")])
    for text in (dump(config), dump(config, comments=True)):
        assert config_of(text) == config
    plain = yaml.safe_load(dump(config))
    assert {f"{s}.{k}" for s, keys in plain.items() if s != "task" for k in keys} == KEYS.keys() - {"task"}


def test_comments_of_a_dump_are_the_help_of_the_keys() -> None:
    assert "  # Size of the hidden state.\n  hidden_size: 256\n" in dump(Config(), comments=True)


@given(text=st.text(st.characters(exclude_categories=["Cs"])), number=st.floats(1e-300, 0.999))
def test_any_text_and_number_survive_a_dump(text: str, number: float) -> None:
    flags = {"data.train": (text, "x"), "data.label_separator": text, "training.warmup": number}
    config = resolve(read_layers([], [], flags))
    assert config_of(dump(config)) == config
    assert yaml.safe_load(dump(config))["data"]["label_separator"] == text


@given(st.one_of(st.text(), st.text("{}[]:,-#&*!|>'\"%@`? \n\tabc01.\\u")))
def test_any_text_is_a_configuration_or_a_configuration_error(text: str) -> None:
    try:
        outcome: object = config_of(text)
    except ConfigError as error:
        outcome = error
    assert isinstance(outcome, Config | ConfigError)


def test_a_damaged_configuration_of_a_run_is_an_error_of_the_model() -> None:
    assert load_run_config(dump(Config())) == Config()
    with pytest.raises(ModelError, match=r"config.yaml:1: model.hidden_size: must be at most 65,536"):
        load_run_config("model: {hidden_size: 1000000000000}")


def test_a_path_that_is_not_here_is_looked_for_beside_its_configuration(tmp_path, monkeypatch):
    (tmp_path / "project" / "data").mkdir(parents=True)
    (tmp_path / "here").mkdir()
    for name in ("project/data/a.tsv", "project/b.tsv", "project/both.tsv", "here/both.tsv"):
        (tmp_path / name).touch()
    text = "data: {train: [data/a.tsv, both.tsv, absent.tsv, '-'], valid: b.tsv, label_separator: data}"
    (tmp_path / "project" / "x.yaml").write_text(text)
    monkeypatch.chdir(tmp_path / "here")
    data = resolve([read_file("../project/x.yaml")]).data
    assert data.train == ("../project/data/a.tsv", "both.tsv", "absent.tsv", "-")
    assert (data.valid, data.label_separator) == (("../project/b.tsv",), "data")
    monkeypatch.chdir(tmp_path / "project")
    assert resolve([read_file("x.yaml")]).data.train[0] == "data/a.tsv"
