"""Application code, read and never run: which SQL it has, and which tables and columns it names."""
