"""How good the answers are: a thin layer over well-known libraries."""
