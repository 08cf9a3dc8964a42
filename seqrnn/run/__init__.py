"""The run directory: what a training leaves, and what is trusted of it."""
