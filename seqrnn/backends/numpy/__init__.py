"""The networks in NumPy alone: to answer without PyTorch."""
