"""Whole programs, alike for all languages: values, functions, and who calls what."""
