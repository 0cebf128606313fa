"""Repairs: of a schema that drifted (``schema``), and those of rows and definitions that the manifest has (``named``).

Of rows: ``declared`` reads what is declared, ``plan`` says what one would touch, ``rows`` applies it, ``back`` takes it
back. Of definitions: ``aims`` choose what is to go, ``definitions`` plans it with the proof of ``schema``, ``stages``
carries it out, ``undo`` takes it back.
"""
