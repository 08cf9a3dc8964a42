"""The names that a user can choose, and the class behind each.

Adding a cell or a task is one file and one line here. Nothing is imported
until `load` asks for it, so listing the choices costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

CELLS = {
    "elman": "seqrnn.cells.elman:Elman",
    "elman-relu": "seqrnn.cells.elman:ElmanReLU",
    "gru": "seqrnn.cells.gru:GRU",
    "lstm": "seqrnn.cells.lstm:LSTM",
}

TASKS = {
    "classification": "seqrnn.tasks.classification:Classification",
    "language-model": "seqrnn.tasks.language_model:LanguageModel",
    "seq2seq": "seqrnn.tasks.seq2seq:Seq2Seq",
    "tagging": "seqrnn.tasks.tagging:Tagging",
}

MODELS = {
    "encoder-decoder": "seqrnn.engine.encoder_decoder:build_encoder_decoder",
    "classifier": "seqrnn.engine.classifier:build_classifier",
    "language-model": "seqrnn.engine.language_model:build_language_model",
    "tagger": "seqrnn.engine.tagger:build_tagger",
}


def load(path: str) -> Any:
    """Import and return what a catalogue entry, `"module:Class"`, names."""
    module, _, name = path.partition(":")
    return getattr(import_module(module), name)
