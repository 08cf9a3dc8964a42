"""The networks in PyTorch: forward and backward."""
