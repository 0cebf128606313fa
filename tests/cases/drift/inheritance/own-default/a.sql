CREATE TABLE animals (name text, legs integer);
CREATE TABLE dogs () INHERITS (animals);
