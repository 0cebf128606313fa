"""Repairs: of a schema that drifted (``schema``), and of rows, as the manifest declares them.

``declared`` reads what is declared, ``plan`` says what one would touch, ``rows`` applies it, ``back`` takes it back.
"""
