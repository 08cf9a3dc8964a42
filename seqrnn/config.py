"""The schema of a configuration: every key, its default, its help, its flag.

One field here is one key in YAML, one `--set section.key=value` and, where
`flag` is given, one command-line option. How a YAML file becomes a `Config`
is in `config_file.py`.
"""

import codecs
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from encodings.aliases import aliases
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args, get_origin

from msgspec import Struct

from seqrnn.catalog import (
    ATTENTIONS,
    BRIDGES,
    CELLS,
    FORMATS,
    HEADS,
    POOLINGS,
    SOURCES,
    TASKS,
    BleuTokenizer,
)

if TYPE_CHECKING:
    AttentionName: TypeAlias = str
    BridgeName: TypeAlias = str
    CellName: TypeAlias = str
    HeadName: TypeAlias = str
    PoolingName: TypeAlias = str
    TaskName: TypeAlias = str
    FormatName: TypeAlias = str
    SourceName: TypeAlias = str
else:  # a type checker cannot know the names of a catalogue
    AttentionName = Literal[(*ATTENTIONS, "none")]
    BridgeName = Literal[tuple(BRIDGES)]
    CellName = Literal[tuple(CELLS)]
    HeadName = Literal[tuple(HEADS)]
    PoolingName = Literal[tuple(POOLINGS)]
    TaskName = Literal[tuple(TASKS)]
    FormatName = Literal[("auto", *FORMATS)]
    SourceName = Literal[("auto", *SOURCES)]

Holdout: TypeAlias = Literal["examples", "sources", "stratified"]

LARGEST = 1_000_000_000  # of what is counted, so that no sum of counts leaves 64 bits
MAX_LENGTH = 1 << 24  # tokens: a line has at most as many bytes


OF_NO_FILES = frozenset({"idna", "punycode", "undefined", "unicode-escape", "raw-unicode-escape"})
"""Encodings of Python that are no encodings of text files."""


def key(default: Any, help: str, flag: str | None = None, **declared: Any) -> Any:
    """Declare a configuration key; `flag` is its command-line spelling, the rest are attributes of `Key`."""
    return field(default=default, metadata={"help": help, "flag": flag, **declared})


def _wrong_encoding(name: str) -> str | None:
    """What is wrong with the name of an encoding that is none of texts; None: nothing."""
    try:
        codec = codecs.lookup("utf-8" if name == "auto" else name)
        known = codec._is_text_encoding and codec.incrementaldecoder is not None
    except (LookupError, ValueError):  # ValueError: a name that holds a NUL
        known = False
    if known and codec.name not in OF_NO_FILES:
        return None
    from difflib import get_close_matches

    near = get_close_matches(name.lower(), [*aliases, *aliases.values()], n=1)
    advice = f"did you mean {near[0]}?" if near else "give one such as utf-16, cp1252 or shift_jis"
    return f"no encoding of that name; {advice}"


class Section:
    """A group of keys: a frozen dataclass. How a value is checked is in `config_check.py`."""


@dataclass(frozen=True)
class DataConfig(Section):
    """What to read, and how it becomes numbers."""

    train: tuple[str, ...] = key((), "Files to train on.", names_file=True)
    valid: tuple[str, ...] = key((), "Files to validate on.", "--valid", names_file=True)
    source: str | None = key(None, "Source side of parallel training files.", "--src", names_file=True)
    target: str | None = key(None, "Target side of parallel training files.", "--tgt", names_file=True)
    valid_source: str | None = key(
        None, "Source side of parallel validation files.", "--valid-src", names_file=True
    )
    valid_target: str | None = key(
        None, "Target side of parallel validation files.", "--valid-tgt", names_file=True
    )
    test: tuple[str, ...] = key(
        (), "Test files, on which the best weights are evaluated at the end.", "--test", names_file=True
    )
    test_source: str | None = key(None, "Source side of parallel test files.", "--test-src", names_file=True)
    test_target: str | None = key(None, "Target side of parallel test files.", "--test-tgt", names_file=True)
    valid_fraction: float = key(
        0.1,
        "Fraction held out for validation if no validation file is given: the last part of a text, or "
        "a seeded random sample of the examples (of each label, for a classifier).",
        "--valid-fraction",
        ge=0.0,
        lt=1.0,
    )
    format: FormatName = key(
        "auto",
        "File format. text: one long text; lines: one example per line; conll and conllu: one token "
        "per line; "
        "npz: NumPy arrays; folder: a sub-folder per class.",
        "--format",
    )
    text_column: str | None = key(
        None,
        "Column (name, or number from 1) or JSON field of the text; several, separated by commas, are read "
        "as one text.",
        "--text-col",
    )
    label_column: str | None = key(
        None,
        "Column (name, or number from 1) or JSON field of the label; several, separated by commas, are "
        "columns of 0 and 1, one per label.",
        "--label-col",
    )
    series_column: str | None = key(
        None, "Column with the id of the series that a row of numbers belongs to.", "--series-col"
    )
    time_column: str | None = key(
        None, "Column that orders the rows of a series (default: their order in the file).", "--time-col"
    )
    date_order: Literal["auto", "day-first", "month-first"] = key(
        "auto",
        "Whether day or month comes first in dates such as 03/04/2024; auto looks at the data.",
        "--date-order",
    )
    decimal_mark: Literal["auto", "point", "comma"] = key(
        "auto",
        "What stands before the fraction of numbers such as 1,018, which can be read in two ways, in files "
        "that do not show it.",
        "--decimal-mark",
    )
    sentence_column: str | None = key(
        None,
        "Column with the id of the sentence, in a table with one token per row; a blank cell repeats the id "
        "above it. -: sentences are separated by blank rows.",
        "--sentence-col",
    )
    feature_columns: tuple[str, ...] = key(
        (),
        "Numeric columns that the model reads; empty: all except labels, series and time.",
    )
    delimiter: Literal["auto", "comma", "semicolon", "tab", "bar"] = key(
        "auto", "Column separator of CSV files.", "--delimiter"
    )
    tag_scheme: Literal["auto", "bio", "bioes", "none"] = key(
        "auto",
        "Scheme of the tags: spans in BIO (IOB1, IOB2) or BIOES (BILOU, BMES), or none; auto looks "
        "at the tags.",
        "--tag-scheme",
    )
    header: Literal["auto", "yes", "no"] = key("auto", "Whether tables start with a header line.", "--header")
    text_in: Literal["auto", "cells", "files"] = key(
        "auto",
        "Whether the cells of a table hold the texts themselves or paths of text files; auto: paths if the "
        "files exist.",
        "--text-in",
    )
    multi_label: bool = key(False, "An example may have several labels, or none.", "--multi-label")
    label_separator: str = key(
        ",", "Separator between the labels of an example (multi-label data).", "--label-separator"
    )
    encoding: str = key(
        "auto",
        "Text encoding: auto (UTF-8, or UTF-16 with a byte-order mark), or a name such as cp1252, latin-1 "
        "or shift_jis.",
        "--encoding",
        wrong=_wrong_encoding,
    )
    encoding_errors: Literal["strict", "replace"] = key(
        "strict", "What to do with bytes that the encoding cannot decode.", "--encoding-errors"
    )
    tokenizer: Literal["auto", "word", "char", "byte", "bpe"] = key(
        "auto",
        "Token unit. auto: characters for language models, single-word inputs and scripts without spaces; "
        "byte pairs or words otherwise, by how many held-out words would be unknown.",
        "--tokenizer",
    )
    target_tokenizer: Literal["auto", "word", "char", "byte", "bpe"] = key(
        "auto",
        "Token unit of the targets. auto: byte pairs for sentences, words if there are few distinct ones, "
        "characters for single words and scripts without spaces.",
        "--target-tokenizer",
    )
    pretokenized: Literal["auto", "yes", "no"] = key(
        "auto",
        "Whether tokens are already separated by spaces; if not, `data.tokenizer=word` splits off "
        "punctuation. "
        "auto looks at the punctuation of the data.",
        "--pretokenized",
    )
    target_pretokenized: Literal["auto", "yes", "no"] = key(
        "auto",
        "The same for the targets, whose original spacing is kept.",
        "--target-pretokenized",
    )
    source_kind: SourceName = key(
        "auto",
        "Kind of input: text, label (a single token), image, vector, vectors (one per time step), notes "
        "(of music, per step), or none (a language model); auto looks at the data.",
        "--source",
    )
    normalize: bool = key(
        True,
        "Normalize each feature of vectors, and each channel of images, to mean 0 and standard deviation 1, "
        "measured on the training data.",
        "--normalize/--raw",
    )
    image_size: int = key(
        32, "Width and height, in pixels, that images are resized to.", "--image-size", ge=8, le=1024
    )
    keys: int = key(
        88, "Number of keys of the instrument; notes are numbered from 0.", "--keys", ge=1, le=65_536
    )
    transpose: int = key(
        0,
        "Data augmentation: transpose music by up to this many keys, up or down, anew in each epoch.",
        "--transpose",
        ge=0,
        le=65_536,
    )
    holdout: Holdout = key(
        "examples",
        "Unit of the validation split: examples, sources (with all their targets), or stratified (the same "
        "fraction of each label).",
        "--holdout",
    )
    lowercase: bool = key(False, "Lower-case the text before it is split.", "--lowercase")
    unicode_form: Literal["none", "nfc", "nfd", "nfkc", "nfkd"] = key(
        "none",
        "Unicode normalization of the input; nfd decomposes accented letters and Hangul syllables.",
        "--unicode",
    )
    min_count: int = key(1, "Tokens seen less often become <unk>.", "--min-count", ge=1, le=LARGEST)
    vocabulary_size: int = key(
        50_000,
        "Maximum vocabulary size; the default for byte pairs depends on the data.",
        "--vocabulary-size",
        ge=5,
        le=10_000_000,
    )
    target_vocabulary_size: int | None = key(
        None,
        "The same for the targets (default: as for the source, or by the data).",
        "--target-vocabulary-size",
        ge=5,
        le=10_000_000,
    )
    max_tokens: int | None = key(
        None,
        "Maximum length of an example, in tokens (default: no limit).",
        "--max-tokens",
        ge=1,
        le=MAX_LENGTH,
    )
    over_length: Literal["truncate", "skip", "error"] = key(
        "truncate", "What to do with examples longer than max-tokens.", "--over-length"
    )
    lengths: Literal["auto", "blank", "dynamic"] = key(
        "auto",
        "blank: pad every sequence to max-tokens; dynamic: finished sequences cost no computation.",
        "--lengths",
    )


@dataclass(frozen=True)
class ModelConfig(Section):
    """The network."""

    cell: CellName = key("lstm", "Recurrent cell.", "--cell")
    num_layers: int = key(1, "Number of recurrent layers.", "--layers", ge=1, le=64)
    hidden_size: int = key(256, "Size of the hidden state.", "--hidden-size", ge=1, le=65_536)
    embedding_size: int = key(128, "Size of the token embeddings.", "--embedding-size", ge=1, le=65_536)
    bidirectional: bool = key(
        False, "Run the recurrent layers in both directions.", "--bidirectional/--unidirectional"
    )
    dropout: float = key(0.0, "Dropout between layers.", "--dropout", ge=0.0, lt=1.0)
    embedding_dropout: float = key(
        0.0, "Dropout of the input vectors.", "--embedding-dropout", ge=0.0, lt=1.0
    )
    word_dropout: float = key(
        0.0, "Probability that training replaces an input token with <unk>.", "--word-dropout", ge=0.0, lt=1.0
    )
    tie_embeddings: bool = key(
        False,
        "Share the weights of input embeddings and output layer.",
        "--tie-embeddings/--untied-embeddings",
    )
    embeddings: str | None = key(
        None, "Text file of pretrained word vectors.", "--embeddings", names_file=True
    )
    freeze_embeddings: bool = key(False, "Keep the embeddings fixed.", "--freeze-embeddings")
    pooling: PoolingName = key("last", "Pooling of the hidden states (classifiers).", "--pooling")
    ngram_buckets: int = key(
        0,
        "Buckets for hashed n-grams of tokens and characters, whose scores are added to those of the "
        "recurrent network (classifiers of text); 0: off.",
        "--ngram-buckets",
        ge=0,
        le=1 << 24,
    )
    ngram_dropout: float = key(0.3, "Share of the n-grams that training leaves out.", ge=0.0, lt=1.0)
    head: HeadName = key(
        "linear",
        "Classifier head on the pooled hidden state: one linear layer, or an MLP.",
        "--head",
    )
    attention: AttentionName = key(
        "general",
        "Attention of the decoder over the encoder states; none: it sees only the last state.",
        "--attention",
    )
    entry: BridgeName = key(
        "state",
        "How the encoded input reaches the decoder: as its initial state, or as its first input, "
        "before <bos>.",
        "--entry",
    )
    channels: int = key(
        48,
        "Channels of the first convolutional block; each further block has twice as many.",
        "--channels",
        ge=1,
        le=4096,
    )
    scheduled_sampling: float = key(
        0.0,
        "Probability that a decoder input is the model's own prediction in training (scheduled sampling).",
        "--scheduled-sampling",
        ge=0.0,
        le=1.0,
    )
    output_layer: Literal["auto", "softmax", "crf"] = key(
        "auto",
        "Output layer of a tagger: softmax per token, or a CRF over the sequence (auto: crf if tags "
        "mark spans).",
        "--output-layer",
    )
    character_size: int = key(
        100,
        "Hidden size of a tagger's character network; 0: off.",
        "--character-size",
        ge=0,
        le=65_536,
    )
    character_embedding_size: int = key(50, "Size of the character embeddings.", ge=1, le=65_536)


AMOUNT = r"[0-9]{1,6}(\.[0-9]{1,3})?"
BUDGET = rf"(?=.*[1-9])({AMOUNT}d ?)?({AMOUNT}h ?)?({AMOUNT}m ?)?({AMOUNT}s)?(?<! )"
"""A time of more than nothing in days, hours, minutes and seconds, such as 1h30m."""


@dataclass(frozen=True)
class TrainingConfig(Section):
    """How the network learns, and for how long."""

    budget: str | None = key(
        None,
        "Time budget, such as 90s, 10m, 1.5h or 1h30m; the learning-rate schedule ends with it. A model of a "
        "long text takes a size that this machine can train in that time, unless one is given.",
        "--budget",
        pattern=BUDGET,
    )
    epochs: float | None = key(None, "Number of epochs.", "--epochs", gt=0, le=LARGEST)
    steps: int | None = key(None, "Number of updates.", "--steps", ge=1, le=LARGEST)
    batch_size: int = key(
        32, "Batch size, in examples or streams of a text.", "--batch-size", ge=1, le=65_536
    )
    batch_tokens: int = key(
        4096,
        "Maximum number of tokens in a batch of examples, padding included.",
        "--batch-tokens",
        ge=1,
        le=MAX_LENGTH,
    )
    segment_length: int = key(
        64,
        "Segment length of truncated back-propagation through time, in tokens (long texts).",
        "--segment-length",
        ge=1,
        le=65_536,
    )
    restart_every: int = key(
        0,
        "Segments after which a training goes on from an empty state, as an answer does (long texts); 0: "
        "only where the text begins.",
        "--restart-every",
        ge=0,
        le=LARGEST,
    )
    optimizer: Literal["adamw", "sgd"] = key("adamw", "Optimizer.", "--optimizer")
    learning_rate: float = key(
        2e-3,
        "Peak learning rate. Unless it is given, large networks take a lower one, and trainings of few "
        "updates up to 4 times as much.",
        "--learning-rate",
        gt=0.0,
        le=1e30,
    )
    rate_horizon: int = key(
        0,
        "Updates of a training for which the learning rate is right: one of fewer takes a higher rate, up "
        "to 4 times that (cosine and linear schedules). 0: the rate as it is, which is the default where a "
        "learning rate is given.",
        ge=0,
        le=1_000_000,
    )
    momentum: float = key(0.9, "Momentum of SGD.", ge=0.0, lt=1.0)
    weight_decay: float = key(0.01, "Weight decay.", "--weight-decay", ge=0.0, le=1e30)
    schedule: Literal["cosine", "linear", "plateau", "constant"] = key(
        "cosine", "Learning-rate schedule after the warm-up.", "--schedule"
    )
    warmup: float = key(
        0.02, "Fraction of the training in which the learning rate rises.", "--warmup", ge=0.0, lt=1.0
    )
    warmup_updates: int = key(
        0,
        "Fewest updates in which the learning rate rises, in a fifth of the training at most (default: 40; 0 "
        "where a learning rate is given).",
        "--warmup-updates",
        ge=0,
        le=1_000_000,
    )
    average: float = key(
        0.0,
        "Decay of an exponential moving average of the weights, which is evaluated and saved; 0: off.",
        "--average",
        ge=0.0,
        lt=1.0,
    )
    clip: float = key(1.0, "Gradient clipping: maximum norm; 0: off.", "--clip", ge=0.0, le=1e30)
    accumulate: int = key(1, "Gradient accumulation: batches per update.", "--accumulate", ge=1, le=65_536)
    label_smoothing: float = key(0.0, "Label smoothing.", "--label-smoothing", ge=0.0, lt=1.0)
    sampled_tokens: int = key(
        2048,
        "Tokens drawn to estimate the loss of a batch, where the vocabulary has 4,096 or more (language "
        "models, on a CPU); 0: the exact loss. Evaluations are exact.",
        "--sampled-tokens",
        ge=0,
        le=1 << 20,
    )
    class_weights: Literal["none", "balanced"] = key(
        "none", "balanced: weight classes inversely to their frequency.", "--class-weights"
    )
    early_stopping: int | None = key(
        None,
        "Stop after this many evaluations without a better metric.",
        "--early-stopping",
        ge=1,
        le=LARGEST,
    )
    evaluate_every: int | None = key(
        None,
        "Updates between evaluations (default: once per epoch).",
        "--evaluate-every",
        ge=1,
        le=LARGEST,
    )
    bleu_tokenizer: BleuTokenizer = key(
        "auto",
        "Tokenizer of sacrebleu for BLEU. auto: by the script of the references: 13a for most, zh, "
        "ja-mecab or "
        "ko-mecab (char if not installed), char for Thai and other scripts without spaces.",
        "--bleu-tokenizer",
    )
    seed: int = key(1, "Random seed.", "--seed", ge=0, le=2**63 - 1)
    precision: Literal["auto", "fp32", "bf16"] = key("auto", "Floating-point precision.", "--precision")
    device: str = key("auto", "Device: auto, cpu or cuda:N.", "--device")
    threads: int | None = key(None, "CPU threads.", "--threads", ge=1, le=1024)


@dataclass(frozen=True)
class Config(Section):
    """Everything that a training run depends on."""

    task: TaskName = key(
        "classification",
        "What to learn: a label (classification), what comes next in a text or in music (language-model, "
        "polyphony), a number (regression), another sequence (seq2seq), a tag for each token (tagging); "
        "inferred from the data if not given.",
        "--task",
    )
    data: DataConfig = DataConfig()
    model: ModelConfig = ModelConfig()
    training: TrainingConfig = TrainingConfig()


class Key(Struct, frozen=True):
    """All that is declared of a key.

    `type` is that of a value where one is given, `int` for a key that is `int | None`; `choices` are the
    words that it may be, or nothing where it may be anything. Numbers keep to `gt`, `ge`, `lt` and `le`,
    a whole text to the `pattern` and to what `wrong` says of it. `names_file` tells a path from other text.
    """

    default: Any
    type: Any
    optional: bool
    choices: tuple[str, ...]
    help: str
    flag: str | None
    names_file: bool = False
    gt: float | None = None
    ge: float | None = None
    lt: float | None = None
    le: float | None = None
    pattern: str | None = None
    wrong: Callable[[str], str | None] | None = None


def _key(annotation: Any, default: Any, declared: Mapping[str, Any]) -> Key:
    kind, optional = annotation, isinstance(annotation, UnionType)
    if optional:
        (kind,) = (part for part in get_args(annotation) if part is not NoneType)
    choices = get_args(kind) if get_origin(kind) is Literal else ()
    return Key(default, kind, optional, choices, **declared)


SECTIONS: Mapping[str, type[Any]] = {"data": DataConfig, "model": ModelConfig, "training": TrainingConfig}
"""The sections by name."""


def _walk() -> Iterator[tuple[str, Key]]:
    for top in fields(Config):
        if top.name not in SECTIONS:
            yield top.name, _key(top.type, top.default, top.metadata)
            continue
        for inner in fields(SECTIONS[top.name]):
            yield f"{top.name}.{inner.name}", _key(inner.type, inner.default, inner.metadata)


KEYS = dict(_walk())
"""Every key of the schema by its dotted name, in the order of the schema."""


def value_of(config: Config, key: str) -> Any:
    """Return the value of a dotted key."""
    section, dot, name = key.partition(".")
    return getattr(getattr(config, section), name) if dot else getattr(config, section)


def changed(config: Config, values: Mapping[str, Any]) -> Config:
    """Return the configuration with other values of some keys, by dotted key."""
    sections: dict[str, dict[str, Any]] = {}
    for key, value in values.items():
        section, _, name = key.rpartition(".")
        sections.setdefault(section, {})[name] = value
    plain = sections.pop("", {})
    return replace(config, **plain, **{s: replace(getattr(config, s), **own) for s, own in sections.items()})


PATHS = frozenset(name for name, key in KEYS.items() if key.names_file)
"""The keys that hold paths."""
