"""The names that a user can choose, and the class of each.

Adding a cell or a task is one file and one line here. Nothing is imported
until `load` asks for it, so listing the choices costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any, Literal

CELLS = {
    "elman": "seqrnn.cells.elman:Elman",
    "elman-relu": "seqrnn.cells.elman:ElmanReLU",
    "gru": "seqrnn.cells.gru:GRU",
    "lstm": "seqrnn.cells.lstm:LSTM",
    "mingru": "seqrnn.cells.min_gru:MinGRU",
    "minlstm": "seqrnn.cells.min_lstm:MinLSTM",
}

TASKS = {
    "classification": "seqrnn.tasks.classification:Classification",
    "language-model": "seqrnn.tasks.language_model:LanguageModeling",
    "polyphony": "seqrnn.tasks.polyphony:Polyphony",
    "regression": "seqrnn.tasks.regression:Regression",
    "seq2seq": "seqrnn.tasks.seq2seq:Seq2Seq",
    "tagging": "seqrnn.tasks.tagging:Tagging",
}

FORMATS = {
    "conllu": "seqrnn.data.formats.conll:ConllU",
    "conll": "seqrnn.data.formats.conll:Conll",
    "fasttext": "seqrnn.data.formats.fasttext:FastText",
    "json": "seqrnn.data.formats.json_file:JsonFile",
    "jsonl": "seqrnn.data.formats.json_lines:JsonLines",
    "tsv": "seqrnn.data.formats.delimited:Tsv",
    "csv": "seqrnn.data.formats.delimited:Csv",
    "parquet": "seqrnn.data.formats.parquet:Parquet",
    "npz": "seqrnn.data.formats.arrays:Arrays",
    "folder": "seqrnn.data.formats.folder:Folder",
    "text": "seqrnn.data.formats.text:Text",
    "lines": "seqrnn.data.formats.text:Lines",
    "parallel": "seqrnn.data.formats.parallel:Parallel",
}
"""How files may be laid out; the first lines of an unknown file are held against them in this order."""

SOURCES = {
    "text": "seqrnn.data.fields.text_source:TextSource",
    "label": "seqrnn.data.fields.text_source:LabelSource",
    "image": "seqrnn.data.fields.image_field:ImageSource",
    "vectors": "seqrnn.data.fields.vectors_field:VectorsSource",
    "vector": "seqrnn.data.fields.vectors_field:VectorSource",
    "notes": "seqrnn.data.fields.notes_field:NotesSource",
    "none": "seqrnn.data.fields.text_source:TextSource",
}
"""What may be read of an example; of the fields of an object that hold numbers the first one counts."""

NETWORKS = {
    "encoder-decoder": "seqrnn.networks.encoder_decoder:EncoderDecoder",
    "classifier": "seqrnn.networks.classifier:Classifier",
    "feed-forward": "seqrnn.networks.feed_forward:FeedForward",
    "language-model": "seqrnn.networks.language_model:LanguageModel",
    "polyphony": "seqrnn.networks.polyphony:Polyphony",
    "tagger": "seqrnn.networks.tagger:Tagger",
}
"""The networks, each described once for all backends."""

POOLINGS = {
    "last": "seqrnn.networks.pooling:LastPooling",
    "mean": "seqrnn.networks.pooling:MeanPooling",
    "max": "seqrnn.networks.pooling:MaxPooling",
    "attention": "seqrnn.networks.pooling:AttentionPooling",
}

HEADS = {
    "linear": "seqrnn.networks.heads:Linear",
    "mlp": "seqrnn.networks.heads:MLP",
}

ATTENTIONS = {
    "dot": "seqrnn.networks.attention:DotAttention",
    "general": "seqrnn.networks.attention:GeneralAttention",
    "mlp": "seqrnn.networks.attention:MLPAttention",
}

BRIDGES = {
    "state": "seqrnn.networks.bridges:HiddenBridge",
    "first": "seqrnn.networks.bridges:InputBridge",
}
"""How what an encoder has read enters a decoder."""

GRAPHS = {
    "labels": ("seqrnn.backends.onnx.examples:ExampleNetwork",),
    "notes": ("seqrnn.backends.onnx.examples:ExampleNetwork",),
    "tags": ("seqrnn.backends.onnx.tagger:TaggerNetwork",),
    "target": ("seqrnn.backends.onnx.seq2seq:EncoderNetwork", "seqrnn.backends.onnx.seq2seq:DecoderNetwork"),
    "text": ("seqrnn.backends.onnx.language_model:LanguageNetwork",),
}
"""The graphs as which a network is written as ONNX, by what it was trained on."""

SaliencyMethod = Literal["gradient", "leave-one-out"]
"""How to find what each token matters; see library/explaining.py."""

BleuTokenizer = Literal["auto", "13a", "intl", "zh", "ja-mecab", "ko-mecab", "char", "none"]
"""How sacrebleu cuts texts for BLEU: its names, but for those that fetch a model first."""

FieldFile = Literal[
    "tokenizer.json",
    "target_tokenizer.json",
    "labels.json",
    "tags.json",
    "characters.json",
    "features.json",
    "image.json",
    "numbers.json",
]
"""The files of a model directory that hold what a field has learnt from the training data."""


def load(path: str) -> Any:
    """Import and return what a catalogue entry, `"module:Class"`, names."""
    module, _, name = path.partition(":")
    return getattr(import_module(module), name)
