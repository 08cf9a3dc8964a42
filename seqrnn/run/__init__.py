"""The run directory: what a training leaves behind, and what is trusted of it."""
