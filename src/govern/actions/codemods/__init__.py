"""Code that loses what it does not need any more: which edits go together, and how files are written."""
