"""The monitor's page for people: what is wrong, what was done about it, and buttons for who may press them."""

from govern.web.dashboard.dashboard import Dashboard

__all__ = ["Dashboard"]
