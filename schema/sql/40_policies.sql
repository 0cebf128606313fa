-- Row-level security. The application says whom it serves at the start of every transaction:
--   SET LOCAL app.user_id = '…';
-- A role that does not own the table sees no note before it has said so. The owner (migrations, backups) sees all.

ALTER TABLE notes ENABLE ROW LEVEL SECURITY;

CREATE POLICY notes_of_one_user ON notes
    USING (user_id = nullif(current_setting('app.user_id', true), '')::uuid)
    WITH CHECK (user_id = nullif(current_setting('app.user_id', true), '')::uuid);

COMMENT ON POLICY notes_of_one_user ON notes IS 'Users read and write their own notes only';
