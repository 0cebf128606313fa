CREATE TABLE orders (id integer PRIMARY KEY, shop_id integer);
