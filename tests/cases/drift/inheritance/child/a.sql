CREATE TABLE animals (name text, legs integer);
