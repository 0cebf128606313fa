"""Flask with Flask-SQLAlchemy: gunicorn --workers 2 'examples.flask.app:create_app()'

For development: flask --app examples.flask.app run
"""

from __future__ import annotations

import os

from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import text

from govern.integrations import flask as govern

db = SQLAlchemy()


def create_app() -> Flask:
    app = Flask(__name__)
    app.config["SQLALCHEMY_DATABASE_URI"] = os.environ["DATABASE_URL"]
    db.init_app(app)
    govern.init_app(app)  # validates db.engine where the application is going to serve; adds /health
    govern.dashboard(app)  # /internal/admin/database-health, with GOVERN_MONITOR_TOKEN

    @app.get("/")
    def count_users() -> dict[str, int]:
        return {"users": db.session.scalar(text("SELECT count(*) FROM users"))}

    return app
