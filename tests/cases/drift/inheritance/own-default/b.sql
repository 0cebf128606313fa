CREATE TABLE animals (name text, legs integer);
CREATE TABLE dogs () INHERITS (animals);
ALTER TABLE dogs ALTER COLUMN legs SET DEFAULT 4;
