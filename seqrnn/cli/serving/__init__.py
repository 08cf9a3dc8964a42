"""`seqrnn serve`: a model that answers over HTTP, with limits on all that a client can cost."""
