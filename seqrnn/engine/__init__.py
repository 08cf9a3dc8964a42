"""PyTorch: networks, training, evaluation."""
