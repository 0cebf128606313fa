-- Rows for all 38 tables of the sample, the same in every drill: 120 users and what they have left behind in a year.
-- Keys that people see are made of a word and a number. What may expire does so long after anybody reads this.

INSERT INTO users (id, email, full_name, password_hash, status, locale, time_zone, created_at, updated_at, display_name)
SELECT md5('user ' || n)::uuid, 'user' || n || '@example.org', CASE WHEN n % 3 > 0 THEN 'Person Number ' || n END,
       CASE WHEN n % 4 > 0 THEN '$argon2id$' || md5('password ' || n) END, 'active',
       (ARRAY['en', 'de', 'fr'])[n % 3 + 1], 'Europe/Berlin', moment, moment, 'user ' || n
FROM generate_series(1, 120) AS n, LATERAL (SELECT timestamptz '2026-01-01 08:00Z' + n * interval '1 hour') AS at (moment);

INSERT INTO user_settings (user_id, preferred_channel, updated_at)
SELECT id, CASE WHEN display_name LIKE '%5' THEN 'sms' ELSE 'web' END::channel, created_at FROM users;

INSERT INTO user_roles (user_id, role_id, granted_at)
SELECT account.id, role.id, account.created_at
FROM users AS account JOIN roles AS role ON role.name = CASE WHEN account.display_name = 'user 1' THEN 'admin' ELSE 'member' END;

INSERT INTO user_sessions (id, user_id, ip_address, user_agent, created_at, last_seen_at, expires_at, revoked_at)
SELECT md5('session ' || n)::uuid, md5('user ' || n % 120 + 1)::uuid, ('198.51.100.' || n % 250)::inet, 'Firefox',
       moment, moment, '2099-01-01Z', CASE WHEN n % 9 = 0 THEN moment END
FROM generate_series(1, 400) AS n, LATERAL (SELECT timestamptz '2026-03-01 08:00Z' + n * interval '1 hour') AS at (moment);

INSERT INTO auth_tokens (user_id, session_id, kind, token_hash, issued_at, expires_at, consumed_at)
SELECT user_id, id, 'refresh', sha256(id::text::bytea), created_at, '2099-01-01Z', revoked_at
FROM user_sessions ORDER BY created_at;

INSERT INTO mfa_configurations (id, user_id, method, label, secret, is_primary, confirmed_at, created_at)
SELECT md5('factor ' || n)::uuid, md5('user ' || n)::uuid, 'totp', 'telephone', sha256(('factor ' || n)::bytea),
       n % 2 = 0, '2026-02-01Z', '2026-02-01Z'
FROM generate_series(1, 60) AS n;

INSERT INTO security_events (user_id, session_id, kind, severity, ip_address, details, occurred_at)
SELECT user_id, id, 'login', 0, ip_address, jsonb_build_object('agent', user_agent), created_at
FROM user_sessions ORDER BY created_at;

INSERT INTO access_audit_logs (user_id, action, resource, resource_id, allowed, reason, occurred_at)
SELECT md5('user ' || n % 120 + 1)::uuid, 'read', 'notes', n::text, n % 10 > 0, CASE WHEN n % 10 = 0 THEN 'not theirs' END,
       timestamptz '2026-04-01Z' + n * interval '1 minute'
FROM generate_series(1, 300) AS n;

INSERT INTO conversation_states (id, user_id, channel, title, context, started_at, updated_at)
SELECT md5('conversation ' || n)::uuid, md5('user ' || n % 120 + 1)::uuid, 'web', 'Conversation ' || n, '{"topic": "garden"}',
       moment, moment
FROM generate_series(1, 150) AS n, LATERAL (SELECT timestamptz '2026-04-01Z' + n * interval '1 hour') AS at (moment);

INSERT INTO conversation_messages (conversation_id, position, author, body, model, token_count, created_at)
SELECT md5('conversation ' || n)::uuid, place, CASE WHEN place % 2 = 1 THEN 'user' ELSE 'assistant' END::message_author,
       'Message ' || place, CASE WHEN place % 2 = 0 THEN 'small' END, place * 7,
       timestamptz '2026-04-01Z' + n * interval '1 hour' + place * interval '1 minute'
FROM generate_series(1, 150) AS n, generate_series(1, 8) AS place ORDER BY n, place;

INSERT INTO memory_context_items (id, conversation_id, user_id, source_message_id, kind, content, relevance, created_at)
SELECT md5('context ' || id)::uuid, id, user_id, last_message_id, 'summary', 'In short: ' || title, 0.75, started_at
FROM conversation_states;

INSERT INTO ltm_contexts (user_id, name, description, created_at)
SELECT id, 'work', 'What pays', created_at FROM users ORDER BY created_at;

INSERT INTO ltm_memories (id, user_id, context_id, kind, content, importance, source, created_at, updated_at)
SELECT md5('memory ' || n)::uuid, context.user_id, context.id, 'semantic', 'Likes number ' || n, n % 10 / 10.0,
       '{"conversation": 1}', context.created_at, context.created_at
FROM ltm_contexts AS context, generate_series(1, 2) AS twice, LATERAL (SELECT context.id * 2 + twice) AS numbered (n);

INSERT INTO ltm_memory_access (memory_id, score, was_useful, accessed_at)
SELECT id, 0.5, true, created_at + interval '1 day' FROM ltm_memories ORDER BY id;

INSERT INTO ltm_memory_relationships (from_memory_id, to_memory_id, kind, strength, created_at)
SELECT older.id, newer.id, 'follows', 0.5, newer.created_at
FROM ltm_memories AS older JOIN ltm_memories AS newer ON newer.context_id = older.context_id AND newer.id > older.id;

INSERT INTO ltm_memory_tags (memory_id, tag, created_at) SELECT id, 'likes', created_at FROM ltm_memories;

INSERT INTO sms_router_configs (name, provider, country_codes, in_force, created_at)
VALUES ('first', 'carrier', '{DE,AT}', '[2026-01-01Z,)', '2026-01-01Z');

INSERT INTO user_phone_mappings (user_id, phone_number, label, verified_at, created_at)
SELECT md5('user ' || n)::uuid, '+4930' || 100000 + n, 'mobile', '2026-02-01Z', '2026-02-01Z' FROM generate_series(1, 80) AS n;

INSERT INTO sms_usage_logs (user_id, router_config_id, phone_mapping_id, direction, status, cost, provider_message_id, sent_at)
SELECT phone.user_id, router.id, phone.id, 'outbound', 'delivered', 0.07, 'message-' || phone.id || '-' || n,
       timestamptz '2026-05-01Z' + n * interval '1 day'
FROM user_phone_mappings AS phone, sms_router_configs AS router, generate_series(1, 3) AS n ORDER BY phone.id, n;

INSERT INTO recurrence_patterns (user_id, frequency, weekdays, starts_on)
SELECT md5('user ' || n)::uuid, 'weekly', '{1,4}', '2026-02-02' FROM generate_series(1, 30) AS n;

INSERT INTO todos (id, user_id, title, status, priority, labels, due_on, completed_at, created_at, updated_at)
SELECT md5('todo ' || n)::uuid, md5('user ' || n % 120 + 1)::uuid, 'To do ' || n, CASE WHEN n % 3 = 0 THEN 'done' ELSE 'open' END::todo_status,
       n % 5 + 1, '{home}', date '2026-06-01' + n, CASE WHEN n % 3 = 0 THEN timestamptz '2026-05-20Z' END, '2026-05-01Z', '2026-05-01Z'
FROM generate_series(1, 240) AS n;

INSERT INTO tasks (user_id, todo_id, kind, state, attempts, run_after, started_at, finished_at, created_at, updated_at)
SELECT user_id, id, 'remind', 'succeeded', 1, created_at, created_at, created_at + interval '1 second', created_at, created_at
FROM todos WHERE status = 'done' ORDER BY id;

INSERT INTO task_results (task_id, attempt, state, output, duration, finished_at)
SELECT id, 1, 'succeeded', '{"sent": true}', '1 second', finished_at FROM tasks;

INSERT INTO ai_tasks (id, task_id, model, prompt, cost_usd, created_at)
SELECT md5('ai ' || id)::uuid, id, 'small', 'Remind me', 0.000125, created_at FROM tasks;

INSERT INTO reminders (id, user_id, todo_id, channel, message, remind_at, created_at)
SELECT md5('reminder ' || id)::uuid, user_id, id, 'web', title, '2099-01-01Z', created_at FROM todos WHERE status = 'open';

INSERT INTO events (id, user_id, recurrence_id, title, attendees, starts_at, ends_at, source, external_id, created_at, updated_at)
SELECT md5('event ' || n)::uuid, pattern.user_id, pattern.id, 'Meeting ' || n, '{somebody@example.org}', moment, moment + interval '1 hour',
       'calendar', 'external-' || n, '2026-05-01Z', '2026-05-01Z'
FROM recurrence_patterns AS pattern, generate_series(1, 4) AS week,
     LATERAL (SELECT pattern.id * 4 + week, timestamptz '2026-06-01 09:00Z' + week * interval '7 days') AS numbered (n, moment);

INSERT INTO event_creation_logs (event_id, conversation_id, requested_text, parsed, confidence, created_at)
SELECT id, NULL, 'Let us meet', '{"title": "Meeting"}', 0.9, created_at FROM events ORDER BY id;

INSERT INTO event_processing_log (event_id, step, outcome, processed_at)
SELECT id, 'import', 'done', created_at FROM events ORDER BY id;

INSERT INTO expenses (user_id, category_id, amount, exchange_rate, spent_on, merchant, created_at)
SELECT md5('user ' || n % 120 + 1)::uuid, category.id, n % 90 + 0.99, 1.1, date '2026-05-01' + n % 28, 'Shop ' || n % 7, '2026-06-01Z'
FROM generate_series(1, 100) AS n, (SELECT id FROM expense_categories ORDER BY id LIMIT 3) AS category ORDER BY n, category.id;

INSERT INTO grocery_items (user_id, name, quantity, unit, price, purchased_at, created_at, updated_at)
SELECT md5('user ' || n)::uuid, 'Item ' || n, 2, 'piece', 1.29, CASE WHEN n % 2 = 0 THEN timestamptz '2026-06-02Z' END, '2026-06-01Z', '2026-06-01Z'
FROM generate_series(1, 120) AS n;

INSERT INTO grocery_deals (store, item_name, price, regular_price, valid_from, valid_until, source_url, created_at)
SELECT 'Store ' || n % 5, 'Item ' || n, 0.99, 1.49, '2026-06-01', '2026-06-07', 'https://example.org/' || n, '2026-05-30Z'
FROM generate_series(1, 200) AS n;

INSERT INTO grocery_analysis (user_id, period_start, period_end, spent, could_save, breakdown, suggestions, created_at)
SELECT id, '2026-05-01', '2026-06-01', 210.5, 12.25, '{"bread": 40}', '{bake}', '2026-06-01Z' FROM users;

INSERT INTO notes (id, user_id, title, body, tags, created_at, updated_at)
SELECT md5('note ' || n)::uuid, md5('user ' || n % 120 + 1)::uuid, 'Note ' || n, 'The body of note ' || n, '{idea}', '2026-05-01Z', '2026-05-01Z'
FROM generate_series(1, 240) AS n;

INSERT INTO note_sync_log (note_id, device_id, direction, version, synced_at)
SELECT id, md5('device')::uuid, 'push', 1, created_at FROM notes ORDER BY id;
