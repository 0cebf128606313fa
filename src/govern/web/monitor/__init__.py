"""The monitor over HTTP: what it found, for everybody who may read; what it is to do, for who may say so."""

from govern.web.monitor.access import Access, bearer
from govern.web.monitor.api import MonitorApi
from govern.web.monitor.asgi import asgi_app
from govern.web.monitor.wsgi import wsgi_app

__all__ = ["Access", "MonitorApi", "asgi_app", "bearer", "wsgi_app"]
