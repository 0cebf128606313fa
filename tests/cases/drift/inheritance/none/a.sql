CREATE TABLE animals (name text, legs integer);
CREATE TABLE dogs (name text, legs integer) ;
