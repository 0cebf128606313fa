-- All comments, but for those of initdb on its own objects.
SELECT objoid, classoid, objsubid, description FROM pg_catalog.pg_description
WHERE objoid >= 16384 OR classoid = 'pg_catalog.pg_namespace'::regclass
  OR classoid = 'pg_catalog.pg_extension'::regclass
