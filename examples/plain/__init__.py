"""``python -m examples.plain``"""
