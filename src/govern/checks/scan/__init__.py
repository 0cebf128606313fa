"""Does the code fit the schema? Each statement is shown to a database that has the declared one, and nothing else."""

from govern.checks.scan.rules import RULES

__all__ = ["RULES"]
