"""The recurrences: one file a cell, each formula written once."""
