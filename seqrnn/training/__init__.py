"""Training: the loop, the optimizer, the learning rate, checkpoints, evaluation (PyTorch)."""
