CREATE TABLE l (a text, b text) PARTITION BY LIST (a);
