"""Inference in NumPy alone."""
