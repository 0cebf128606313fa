CREATE SCHEMA other;
CREATE DOMAIN word AS text;
CREATE DOMAIN other.word AS text;
CREATE TABLE t (v other.word);
