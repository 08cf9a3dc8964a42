"""Texts as inputs: free ones, a label that is one token, or a text to model."""

from __future__ import annotations

from seqrnn.config import DataConfig
from seqrnn.data.fields.field import TextField
from seqrnn.data.fields.source_kind import SourceKind
from seqrnn.data.record import Record
from seqrnn.data.text.tokenizer import TokenizerSettings


class LabelledTextField(TextField):
    """The text of a line in fastText's layout, where rows to be answered may bear labels, too."""

    def text_of(self, record: Record) -> str:
        """Return the text without its labels."""
        from seqrnn.data.formats.fasttext import without_labels

        return without_labels(record.source)


class LabelSource(SourceKind):
    """A label, which is one token."""

    def field(self, data: DataConfig) -> TextField:
        """Make a field of texts, of which a configuration says what a token is."""
        made = LabelledTextField if data.format == "fasttext" else TextField
        return made("source", TokenizerSettings.of(data))


class TextSource(LabelSource):
    """A text; for a language model, which reads nothing else than what it learns, it is `none`."""

    has_tokenizer = True
