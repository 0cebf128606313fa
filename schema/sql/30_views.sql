-- Views: questions that are asked in more than one place.

CREATE OR REPLACE VIEW open_sessions AS
SELECT session.id,
       session.user_id,
       account.display_name,
       session.ip_address,
       session.last_seen_at,
       session.expires_at
FROM user_sessions AS session
JOIN users AS account ON account.id = session.user_id
WHERE session.revoked_at IS NULL
  AND session.expires_at > now()
  AND account.deleted_at IS NULL;

COMMENT ON VIEW open_sessions IS 'Who is signed in at this moment';


CREATE OR REPLACE VIEW monthly_spending AS
SELECT expense.user_id,
       date_trunc('month', expense.spent_on::timestamp)::date AS month,
       category.id AS category_id,
       category.name AS category,
       sum(expense.amount_converted) AS spent,
       category.monthly_limit,
       count(*) AS expenses
FROM expenses AS expense
JOIN expense_categories AS category ON category.id = expense.category_id
GROUP BY expense.user_id, month, category.id;

COMMENT ON VIEW monthly_spending IS 'Spending by month and category, beside the limit the user set';
