CREATE TABLE animals (name text, legs integer);
CREATE TABLE pets (owner text);
CREATE TABLE dogs (owner text) INHERITS (animals);
