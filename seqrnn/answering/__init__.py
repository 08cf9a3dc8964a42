"""A trained model that answers, whichever backend computes."""
