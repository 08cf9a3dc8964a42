"""What programs do with models in Python; the command line is its first user."""
