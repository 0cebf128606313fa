CREATE TABLE t (id integer, v interval hour to minute);
