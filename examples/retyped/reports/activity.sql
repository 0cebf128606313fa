-- Who wrote most.
SELECT u.name, count(*) AS notes
FROM users AS u
JOIN notes AS n ON n.user_id = CAST(u.id AS text)
GROUP BY u.name;
