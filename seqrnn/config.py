"""The schema of a configuration: every key, its default, its help, its flag.

One field here is one key in YAML, one `--set section.key=value` and, where
`flag` is given, one command-line option. How a YAML file becomes a `Config`
is in `config_file.py`.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from difflib import get_close_matches
from encodings.aliases import aliases
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias, get_args, get_origin

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic.fields import FieldInfo
from pydantic_core import PydanticCustomError

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


def key(default: Any, help: str, flag: str | None = None, *, names_file: bool = False, **limits: Any) -> Any:
    """Declare a configuration key; `flag` is its command-line spelling, `limits` go to pydantic.

    `names_file` tells a path from other text.
    """
    return Field(
        default=default,
        description=help,
        json_schema_extra={"flag": flag, "names_file": names_file},
        **limits,
    )


def _known_encoding(name: str) -> str:
    """Refuse what is no encoding of texts. Raises PydanticCustomError."""
    try:
        codec = codecs.lookup("utf-8" if name == "auto" else name)
        known = codec._is_text_encoding and codec.incrementaldecoder is not None
    except (LookupError, ValueError):  # ValueError: a name that holds a NUL
        known = False
    if not known or codec.name in OF_NO_FILES:
        near = get_close_matches(name.lower(), [*aliases, *aliases.values()], n=1)
        advice = f"did you mean {near[0]}?" if near else "give one such as utf-16, cp1252 or shift_jis"
        raise PydanticCustomError(
            "unknown_encoding", "{text}", {"text": f"no encoding of that name; {advice}"}
        )
    return name


class Section(BaseModel):
    """A group of keys. Unknown keys, nan and infinity are refused."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, allow_inf_nan=False, defer_build=True, regex_engine="python-re"
    )


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
        (), "Files that the best weights are measured on at the end.", "--test", names_file=True
    )
    test_source: str | None = key(None, "Source side of parallel test files.", "--test-src", names_file=True)
    test_target: str | None = key(None, "Target side of parallel test files.", "--test-tgt", names_file=True)
    valid_fraction: float = key(
        0.1,
        "Share held out for validation where no validation file is given: the last part of a text, "
        "a seeded random part of examples (of each label, for a classifier).",
        "--valid-fraction",
        ge=0.0,
        lt=1.0,
    )
    format: FormatName = key(
        "auto",
        "How the files are laid out: text is one long text, lines is one example a line, conll and conllu "
        "one token a line, npz arrays of NumPy, folder a sub-folder a class.",
        "--format",
    )
    text_column: str | None = key(
        None, "Column (name, or number from 1) or JSON field that holds the text.", "--text-col"
    )
    label_column: str | None = key(
        None,
        "Column (name, or number from 1) or JSON field that holds the label, or several, apart by commas: "
        "columns of 0 and 1, each of which is a label that an example bears or not.",
        "--label-col",
    )
    series_column: str | None = key(
        None, "Column that says which series a row of numbers belongs to.", "--series-col"
    )
    time_column: str | None = key(
        None, "Column that orders the rows of a series; without one, the order in the file.", "--time-col"
    )
    date_order: Literal["auto", "day-first", "month-first"] = key(
        "auto",
        "What comes first in times such as 03/04/2024, where the data do not tell.",
        "--date-order",
    )
    sentence_column: str | None = key(
        None,
        "Column of a table with one token a row that says which sentence a row belongs to; a blank cell: "
        "that of the row before. -: a sentence ends at a blank row.",
        "--sentence-col",
    )
    feature_columns: tuple[str, ...] = key(
        (),
        "Columns of numbers that the model reads; empty: all but those of labels, series and time.",
    )
    delimiter: Literal["auto", "comma", "semicolon", "tab", "bar"] = key(
        "auto", "What separates the columns of a CSV file.", "--delimiter"
    )
    tag_scheme: Literal["auto", "bio", "bioes", "none"] = key(
        "auto",
        "What tags mark: spans in BIO (IOB1, IOB2) or BIOES (BILOU, BMES), or none; auto looks at the tags.",
        "--tag-scheme",
    )
    header: Literal["auto", "yes", "no"] = key(
        "auto", "Whether a table starts with a line of column names.", "--header"
    )
    text_in: Literal["auto", "cells", "files"] = key(
        "auto",
        "Whether the cells of a table hold the texts, or the paths of files with one text each; auto: files "
        "where those are there.",
        "--text-in",
    )
    multi_label: bool = key(False, "An example may bear several labels, or none.", "--multi-label")
    label_separator: str = key(
        ",", "What separates the labels of one column of a multi-label data set.", "--label-separator"
    )
    encoding: Annotated[str, AfterValidator(_known_encoding)] = key(
        "auto",
        "How bytes become characters: auto (UTF-8, or UTF-16 with its byte-order mark), or a name such as "
        "cp1252, latin-1 or shift_jis.",
        "--encoding",
    )
    encoding_errors: Literal["strict", "replace"] = key(
        "strict", "What to do with bytes that are not of that encoding.", "--encoding-errors"
    )
    tokenizer: Literal["auto", "word", "char", "byte", "bpe"] = key(
        "auto",
        "What a token is; auto: a character of a text to model, of single words or of a script without "
        "spaces, else byte pairs or words, by how many held-out words would be unknown.",
        "--tokenizer",
    )
    target_tokenizer: Literal["auto", "word", "char", "byte", "bpe"] = key(
        "auto",
        "What a token of a target is; auto: byte pairs of sentences, words where there are few different "
        "ones, characters of single words or of a script without spaces.",
        "--target-tokenizer",
    )
    pretokenized: Literal["auto", "yes", "no"] = key(
        "auto",
        "Whether words are given, apart by blanks; if not, `data.tokenizer=word` makes punctuation tokens of "
        "its own. auto looks at the punctuation of the data.",
        "--pretokenized",
    )
    target_pretokenized: Literal["auto", "yes", "no"] = key(
        "auto",
        "The same of the targets, whose spaces are written as they were.",
        "--target-pretokenized",
    )
    source_kind: SourceName = key(
        "auto",
        "What is read of an example: a text, a label that is one token, an image, numbers (one vector, or "
        "vectors, one a time step), the notes of each step of music, or nothing (a language model); auto "
        "looks at the data.",
        "--source",
    )
    normalize: bool = key(
        True,
        "Bring each feature of vectors, and each channel of images, to mean 0 and deviation 1, as learnt "
        "from the training data.",
        "--normalize/--raw",
    )
    image_size: int = key(32, "Pixels each way that images are stretched to.", "--image-size", ge=8, le=1024)
    keys: int = key(88, "Keys of an instrument, which `notes` number from 0.", "--keys", ge=1, le=65_536)
    transpose: int = key(
        0,
        "Most keys by which training moves a piece of music up or down, anew at each pass.",
        "--transpose",
        ge=0,
        le=65_536,
    )
    holdout: Holdout = key(
        "examples",
        "What `data.valid_fraction` draws: single examples, source texts with all their targets, or "
        "(stratified) "
        "the same share of the examples of each label.",
        "--holdout",
    )
    lowercase: bool = key(False, "Lower-case the text before it is split.", "--lowercase")
    unicode_form: Literal["none", "nfc", "nfd", "nfkc", "nfkd"] = key(
        "none",
        "Unicode normal form of what is read; nfd takes apart accented letters and syllables of Hangul.",
        "--unicode",
    )
    min_count: int = key(1, "Tokens seen less often become <unk>.", "--min-count", ge=1, le=LARGEST)
    vocabulary_size: int = key(
        50_000,
        "Most tokens that the vocabulary may hold; that of byte pairs is sized by the data if not given.",
        "--vocabulary-size",
        ge=5,
        le=10_000_000,
    )
    target_vocabulary_size: int | None = key(
        None,
        "The same of the targets (as of the source, or by the data, if not given).",
        "--target-vocabulary-size",
        ge=5,
        le=10_000_000,
    )
    max_tokens: int | None = key(
        None, "Longest example, in tokens (no limit if not given).", "--max-tokens", ge=1, le=MAX_LENGTH
    )
    over_length: Literal["truncate", "skip", "error"] = key(
        "truncate", "What to do with an example longer than max-tokens.", "--over-length"
    )
    lengths: Literal["auto", "blank", "dynamic"] = key(
        "auto",
        "blank: fill every sequence to max-tokens; dynamic: a finished sequence costs no more.",
        "--lengths",
    )


class ModelConfig(Section):
    """The network."""

    cell: CellName = key("lstm", "The recurrence.", "--cell")
    num_layers: int = key(1, "Layers of cells on top of each other.", "--layers", ge=1, le=64)
    hidden_size: int = key(256, "Size of a hidden state.", "--hidden-size", ge=1, le=65_536)
    embedding_size: int = key(128, "Size of a token's vector.", "--embedding-size", ge=1, le=65_536)
    bidirectional: bool = key(False, "Read the sequence from both ends.", "--bidirectional/--unidirectional")
    dropout: float = key(0.0, "Share of values dropped between layers.", "--dropout", ge=0.0, lt=1.0)
    embedding_dropout: float = key(
        0.0, "Share of the values of the input vectors dropped.", "--embedding-dropout", ge=0.0, lt=1.0
    )
    word_dropout: float = key(
        0.0, "Share of input tokens that training replaces with <unk>.", "--word-dropout", ge=0.0, lt=1.0
    )
    tie_embeddings: bool = key(
        False,
        "Use one matrix for the input vectors and for the output (language models).",
        "--tie-embeddings/--untied-embeddings",
    )
    embeddings: str | None = key(
        None, "Word-vector text file that the embeddings start from.", "--embeddings", names_file=True
    )
    freeze_embeddings: bool = key(False, "Do not train the embeddings.", "--freeze-embeddings")
    pooling: PoolingName = key("last", "How a classifier sums up the hidden states.", "--pooling")
    head: HeadName = key(
        "linear",
        "Classifier head on the pooled hidden state: one linear layer, or an MLP.",
        "--head",
    )
    attention: AttentionName = key(
        "general",
        "How a decoder weighs what the encoder has read; none: it knows the last state only.",
        "--attention",
    )
    entry: BridgeName = key(
        "state",
        "How what was read enters a decoder: as its first state, or as its first input, before <bos>.",
        "--entry",
    )
    channels: int = key(
        48,
        "Maps of the first block of a network over images; each further block has twice as many.",
        "--channels",
        ge=1,
        le=4096,
    )
    scheduled_sampling: float = key(
        0.0,
        "Share of a decoder's inputs that are its own choices in training, instead of the truth.",
        "--scheduled-sampling",
        ge=0.0,
        le=1.0,
    )
    output_layer: Literal["auto", "softmax", "crf"] = key(
        "auto",
        "How a tagger chooses: each tag by itself, or the best sequence (auto: crf where tags mark spans).",
        "--output-layer",
    )
    character_size: int = key(
        100,
        "Size of a tagger's network over the characters of a token; 0: none.",
        "--character-size",
        ge=0,
        le=65_536,
    )
    character_embedding_size: int = key(50, "Size of a character's vector.", ge=1, le=65_536)


AMOUNT = r"[0-9]{1,6}(\.[0-9]{1,3})?"
BUDGET = rf"^(?=.*[1-9])({AMOUNT}d ?)?({AMOUNT}h ?)?({AMOUNT}m ?)?({AMOUNT}s)?(?<! )\Z"
"""A time of more than nothing in days, hours, minutes and seconds, such as 1h30m."""


class TrainingConfig(Section):
    """How the network learns, and for how long."""

    budget: str | None = key(
        None,
        "Time budget, such as 90s, 10m, 1.5h or 1h30m; the learning-rate schedule ends with it.",
        "--budget",
        pattern=BUDGET,
    )
    epochs: float | None = key(
        None, "Train for this many passes over the data.", "--epochs", gt=0, le=LARGEST
    )
    steps: int | None = key(None, "Train for this many updates.", "--steps", ge=1, le=LARGEST)
    batch_size: int = key(32, "Examples, or streams of a text, in a batch.", "--batch-size", ge=1, le=65_536)
    batch_tokens: int = key(
        4096, "Most tokens in a batch of examples, filling included.", "--batch-tokens", ge=1, le=MAX_LENGTH
    )
    segment_length: int = key(
        64, "Tokens that truncated back-propagation reaches back.", "--segment-length", ge=1, le=65_536
    )
    optimizer: Literal["adamw", "sgd"] = key("adamw", "The update rule.", "--optimizer")
    learning_rate: float = key(2e-3, "Highest learning rate.", "--learning-rate", gt=0.0, le=1e30)
    momentum: float = key(0.9, "Momentum of SGD.", ge=0.0, lt=1.0)
    weight_decay: float = key(0.01, "Weight decay.", "--weight-decay", ge=0.0, le=1e30)
    schedule: Literal["cosine", "linear", "plateau", "constant"] = key(
        "cosine", "How the learning rate falls after the warm-up.", "--schedule"
    )
    warmup: float = key(
        0.02, "Share of the training in which the learning rate rises.", "--warmup", ge=0.0, lt=1.0
    )
    average: float = key(
        0.0,
        "Save a running average of the weights, of which each update keeps this share; 0 saves the last.",
        "--average",
        ge=0.0,
        lt=1.0,
    )
    clip: float = key(1.0, "Largest norm of the gradient; 0 does not clip.", "--clip", ge=0.0, le=1e30)
    accumulate: int = key(1, "Batches that share one update.", "--accumulate", ge=1, le=65_536)
    label_smoothing: float = key(
        0.0, "Share of the target spread over all classes.", "--label-smoothing", ge=0.0, lt=1.0
    )
    class_weights: Literal["none", "balanced"] = key(
        "none", "Weigh a class by how rare it is.", "--class-weights"
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
        "Updates between evaluations (once an epoch if not given).",
        "--evaluate-every",
        ge=1,
        le=LARGEST,
    )
    bleu_tokenizer: BleuTokenizer = key(
        "auto",
        "How sacrebleu cuts texts for BLEU; auto: by the script of the references, 13a for most, zh, "
        "ja-mecab or ko-mecab (char where that is not installed), char for Thai and others without spaces.",
        "--bleu-tokenizer",
    )
    seed: int = key(1, "Seed of everything random.", "--seed", ge=0, le=2**63 - 1)
    precision: Literal["auto", "fp32", "bf16"] = key(
        "auto", "Number format of the computation.", "--precision"
    )
    device: str = key("auto", "auto, cpu or cuda:N.", "--device")
    threads: int | None = key(None, "CPU threads.", "--threads", ge=1, le=1024)


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


def section_of(field: FieldInfo) -> type[Section] | None:
    """The section that a field of `Config` holds, or None for a plain key."""
    kind = field.annotation
    return kind if isinstance(kind, type) and issubclass(kind, Section) else None


def type_of(field: FieldInfo) -> Any:
    """The type of a key's value where one is given: `int` for a key that is `int | None`."""
    kind = field.annotation
    if isinstance(kind, UnionType):
        (kind,) = (part for part in get_args(kind) if part is not NoneType)
    return kind


def choices_of(field: FieldInfo) -> tuple[str, ...]:
    """The words that a key may hold, or nothing where it may hold anything."""
    kind = type_of(field)
    return get_args(kind) if get_origin(kind) is Literal else ()


def flag_of(field: FieldInfo) -> str | None:
    """The command-line spelling of a key, or None where it has none."""
    extra = field.json_schema_extra
    flag = extra.get("flag") if isinstance(extra, dict) else None
    return flag if isinstance(flag, str) else None


def _walk() -> Iterator[tuple[str, FieldInfo]]:
    for name, field in Config.model_fields.items():
        section = section_of(field)
        if section is None:
            yield name, field
        else:
            yield from ((f"{name}.{inner}", key) for inner, key in section.model_fields.items())


KEYS = dict(_walk())
"""Every key of the schema by its dotted name, in the order of the schema."""

PATHS = frozenset(
    name
    for name, field in KEYS.items()
    if isinstance(field.json_schema_extra, dict) and field.json_schema_extra["names_file"]
)
"""The keys that hold paths."""

SECTIONS = tuple(name for name, field in Config.model_fields.items() if section_of(field))
"""The names of the sections."""
