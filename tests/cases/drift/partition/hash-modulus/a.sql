CREATE TABLE h (id integer) PARTITION BY HASH (id);
