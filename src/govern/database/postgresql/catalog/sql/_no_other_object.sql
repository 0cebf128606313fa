-- Stands in for other_object where there are none: the server plans nothing.
SELECT 0::oid AS class, 0::oid AS oid, ''::text AS kind, 0::oid AS space, ''::text AS name, ''::text AS signature,
  0::oid AS owner, NULL::aclitem[] AS acl, ''::"char" AS acl_type, 0::oid AS acl_owner, ''::text AS namespace
WHERE false
