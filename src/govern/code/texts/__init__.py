"""Expressions that make texts: what they say as far as a program's text tells, names and imports followed."""
