CREATE TABLE animals (name text, legs integer);
CREATE TABLE dogs (breed text) INHERITS (animals);
