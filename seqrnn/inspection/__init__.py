"""What is in data, found in one pass and in flat memory, before a model learns from them."""
