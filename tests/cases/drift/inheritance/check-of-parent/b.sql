CREATE TABLE animals (name text, legs integer);
CREATE TABLE dogs (breed text) INHERITS (animals);
ALTER TABLE animals ADD CONSTRAINT few_legs CHECK (legs < 500);
