"""A page that shows what a run has learnt: numbers from measures/, drawn by drawing/, joined by page.py."""
