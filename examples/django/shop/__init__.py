"""A Django project whose schema is governed."""
