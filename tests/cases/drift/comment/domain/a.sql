CREATE DOMAIN age AS integer;
