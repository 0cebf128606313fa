"""The incident drill on the sample application: eight things broken at once in a database of its own, and brought back."""
