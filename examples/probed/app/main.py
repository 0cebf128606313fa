"""An application with a log-in, tokens that are refreshed, protected pages, and sessions in its database.

It starts on its own schema alone: ``uvicorn app.main:app``. APP_SIGNING_KEY signs its tokens.
"""

import hashlib
import hmac
import os
import secrets
import time
from contextlib import asynccontextmanager
from typing import Annotated

import jwt
from fastapi import Depends, FastAPI, HTTPException, Request, Response
from pydantic import BaseModel
from sqlalchemy import create_engine, select
from sqlalchemy.orm import Session as Connection

from app.models import Session, User
from govern import validate_on_startup

ISSUER, ALGORITHM, LIFETIME_SECONDS = "shop", "HS256", 900
SIGNING_KEY = os.environ["APP_SIGNING_KEY"]
engine = create_engine(os.environ["DATABASE_URL"])


@asynccontextmanager
async def lifespan(_):
    validate_on_startup(engine, wait_seconds=30)
    if "PROBE_PASSWORD" in os.environ:
        add_account("probe@example.org", os.environ["PROBE_PASSWORD"])
    yield
    engine.dispose()


app = FastAPI(lifespan=lifespan)


class Credentials(BaseModel):
    email: str
    password: str


class Renewal(BaseModel):
    refresh_token: str


@app.get("/health/ping")
def ping():
    return {"status": "ok"}


@app.post("/login")
def log_in(credentials: Credentials):
    with Connection(engine) as connection:
        user = connection.scalar(select(User).where(User.email == credentials.email))
        if user is None or not is_password(credentials.password, user.password_hash):
            raise HTTPException(401, "unknown e-mail address or wrong password")
        session = Session(id=secrets.token_hex(16), user_id=user.id, token_id="", refresh_token_hash="")
        connection.add(session)
        return hand_out_tokens(connection, session)


@app.post("/refresh")
def refresh(renewal: Renewal):
    with Connection(engine) as connection:
        session = connection.scalar(
            select(Session).where(Session.refresh_token_hash == digest(renewal.refresh_token))
        )
        if session is None:
            raise HTTPException(401, "unknown refresh token")
        return hand_out_tokens(connection, session)


def require_session(request: Request):
    """The session of whoever asks; 401 for everybody else."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    claims = read_token(token) if scheme.lower() == "bearer" else None
    if claims is None:
        raise HTTPException(401, "not logged in")
    with Connection(engine) as connection:
        session = connection.get(Session, claims["sid"])
        if session is None or session.token_id != claims["jti"]:
            raise HTTPException(401, "the session has ended")
        return session


Mine = Annotated[Session, Depends(require_session)]


@app.get("/me")
def show_me(session: Mine):
    with Connection(engine) as connection:
        return {"id": session.user_id, "email": connection.get(User, session.user_id).email}


@app.get("/sessions")
def list_sessions(session: Mine):
    with Connection(engine) as connection:
        ids = connection.scalars(select(Session.id).where(Session.user_id == session.user_id))
        return [{"id": one} for one in ids]


@app.delete("/sessions/{session_id}", status_code=204)
def revoke_session(session_id: str, session: Mine):
    with Connection(engine) as connection:
        revoked = connection.get(Session, session_id)
        if revoked is None or revoked.user_id != session.user_id:
            raise HTTPException(404, "there is no such session")
        connection.delete(revoked)
        connection.commit()
    return Response(status_code=204)


def hand_out_tokens(connection, session):
    """New ones; those before are good for nothing from now on."""
    refresh_token = secrets.token_urlsafe(32)
    session.token_id, session.refresh_token_hash = secrets.token_hex(16), digest(refresh_token)
    connection.commit()
    return {
        "access_token": make_token(session),
        "refresh_token": refresh_token,
        "token_type": "bearer",
        "session_id": session.id,
    }


def make_token(session):
    now = int(time.time())
    claims = {"iss": ISSUER, "sub": str(session.user_id), "sid": session.id, "jti": session.token_id}
    return jwt.encode(claims | {"iat": now, "exp": now + LIFETIME_SECONDS}, SIGNING_KEY, ALGORITHM)


def read_token(token):
    """Its claims; None for one that is not ours, or not good any more."""
    try:
        return jwt.decode(token, SIGNING_KEY, [ALGORITHM], issuer=ISSUER)
    except jwt.InvalidTokenError:
        return None


def digest(token):
    return hashlib.sha256(token.encode()).hexdigest()


def hash_password(password, salt):
    return f"{salt}${hashlib.scrypt(password.encode(), salt=salt.encode(), n=2**14, r=8, p=1).hex()}"


def is_password(password, stored):
    return hmac.compare_digest(stored, hash_password(password, stored.partition("$")[0]))


def add_account(email, password):
    """The account that probes log in with, if it is not there."""
    with Connection(engine) as connection:
        if connection.scalar(select(User).where(User.email == email)) is None:
            hashed = hash_password(password, secrets.token_hex(8))
            connection.add(User(email=email, password_hash=hashed))
            connection.commit()
