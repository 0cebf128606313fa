CREATE SEQUENCE tickets AS bigint;
