"""What dialect tests share."""

from tests.fixtures.projects import copy_project

__all__ = ["copy_project"]
