"""What a training command line comes down to, and what of it is refused because it would change nothing."""

from __future__ import annotations

import json

import pytest

from seqrnn.catalog import SOURCES, TASKS, load
from seqrnn.config import KEYS
from seqrnn.config_file import from_flags, from_yaml
from seqrnn.config_text import dump
from seqrnn.data.fields.source_kind import kind_named
from seqrnn.errors import UsageError
from seqrnn.library.plan import continued, plan_training
from seqrnn.run.directory import RunDirectory

FILES = {
    "labels.tsv": "".join(f"a b c {i}\t{'xy'[i % 2]}\n" for i in range(20)),
    "tags.conll": "a X\nb Y\n\n" * 10,
    "pairs.tsv": "".join(f"a b {i}\tc d e f g {i}\n" for i in range(20)),
    "long.txt": "One long text.\nAnd another line of it.\n" * 10,
    "notes.jsonl": json.dumps({"notes": [[1, 2], [3]]}) + "\n",
    "numbers.jsonl": "".join(json.dumps({"vector": [i, 2], "label": i / 7}) + "\n" for i in range(20)),
}
IDLE = [
    ("labels.tsv", {"model.attention": "mlp"}, "`model.attention=mlp`: has no effect on classification"),
    ("labels.tsv", {"data.keys": 40}, r"`data.keys=40`: has no effect on text \(only on notes"),
    (
        "labels.tsv",
        {"data.normalize": False},
        r"`data.normalize=false`: has no effect on text \(only on image",
    ),
    ("labels.tsv", {"data.over_length": "skip"}, "`data.over_length` skip needs .* add `data.max_tokens`"),
    ("labels.tsv", {"data.label_separator": ";"}, "`data.label_separator` .* add `data.multi_label=true`"),
    ("tags.conll", {"model.pooling": "mean"}, r"`model.pooling=mean`: has no effect on tagging \(only on"),
    (
        "pairs.tsv",
        {"training.class_weights": "balanced"},
        "`training.class_weights=balanced`: has no effect on seq",
    ),
    (
        "long.txt",
        {"model.bidirectional": True},
        "`model.bidirectional=true`: has no effect on language",
    ),
    ("tags.conll", {"data.holdout": "stratified"}, "`data.holdout` stratified .* of which tagging has none"),
    (
        "notes.jsonl",
        {"model.bidirectional": True},
        "`model.bidirectional=true`: has no effect on poly",
    ),
    (
        "numbers.jsonl",
        {"model.output_layer": "crf"},
        "`model.output_layer=crf`: has no effect on regr",
    ),
]


@pytest.fixture
def plan(tmp_path):
    """Plan a training on one of the files, with some settings of the user's."""
    for name, content in FILES.items():
        (tmp_path / name).write_text(content)
    return lambda name, settings: plan_training(
        [from_flags({"data.train": (str(tmp_path / name),), **settings})]
    )


@pytest.mark.parametrize(("name", "settings", "words"), IDLE)
def test_a_setting_that_changes_nothing_is_refused(plan, name, settings, words):
    with pytest.raises(UsageError, match=f"^{words}"):
        plan(name, settings)


@pytest.mark.parametrize(("name", "settings", "words"), IDLE)
def test_its_default_may_be_written_down(plan, name, settings, words):
    plan(name, {key: KEYS[key].default for key in settings})


@pytest.mark.parametrize("name", FILES)
def test_all_settings_that_are_printed_can_be_given(plan, name, tmp_path):
    config = plan(name, {}).config
    (tmp_path / "all.yaml").write_text(dump(config))
    layer = from_yaml((tmp_path / "all.yaml").read_text(), "all.yaml")
    assert plan_training([layer]).config == config


def test_the_settings_of_another_run_are_not_the_users(plan, tmp_path):
    given = from_flags({"data.train": (str(tmp_path / "labels.tsv"),)})
    plan("labels.tsv", {})
    begun = from_flags({"model.attention": "mlp"})
    assert plan_training([given], begun).config.model.attention == "mlp"


def test_what_a_task_or_a_kind_of_data_names_is_a_key():
    for keys in [load(path).settings for path in TASKS.values()] + [
        kind_named(name).settings for name in SOURCES
    ]:
        assert keys <= KEYS.keys()


def test_a_classifier_holds_out_by_label_and_a_run_from_before_that_as_it_did(plan, train, monkeypatch):
    assert plan("labels.tsv", {}).config.data.holdout == "stratified"
    assert plan("pairs.tsv", {}).config.data.holdout == "sources"
    _, run = train("tsv")  # with the schema's defaults, as runs had them
    assert plan_training([], continued(run, [])).config.data.holdout == "examples"
    text = (run / "config.yaml").read_text()
    older = "".join(line for line in text.splitlines(keepends=True) if "holdout" not in line)
    monkeypatch.setattr(RunDirectory, "read_text", lambda self, name: older)
    assert plan_training([], continued(run, [])).config.data.holdout == "examples"
    changed = [from_flags({"data.holdout": "stratified"})]
    with pytest.raises(
        UsageError, match=r"`data.holdout=stratified`: cannot change in a run that is resumed"
    ):
        continued(run, changed)


@pytest.mark.parametrize(
    ("settings", "rate"),
    [
        ({}, 7.5e-3),
        ({"model.hidden_size": 64}, 7.5e-3),
        ({"model.hidden_size": 1280}, 1.2e-3),
        ({"model.num_layers": 4}, 3.7e-3),
        ({"model.hidden_size": 1280, "training.learning_rate": 5e-3}, 5e-3),
        ({"training.batch_size": 54}, 1.1e-2),
        ({"training.batch_size": 24, "training.accumulate": 16}, 1.5e-2),
        ({"training.batch_size": 8}, 7.5e-3),
    ],
)
def test_the_learning_rate_falls_with_the_network_and_grows_with_the_batch(tmp_path, settings, rate):
    path = tmp_path / "long.txt"
    path.write_text(FILES["long.txt"])
    plan = plan_training([from_flags({"data.train": (str(path),), **settings})])
    assert plan.config.training.learning_rate == rate
    told = [line for line in plan.decisions() if line.startswith("learning rate")]
    mine = "training.learning_rate" in settings
    assert bool(told) == (rate != 7.5e-3 and not mine)
    assert plan.config.training.warmup_updates == (0 if mine else 40)
    assert plan.config.training.rate_horizon == (0 if mine else 12_000)
    given = {**settings, "data.train": (str(path),), "training.warmup": 0.1}
    assert plan_training([from_flags(given)]).config.training.warmup_updates == 0
