"""What the tables are."""

from sqlalchemy import Column, ForeignKey, Integer, Text
from sqlalchemy.orm import DeclarativeBase


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "users"
    id = Column(Integer, primary_key=True)
    name = Column(Text, nullable=False)


class Note(Base):
    __tablename__ = "notes"
    id = Column(Integer, primary_key=True)
    user_id = Column(Integer, nullable=False)
    body = Column(Text, nullable=False)


class Session(Base):
    __tablename__ = "sessions"
    token = Column(Text, primary_key=True)
    user_id = Column(Integer, ForeignKey("users.id"), nullable=False)
