"""The networks: in PyTorch to train, in NumPy to answer, as ONNX graphs for other runtimes."""
