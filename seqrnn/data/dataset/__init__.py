"""Columns on disk: split, encoded, cached, and cut into batches."""
