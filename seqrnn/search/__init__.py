"""Choosing the next token over a step function; knows no model."""
