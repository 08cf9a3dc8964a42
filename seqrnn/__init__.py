"""seqrnn: recurrent networks for sequences, from the shell."""

__version__ = "0.1.0"
