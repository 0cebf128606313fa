"""The incident drill on the sample application: eight things broken at once in a scratch database, and brought back."""
