"""What lets a framework's applications refuse to start on the wrong schema, and answer how they are.

One module a framework, imported by whoever uses that framework; thin over ``validate_on_startup`` and
``govern.web``.
"""
