"""A network that swallows everything: the client notices after 11 seconds, as its server does.

Without it a statement whose answer is lost is waited for until the operating system gives up, after two hours.
"""

from __future__ import annotations

import contextlib
import os
import socket
from typing import Any

from .driver_connection import find_descriptor

_OPTIONS = (
    ("TCP_KEEPIDLE", 5),  # seconds
    ("TCP_KEEPINTVL", 2),
    ("TCP_KEEPCNT", 3),
    ("TCP_USER_TIMEOUT", 10_000),  # milliseconds
)
"""Those that the operating system has."""
_SAID_IN_URL = ("keepalives", "tcp_user_timeout")


def keep_alive(connection: Any, url: Any) -> None:
    """Sets the options of a driver's connection over TCP, unless the URL (SQLAlchemy's) says something of them."""
    if any(name.startswith(_SAID_IN_URL) for name in url.query):
        return
    descriptor = find_descriptor(connection)
    if descriptor is None:
        return
    with contextlib.suppress(OSError), socket.socket(fileno=os.dup(descriptor)) as connected:
        if connected.family not in (socket.AF_INET, socket.AF_INET6):
            return
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in _OPTIONS:
            if hasattr(socket, name):
                connected.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
