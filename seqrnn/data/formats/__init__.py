"""How files are laid out: one file a format, a registry of them, and tables, which many of them hold."""
