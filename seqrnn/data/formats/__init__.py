"""One file a format family: each turns the lines of a file into records.

A reader gets the file's name for messages, its lines and the `Source` that says where text and
labels stand. It yields a record for every row; a blank row gives a record without text.
"""

TEXT_NAMES = ("text", "sentence", "source", "input", "utterance", "image")
"""Names of a column or field that hold the text, the likeliest first."""

LABEL_NAMES = ("label", "labels", "class", "category", "intent", "caption", "target", "output")
"""Names of a column or field that hold the label, the likeliest first."""

NUMBER_NAMES = ("vectors", "vector", "notes")
"""Names of a field that holds numbers, which are also the names of what is read of it."""

HEAD_ROWS = 200
"""How many rows of a file are looked at to guess what it holds."""
