"""The sides of an example: what each learns from the records, and how it turns them into numbers."""
