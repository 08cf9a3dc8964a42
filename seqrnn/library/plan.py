"""What a training command line comes down to: one configuration, complete and checked."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from seqrnn.catalog import SOURCES, TASKS, load
from seqrnn.config import KEYS, Config, DataConfig, changed, value_of
from seqrnn.config_file import Layer, Setting, from_defaults, from_flags, from_yaml, load_run_config, resolve
from seqrnn.data.fields.source_kind import kind_named
from seqrnn.data.formats.folder_listing import parts_of
from seqrnn.data.several_files import files_named
from seqrnn.data.source import Source, spool
from seqrnn.data.text.tokenizer_defaults import TokenizerDefaults, choose_tokenizer_defaults
from seqrnn.data.wording import listed
from seqrnn.errors import ModelError, UsageError
from seqrnn.inference import Inference, infer
from seqrnn.library.default_rate import HORIZON, with_default_rate
from seqrnn.library.prepared import FILE_KEYS, SETTINGS, PreparedDirectory, is_prepared
from seqrnn.metrics.bleu_tokenizer import check_bleu_tokenizer
from seqrnn.run.directory import RunDirectory
from seqrnn.run.manifest import CONFIG
from seqrnn.tasks.task import Task

TEST = frozenset({"data.test", "data.test_source", "data.test_target"})
CHANGEABLE = frozenset(key for key in KEYS if key.startswith("training.")) - {"training.seed"} | TEST
"""Keys that a resumed training may set anew; the seed has split the data."""

LIMITS = frozenset({"training.budget", "training.epochs", "training.steps"})
"""How long a training lasts."""

FILES = (
    *("train", "valid", "test", "source", "target"),
    *("valid_source", "valid_target", "test_source", "test_target"),
)
"""Keys of the data section that name files."""

SHOWN = 3  # files that a line names

VECTORS = frozenset({"model.embeddings", "model.freeze_embeddings"})
VOCABULARY = frozenset(
    f"data.{name}"
    for name in (
        *("tokenizer", "pretokenized", "lowercase", "unicode_form", "min_count", "vocabulary_size"),
        *("target_tokenizer", "target_pretokenized", "target_vocabulary_size"),
    )
)
INHERITED = frozenset({"task", *(key for key in KEYS if key.startswith("model."))}) - VECTORS | VOCABULARY
"""Keys that a training takes over from the run whose weights it starts from."""


OF_OLDER_RUNS: Mapping[str, Any] = {"data.holdout": "examples", "model.ngram_buckets": 0}
"""What a run did from before there was a choice, whatever its task prefers now."""


@dataclass(frozen=True)
class Plan:
    """A resolved configuration; `readable` is the same with stdin replaced by a copy of it on disk."""

    config: Config
    readable: Config
    inferred: Inference | None
    tokens: str = ""
    """What a token is and why, in one line; nothing where the data have none or the run has decided it."""
    rate: str = ""
    """The learning rate and why, where it is not the default."""
    prepared: PreparedDirectory | None = None
    """The prepared data that are read instead of files; nothing is inferred then."""
    given: frozenset[str] = frozenset()
    """The keys of the settings that the user has given."""

    @property
    def inference(self) -> Inference:
        """What was told from the files. Raises UsageError where these were prepared, and are not there."""
        if self.inferred is None:
            what = "is prepared data, to train on"
            raise UsageError(f"{self.config.data.train[0]}: {what}; give the files that it was made from")
        return self.inferred

    def task(self) -> Task:
        """Make the task."""
        return task_of(self.readable)

    def decisions(self) -> list[str]:
        """Return what was decided, and why, a line each."""
        told = self.inferred.lines() if self.inferred else []
        if self.prepared is not None:
            files = listed(self.prepared.made_from, SHOWN)
            told = [f"{self.config.task}: prepared in {self.prepared.path} from {files}"]
        return list(filter(None, (*told, self.tokens, f"shape: {self.task().shape()}", self.rate)))


def task_of(config: Config) -> Task:
    """Make the task of a configuration."""
    task: Task = load(TASKS[config.task])(config)
    return task


def continued(run: Path, layers: list[Layer]) -> Layer:
    """Return the settings of the run that is resumed, over which those of the user are laid.

    A new limit of its length replaces all that it had. Raises UsageError for a setting that would change
    the data or the model, and ModelError where the run names a device or a pipe that the user does not.
    """
    begun = _settings_of(run)
    for layer in layers:
        for key, setting in layer.items():
            value = begun[key].value if key in begun else KEYS[key].default
            if key not in CHANGEABLE and setting.value != value:
                raise UsageError(
                    f"{setting.origin}: cannot change in a run that is resumed, it is {value}; "
                    "leave it out, or start anew with `init_from`"
                )
    named = set().union(*layers)
    for key in (*(f"data.{name}" for name in FILES), "model.embeddings"):
        if key in begun and key not in named:
            _check_files(run, begun[key].value)
    if LIMITS & named:
        begun = {key: setting for key, setting in begun.items() if key not in LIMITS}
    return begun


def _check_files_given(data: DataConfig) -> None:
    """Refuse files that do not go together, and standard input for two things, before anything is read."""
    Source.validation(data)
    Source.test(data)
    names = [getattr(data, name) for name in FILES]
    if sum("-" in name if isinstance(name, tuple) else name == "-" for name in names) > 1:
        raise UsageError("- is standard input, which can be read once; name a file for the other data")


def _check_files(run: Path, names: Any) -> None:
    """Refuse what a run from elsewhere might want read: a device may never end, a pipe never begin."""
    for name in files_named(names) if isinstance(names, tuple) else (names,):
        if not isinstance(name, str) or name == "-" or os.path.isdir(name):
            continue
        if os.path.exists(name) and not os.path.isfile(name):
            what = f"its data are in {name}, which is not a regular file"
            raise ModelError(f"{run / 'config.yaml'}: {what}; name it on the command line if that is right")


def inherited(parent: Path) -> Layer:
    """Return the settings that the weights of another run are made for.

    A short training does not take a higher learning rate then, which would undo what they have learnt.
    """
    found = {key: setting for key, setting in _settings_of(parent).items() if key in INHERITED}
    return {**found, HORIZON: Setting(0, str(parent))}


def _settings_of(run: Path) -> Layer:
    """Return the settings of a run. Raises ModelError where they are none, or do not go together."""
    name = str(run / CONFIG)
    text = RunDirectory.open(run).read_text(CONFIG)
    config = load_run_config(text, name)
    layer = from_yaml(text, name)
    layer = {key: Setting(value, name) for key, value in OF_OLDER_RUNS.items()} | layer
    try:
        load(TASKS[config.task])(config)
        _check(config, set())
    except UsageError as error:
        raise ModelError(f"{name}: {error}") from error
    return layer


def plan_training(own: list[Layer], begun: Layer | None = None) -> Plan:
    """Look at the data, choose the task if nobody did, and fill in what that task prefers.

    The user's `own` settings are laid over those of the run that is gone on from, if there is one.
    Raises UsageError and ConfigError for what does not go together, DataError for data of no use.
    """
    layers = [begun or {}, *own]
    asked = resolve(layers)
    if is_prepared(asked.data):
        return _plan_of_prepared(PreparedDirectory.open(Path(asked.data.train[0])), begun or {}, own)
    _check_files_given(asked.data)
    given = {key for layer in layers for key in layer}
    parts = _parts_of_folder(asked)
    asked = resolve([begun or {}, *own, from_flags(parts.settings)])
    source = spool(Source.training(asked.data))
    found = infer(source, _task_asked_for(asked, given), given)
    found = replace(found, notes=(*parts.told, *found.notes))
    task = load(TASKS[found.task])
    decided = {**found.settings, **parts.settings}
    if not given & LIMITS:
        decided["training.epochs"] = task.default_epochs
    defaults = task.defaults_for(found.source_kind)
    tokens = TokenizerDefaults()
    if "data.tokenizer" not in (begun or {}):  # a run from before there was a choice keeps its words
        asked = resolve([from_defaults(defaults), *layers, from_flags(decided)])
        tokens = choose_tokenizer_defaults(asked, given, task.tokens, found.source)
        defaults = task.defaults_for(found.source_kind, tokens.writes_sentences)
        decided |= tokens.settings
    config = resolve([from_defaults(defaults), *layers, from_flags(decided)])
    config, rate = with_default_rate(config, defaults, given)
    if config.data.holdout not in task.holdouts:
        what = f"`data.holdout` {config.data.holdout} goes by the labels of examples"
        raise UsageError(f"{what}, of which {config.task} has none; leave it out")
    check_bleu_tokenizer(config.training.bleu_tokenizer)
    _check(config, {key for layer in own for key in layer})
    _refuse_idle(config, own, config.task, _settings_of_tasks())
    _refuse_idle(config, own, config.data.source_kind, _settings_of_kinds())
    readable = _with_paths(config, source)
    return Plan(config, readable, found, tokens.told, rate, given=frozenset(given))


def _plan_of_prepared(prepared: PreparedDirectory, begun: Layer, own: list[Layer]) -> Plan:
    """Lay settings over those of prepared data. Raises UsageError for one that would change the data."""
    layers = [begun, *own]
    given = frozenset().union(*layers)
    for layer in layers:
        for key, setting in layer.items():
            _refuse_change(prepared, key, setting)
    base = {key: setting for key, setting in prepared.layer.items() if key not in FILE_KEYS}
    if LIMITS & given:
        base = {key: setting for key, setting in base.items() if key not in LIMITS}
    files = {"data.train": (str(prepared.path),), "data.source": None, "data.target": None}
    try:
        config = resolve([base, *layers, from_flags(files)])
        usual = {key: setting.value for key, setting in base.items()}
        config, rate = with_default_rate(config, usual, given)
        kind_named(config.data.source_kind)
        task_of(config)
    except KeyError as error:
        raise ModelError(
            f"{prepared.path / SETTINGS}: {error} is undecided; prepare the data again"
        ) from error
    check_bleu_tokenizer(config.training.bleu_tokenizer)
    _check(config, {key for layer in own for key in layer})
    _refuse_idle(config, own, config.task, _settings_of_tasks())
    return Plan(config, config, None, rate=rate, prepared=prepared, given=given)


def _refuse_change(prepared: PreparedDirectory, key: str, setting: Setting) -> None:
    if key in FILE_KEYS | TEST or not (key == "task" or key.startswith("data.") or key == "training.seed"):
        return
    value = value_of(prepared.config, key)
    if setting.value in (value, "auto") or (key == "training.seed" and not prepared.is_divided_by_seed):
        return
    what = f"cannot change in prepared data, it is {value} in {prepared.path}"
    raise UsageError(f"{setting.origin}: {what}; leave it out, or prepare the data again")


@dataclass(frozen=True)
class _Parts:
    """The files to train and to validate on, where a folder holds both; and what to say of it."""

    settings: Mapping[str, Any] = field(default_factory=dict)
    told: tuple[str, ...] = ()


def _parts_of_folder(asked: Config) -> _Parts:
    """Of a folder that holds the parts of a data set take each for what its name says."""
    data = asked.data
    path = data.train[0] if len(data.train) == 1 else ""
    parts = parts_of(path) if os.path.isdir(path) else {}
    if "train" not in parts:
        return _Parts()  # without one, reading it will say so
    inside = {part: os.path.join(path, name) for part, name in parts.items()}
    settings: dict[str, Any] = {"data.train": (inside["train"],)}
    told = f"parts: of {path} it is {inside['train']} to train on"
    if "valid" in inside and not (data.valid or data.valid_source):
        settings["data.valid"] = (inside["valid"],)
        told += f", {inside['valid']} to validate on"
    if "test" in inside and not (data.test or data.test_source):
        settings["data.test"] = (inside["test"],)
        told += f", {inside['test']} to test on at the end"
    return _Parts(settings, (told,))


def _task_asked_for(asked: Config, given: set[str]) -> str | None:
    """Return the task that the user named, or that alone fits what was named."""
    if "task" in given:
        return asked.task
    return {"label": "seq2seq", "none": "language-model"}.get(asked.data.source_kind)


def _with_paths(config: Config, source: Source) -> Config:
    """Read the training data from where `source` says."""
    if source.target_path is not None:
        return changed(config, {"data.source": source.paths[0], "data.target": source.target_path})
    return changed(config, {"data.train": source.paths})


def _check(config: Config, own: set[str]) -> None:
    """Refuse what each key allows but the keys together do not; `own` are those that the user has set."""
    data, model, training = config.data, config.model, config.training
    if data.lengths == "blank" and data.max_tokens is None:
        raise UsageError("`data.lengths=blank` pads to a fixed length; give it with `data.max_tokens`")
    if model.freeze_embeddings and model.embeddings is None:
        raise UsageError(
            "`model.freeze_embeddings=true` keeps vectors as they are; give them with `model.embeddings`"
        )
    if data.over_length != "truncate" and data.max_tokens is None:
        raise UsageError(
            f"`data.over_length` {data.over_length} needs to know what is long; add `data.max_tokens`"
        )
    if data.label_separator != "," and not data.multi_label:
        raise UsageError("`data.label_separator` cuts several labels apart; add `data.multi_label=true`")
    held_out = data.valid or data.valid_source or data.valid_fraction > 0
    if not held_out and ({"training.early_stopping"} & own or training.schedule == "plateau"):
        raise UsageError(
            "`training.early_stopping` and `training.schedule=plateau` need validation data; give "
            "`data.valid`"
        )


def _refuse_idle(config: Config, own: list[Layer], here: str, settings: Mapping[str, frozenset[str]]) -> None:
    """Raise UsageError for the first of the user's settings that is not one of `here`, but of others."""
    idle = _idle(here, settings)
    for key, setting in ((key, layer[key]) for layer in own for key in layer if key in idle):
        if value_of(config, key) != KEYS[key].default:
            there = ", ".join(name for name, keys in settings.items() if key in keys)
            raise UsageError(f"{setting.origin}: has no effect on {here} (only on {there}); remove it")


def settings_for(config: Config) -> list[str]:
    """Return the keys that say something to the task and the data of a configuration, in their order."""
    idle = _idle(config.task, _settings_of_tasks()) | _idle(config.data.source_kind, _settings_of_kinds())
    return [key for key in KEYS if key not in idle]


def _settings_of_tasks() -> Mapping[str, frozenset[str]]:
    return {name: load(path).settings for name, path in TASKS.items()}


def _settings_of_kinds() -> Mapping[str, frozenset[str]]:
    return {name: kind_named(name).settings for name in SOURCES}


def _idle(here: str, settings: Mapping[str, frozenset[str]]) -> frozenset[str]:
    """Return the keys that say something to others alone."""
    return frozenset().union(*settings.values()) - settings.get(here, frozenset())
