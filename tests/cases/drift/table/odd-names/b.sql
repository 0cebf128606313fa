CREATE TABLE "Odd ""table"".name" ("se lect" integer PRIMARY KEY, "%s" text DEFAULT '%', "a.b" text UNIQUE);
CREATE INDEX "in;dex" ON "Odd ""table"".name" ("%s");
COMMENT ON COLUMN "Odd ""table"".name"."a.b" IS $$it's \ odd$$;
