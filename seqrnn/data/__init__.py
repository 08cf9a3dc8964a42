"""From files to columns of numbers."""
