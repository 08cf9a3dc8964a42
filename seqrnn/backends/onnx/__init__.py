"""A trained model in other forms: ONNX, and a model directory of a quarter of the size."""
