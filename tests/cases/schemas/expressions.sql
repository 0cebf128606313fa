CREATE SCHEMA app;
CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE DOMAIN code AS varchar(10) CHECK (VALUE IN ('a', 'b')) CHECK (VALUE ~ '^[a-z]' OR VALUE LIKE 'x%');
CREATE DOMAIN amount AS numeric(10,2) DEFAULT 0.0 CHECK (VALUE BETWEEN 0 AND 100);
CREATE DOMAIN chars AS char(3) CHECK (VALUE IN ('abc','def'));
CREATE FUNCTION app.f(a text, b int DEFAULT 1 + 2) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT a || b::text';
CREATE FUNCTION app.g(a text, b varchar DEFAULT 'x') RETURNS text LANGUAGE sql IMMUTABLE AS $$SELECT CASE WHEN a IN ('x','y') AND b IN ('p','q') THEN a ELSE 'n' END$$;
CREATE TABLE t (
 id int PRIMARY KEY, a varchar(10), b text, c char(4), d numeric(10,2), e timestamptz, f date, g interval, h jsonb, i int[], j varchar(10)[], k mood, l code, m amount, n boolean, o bytea, p "char", q name, r uuid, s inet, u float8, v chars, w varchar, x bpchar,
 g1 text GENERATED ALWAYS AS (CASE WHEN a IN ('x','y') THEN a WHEN c IN ('q') THEN 'z' ELSE coalesce(b, 'none') END) STORED,
 g2 int GENERATED ALWAYS AS (id * 2 + coalesce(i[1], 0)) STORED,
 g3 boolean GENERATED ALWAYS AS (a IN ('x','y') OR l NOT IN ('a')) STORED,
 CONSTRAINT c01 CHECK (a IN ('x', 'y', 'z')),
 CONSTRAINT c02 CHECK (a NOT IN ('x', 'y')),
 CONSTRAINT c03 CHECK (c IN ('x', 'y')),
 CONSTRAINT c04 CHECK (l IN ('a', 'b')),
 CONSTRAINT c05 CHECK (b IN ('x', 'y') AND (id > 1 OR id < -1) AND NOT (n AND id = 5)),
 CONSTRAINT c06 CHECK (id BETWEEN 1 AND 10 OR d BETWEEN 1.5 AND 2.5),
 CONSTRAINT c07 CHECK (id NOT BETWEEN -5 AND -1),
 CONSTRAINT c08 CHECK (a::text = ANY (ARRAY['x'::varchar, 'y'::varchar]::text[])),
 CONSTRAINT c09 CHECK (a = ANY (ARRAY['x', 'y'])),
 CONSTRAINT c10 CHECK (a = ANY ('{x,y}'::varchar[])),
 CONSTRAINT c11 CHECK (b = ANY ('{x,y}'::text[])),
 CONSTRAINT c12 CHECK (j <@ ARRAY['x','y']::varchar[]),
 CONSTRAINT c13 CHECK (j && '{a,b}'),
 CONSTRAINT c14 CHECK (e > '2020-01-01' AND g < interval '1 day 2 hours' AND f > date '2020-01-01'),
 CONSTRAINT c15 CHECK (h ->> 'a' IN ('x', 'y') AND h ? 'b' AND (h->'c')::int > 3),
 CONSTRAINT c16 CHECK (k IN ('sad', 'ok') AND k <> 'happy'),
 CONSTRAINT c17 CHECK (CASE WHEN a = 'x' THEN b IS NULL WHEN a = 'y' THEN b IS NOT NULL ELSE true END),
 CONSTRAINT c18 CHECK (coalesce(a, 'x') <> '' AND nullif(b, '') IS NOT NULL AND greatest(id, 1) > 0),
 CONSTRAINT c19 CHECK (a ~ '^[a-z]+$' AND b !~* 'x' AND a LIKE 'x\_%' AND b ILIKE '%y' AND a SIMILAR TO 'x(y|z)' AND b LIKE 'q!%' ESCAPE '!'),
 CONSTRAINT c20 CHECK (id IN (1, 2, 3) AND d IN (1, 2.5)),
 CONSTRAINT c21 CHECK (id % 2 = 0 AND d / 3 > 1 AND -id < 0 AND id ^ 2 > 1),
 CONSTRAINT c22 CHECK (extract(year FROM e AT TIME ZONE 'UTC') > 2000),
 CONSTRAINT c23 CHECK ((id, a) IN ((1,'x'),(2,'y'))),
 CONSTRAINT c24 CHECK ((id, b) <> (1, 'x')),
 CONSTRAINT c25 CHECK (n IS TRUE OR n IS NOT FALSE OR n IS UNKNOWN),
 CONSTRAINT c26 CHECK (a IS DISTINCT FROM b),
 CONSTRAINT c27 CHECK (app.f(b) <> 'x' AND app.g(a) = 'y' AND length(trim(both ' ' from a)) > 0 AND position('x' in b) = 0 AND substring(b from 1 for 2) = 'xx' AND overlay(b placing 'x' from 1) = 'y'),
 CONSTRAINT c28 CHECK (a IN ('x')),
 CONSTRAINT c29 CHECK (NOT (a = 'x' OR NOT (b = 'y' AND NOT n))),
 CONSTRAINT c30 CHECK (o = '\xdeadbeef' AND r <> '00000000-0000-0000-0000-000000000000' AND s << '10.0.0.0/8' AND u > 1e-5 AND u < 0.1),
 CONSTRAINT c31 CHECK (p IN ('a','b') AND q IN ('n','m')),
 CONSTRAINT c32 CHECK (v IN ('abc') AND w IN ('ab','cd') AND x IN ('x','yy')),
 CONSTRAINT c33 CHECK (lower(a) IN ('x','y') AND a || b = 'xy' AND (a || 'x')::varchar IN ('q','r')),
 CONSTRAINT c34 CHECK (array_length(i, 1) = 3 AND 5 = ANY(i) AND i[1] > 2 AND i[1:2] = '{1,2}' AND id = ALL (ARRAY[1,2])),
 CONSTRAINT c35 CHECK (b COLLATE "C" > 'x' AND a COLLATE "C" IN ('x','y')),
 CONSTRAINT c36 CHECK (l = ANY (ARRAY['a'::code, 'b'::code])),
 CONSTRAINT c37 CHECK (a = ANY (ARRAY['x'::text, 'y'::text])),
 CONSTRAINT c38 CHECK (substring(a, 1, 1) IN ('x','y') AND a::text || 'y' IN ('1', '2')),
 CONSTRAINT c39 CHECK (j[1] IN ('a','b')),
 CONSTRAINT c40 CHECK (m BETWEEN 1 AND 5 AND m IN (1,2,3)),
 CONSTRAINT c41 CHECK (a <> ALL (ARRAY['x'::varchar,'y'::varchar]) AND c <> ALL (ARRAY['x','y'])),
 CONSTRAINT c42 CHECK (a IN ('x', 'it''s', 'a::text', 'b)::x', '')),
 CONSTRAINT c43 CHECK (a IN (b, 'x', NULL) AND (a,c) = ('x','y')),
 CONSTRAINT c44 CHECK (a = 'x'::varchar(5) OR a IN ('aa'::varchar(3), 'bb'::varchar(3))),
 CONSTRAINT c45 CHECK (f + 1 > current_date - interval '1 month' OR (f, f + 5) OVERLAPS ('2020-01-01'::date, '2021-01-01'::date))
);
ALTER TABLE t ALTER a SET DEFAULT 'x', ALTER b SET DEFAULT 'a' || 'b', ALTER e SET DEFAULT now() - interval '1 day', ALTER i SET DEFAULT '{1,2}', ALTER j SET DEFAULT ARRAY['x','y'], ALTER h SET DEFAULT '{"a": 1}', ALTER k SET DEFAULT 'ok', ALTER d SET DEFAULT 1.50, ALTER n SET DEFAULT false, ALTER l SET DEFAULT 'a', ALTER c SET DEFAULT 'ab', ALTER g SET DEFAULT '1 mon', ALTER v SET DEFAULT 'abc', ALTER f SET DEFAULT ('now'::text)::date;
CREATE INDEX i1 ON t (lower(a), (b || a)) WHERE a IN ('x','y') AND b IS NOT NULL;
CREATE INDEX i2 ON t ((a IN ('x','y'))) WHERE l NOT IN ('a');
CREATE INDEX i3 ON t ((h ->> 'x'), e DESC NULLS LAST) INCLUDE (id) WHERE e > '2020-01-01'::timestamptz;
CREATE INDEX i4 ON t ((CASE WHEN c IN ('a','b') THEN 1 ELSE 0 END)) WHERE id = ANY (ARRAY[1,2]);
CREATE UNIQUE INDEX i5 ON t (a varchar_pattern_ops, (coalesce(w, 'x'))) WHERE v IN ('abc','def');
ALTER TABLE t ENABLE ROW LEVEL SECURITY;
CREATE POLICY p1 ON t USING (a IN ('x','y') AND b = current_user) WITH CHECK (c NOT IN ('q','r') OR EXISTS (SELECT 1 FROM t t2 WHERE t2.a IN ('p','q') AND t2.id = t.id));
CREATE VIEW v1 AS SELECT t.a, x.b, count(*) FILTER (WHERE t.a IN ('x','y')) AS n FROM t LEFT JOIN t x ON x.id = t.id AND x.a IN ('m','n') WHERE t.c IN ('o','p') GROUP BY 1, 2 HAVING count(*) > 1 ORDER BY 1;
CREATE VIEW v2 AS WITH r AS (SELECT id, a FROM t WHERE w IN ('ab','cd')), q AS MATERIALIZED (SELECT * FROM r) SELECT q.*, CASE WHEN q.a IN ('1','2') THEN 1 END AS z, row_number() OVER (PARTITION BY q.a ORDER BY q.id) AS rn FROM q NATURAL JOIN r;
CREATE VIEW v3 AS SELECT t.* FROM t JOIN v1 USING (a) WHERE EXISTS (SELECT 1 FROM v2 WHERE v2.a = t.a AND v2.a NOT IN ('e','f')) UNION ALL SELECT t.* FROM t JOIN v1 USING (a) LIMIT 5;
CREATE VIEW v4 AS WITH RECURSIVE n(x, p) AS (SELECT 1, 'a'::varchar UNION ALL SELECT x + 1, p FROM n WHERE x < 10 AND p IN ('a','b')) SELECT x, p FROM n;
CREATE VIEW v5 AS SELECT 'lit' AS l_, 'lit'::varchar AS m_, NULL AS nn, ARRAY['a','b'] AS arr, ARRAY['a','b']::varchar[] AS varr, '{a}'::varchar[] AS larr, (SELECT max(id) FROM t) AS s_, t.* FROM t, LATERAL (SELECT t.id + 1 AS y) lat, generate_series(1,3) gs(z) WHERE (t.id, t.a) IN (SELECT id, a FROM t) AND t.a = ANY (SELECT w FROM t);
CREATE VIEW v6 AS SELECT a FROM t WHERE (a IN ('x','y')) IS TRUE AND (SELECT a IN ('p','q')) WITH LOCAL CHECK OPTION;
CREATE MATERIALIZED VIEW mv AS SELECT a, sum(id) AS s FROM t WHERE a IN ('x','y') GROUP BY CUBE (a);
CREATE FUNCTION trg() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RETURN NEW; END$$;
CREATE TRIGGER tr1 BEFORE UPDATE OF a ON t FOR EACH ROW WHEN (NEW.a IN ('x','y') AND OLD.c IS DISTINCT FROM NEW.c) EXECUTE FUNCTION trg('a', 'b');
CREATE RULE r1 AS ON INSERT TO v2 WHERE NEW.a IN ('x','y') DO INSTEAD INSERT INTO t (id, a) VALUES (NEW.id, CASE WHEN NEW.a IN ('x','y') THEN 'q' ELSE 'z' END);
CREATE TABLE part (id int, region varchar(5), d date) PARTITION BY LIST (region);
CREATE TABLE part_a PARTITION OF part FOR VALUES IN ('eu', 'us');
CREATE TABLE partx (id int, region varchar(5), d date) PARTITION BY LIST ((lower(region)));
CREATE TABLE partx_a PARTITION OF partx FOR VALUES IN ('eu', 'us');
CREATE TABLE parte (id int, region varchar(5), d date) PARTITION BY LIST ((region IN ('a','b')));
ALTER TABLE part_a ADD CONSTRAINT pc CHECK (region IN ('eu','us'));
ALTER TABLE part ADD CONSTRAINT pp CHECK (region IN ('eu','us', 'zz'));
CREATE TABLE ex (a int4range, b varchar, EXCLUDE USING gist (a WITH &&) WHERE (b IN ('x','y')));
CREATE SEQUENCE sq; 
ALTER TABLE part ALTER id SET DEFAULT nextval('sq');
