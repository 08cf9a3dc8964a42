"""The names that a user can choose, and the class behind each.

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

MODELS = {
    "encoder-decoder": "seqrnn.backends.torch.encoder_decoder:build_encoder_decoder",
    "classifier": "seqrnn.backends.torch.classifier:build_classifier",
    "feed-forward": "seqrnn.backends.torch.feed_forward:build_feed_forward",
    "language-model": "seqrnn.backends.torch.language_model:build_language_model",
    "polyphony": "seqrnn.backends.torch.polyphony:build_polyphony",
    "tagger": "seqrnn.backends.torch.tagger:build_tagger",
}


RUNTIMES = {
    "encoder-decoder": "seqrnn.backends.numpy.encoder_decoder:EncoderDecoder",
    "classifier": "seqrnn.backends.numpy.classifier:Classifier",
    "feed-forward": "seqrnn.backends.numpy.feed_forward:FeedForward",
    "language-model": "seqrnn.backends.numpy.language_model:LanguageModel",
    "polyphony": "seqrnn.backends.numpy.polyphony:PolyphonyNetwork",
    "tagger": "seqrnn.backends.numpy.tagger:Tagger",
}
"""The models that NumPy alone can compute; one that is missing here, or reads images, needs PyTorch."""

GRAPHS = {
    "classification": "seqrnn.backends.onnx.classifier:ClassifierNetwork",
    "language-model": "seqrnn.backends.onnx.language_model:LanguageNetwork",
    "tagging": "seqrnn.backends.onnx.tagger:TaggerNetwork",
}
"""The tasks whose models can be written as ONNX, where what is read has time steps."""

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
