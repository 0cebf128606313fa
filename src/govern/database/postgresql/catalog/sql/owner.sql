-- Only what belongs to somebody else than the usual owner.
SELECT o.namespace, o.kind AS prefix, o.parent, o.name, o.signature, pg_get_userbyid(o.owner)::text AS role
FROM object o CROSS JOIN usual
WHERE o.owner <> 0 AND o.owner <> usual.role
