-- Functions the triggers call. Each can be run again: it replaces itself.

CREATE OR REPLACE FUNCTION touch_updated_at() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    NEW.updated_at := now();
    RETURN NEW;
END
$$;

COMMENT ON FUNCTION touch_updated_at() IS 'Notes when a row was last changed, whoever changed it';


CREATE OR REPLACE FUNCTION count_messages() RETURNS trigger
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
$$;

COMMENT ON FUNCTION count_messages() IS 'Keeps message_count and last_message_id of the conversations written to';
