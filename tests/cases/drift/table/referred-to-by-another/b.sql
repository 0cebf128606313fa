CREATE TABLE orders (id integer PRIMARY KEY, shop_id integer);
CREATE TABLE shops (id integer PRIMARY KEY);
ALTER TABLE orders ADD CONSTRAINT orders_shop FOREIGN KEY (shop_id) REFERENCES shops;
