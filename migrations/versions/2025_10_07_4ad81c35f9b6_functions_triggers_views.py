"""What the database does by itself: functions, triggers, views and the policy on notes.

The counters of conversations were kept by the application, which lost count now and then: they are
counted once more before the trigger takes over.

Revision ID: 4ad81c35f9b6
Revises: c60be2f7194d
Create Date: 2025-10-07
"""

from alembic import op

revision = "4ad81c35f9b6"
down_revision = "c60be2f7194d"
branch_labels = None
depends_on = None

TOUCHED = (
    "users",
    "user_settings",
    "conversation_states",
    "todos",
    "tasks",
    "events",
    "grocery_items",
    "notes",
    "ltm_memories",
)

TOUCH_UPDATED_AT = """
CREATE FUNCTION touch_updated_at() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    NEW.updated_at := now();
    RETURN NEW;
END
$$
"""

COUNT_MESSAGES = """
CREATE FUNCTION count_messages() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE conversation_states AS state
    SET message_count = state.message_count + added.messages,
        last_message_id = added.last_id
    FROM (
        SELECT conversation_id, count(*) AS messages, max(id) AS last_id
        FROM new_messages
        GROUP BY conversation_id
    ) AS added
    WHERE state.id = added.conversation_id;
    RETURN NULL;
END
$$
"""

COUNT_ONCE = """
UPDATE conversation_states AS state
SET message_count = counted.messages,
    last_message_id = counted.last_id
FROM (
    SELECT conversation.id, count(message.id) AS messages, max(message.id) AS last_id
    FROM conversation_states AS conversation
    LEFT JOIN conversation_messages AS message ON message.conversation_id = conversation.id
    GROUP BY conversation.id
) AS counted
WHERE state.id = counted.id
  AND (state.message_count, state.last_message_id) IS DISTINCT FROM (counted.messages, counted.last_id)
"""

OPEN_SESSIONS = """
CREATE VIEW open_sessions AS
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
  AND account.deleted_at IS NULL
"""

MONTHLY_SPENDING = """
CREATE VIEW monthly_spending AS
SELECT expense.user_id,
       date_trunc('month', expense.spent_on::timestamp)::date AS month,
       category.id AS category_id,
       category.name AS category,
       sum(expense.amount_converted) AS spent,
       category.monthly_limit,
       count(*) AS expenses
FROM expenses AS expense
JOIN expense_categories AS category ON category.id = expense.category_id
GROUP BY expense.user_id, month, category.id
"""

NOTES_OF_ONE_USER = """
CREATE POLICY notes_of_one_user ON notes
    USING (user_id = nullif(current_setting('app.user_id', true), '')::uuid)
    WITH CHECK (user_id = nullif(current_setting('app.user_id', true), '')::uuid)
"""

COMMENTS = {
    "FUNCTION touch_updated_at()": "Notes when a row was last changed, whoever changed it",
    "FUNCTION count_messages()": "Keeps message_count and last_message_id of the conversations written to",
    "VIEW open_sessions": "Who is signed in at this moment",
    "VIEW monthly_spending": "Spending by month and category, beside the limit the user set",
    "POLICY notes_of_one_user ON notes": "Users read and write their own notes only",
    "TABLE notes": "Notes; the policy notes_of_one_user keeps them apart",
    "COLUMN conversation_states.message_count": "Kept by the trigger count_messages",
    "COLUMN conversation_states.last_message_id": "Kept by the trigger count_messages",
}


def upgrade() -> None:
    op.execute(COUNT_ONCE)

    op.execute(TOUCH_UPDATED_AT)
    for table in TOUCHED:
        op.execute(
            f"CREATE TRIGGER touch_updated_at BEFORE UPDATE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION touch_updated_at()"
        )
    op.execute(COUNT_MESSAGES)
    op.execute(
        "CREATE TRIGGER count_messages AFTER INSERT ON conversation_messages "
        "REFERENCING NEW TABLE AS new_messages FOR EACH STATEMENT EXECUTE FUNCTION count_messages()"
    )

    op.execute(OPEN_SESSIONS)
    op.execute(MONTHLY_SPENDING)

    op.execute("ALTER TABLE notes ENABLE ROW LEVEL SECURITY")
    op.execute(NOTES_OF_ONE_USER)

    for subject, comment in COMMENTS.items():
        op.execute(f"COMMENT ON {subject} IS '{comment}'")


def downgrade() -> None:
    op.execute("COMMENT ON COLUMN conversation_states.last_message_id IS NULL")
    op.execute("COMMENT ON COLUMN conversation_states.message_count IS NULL")
    op.execute("COMMENT ON TABLE notes IS 'Notes'")
    op.execute("DROP POLICY notes_of_one_user ON notes")
    op.execute("ALTER TABLE notes DISABLE ROW LEVEL SECURITY")
    op.execute("DROP VIEW monthly_spending")
    op.execute("DROP VIEW open_sessions")
    op.execute("DROP TRIGGER count_messages ON conversation_messages")
    op.execute("DROP FUNCTION count_messages()")
    for table in TOUCHED:
        op.execute(f"DROP TRIGGER touch_updated_at ON {table}")
    op.execute("DROP FUNCTION touch_updated_at()")
