CREATE TYPE spans AS RANGE (SUBTYPE = numeric);
