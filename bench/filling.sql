-- Connections, each with its location, arrival, state changes, call and payment. `count` of them in all.
--
-- What needs work now is as much in every size, so that a page shows as many rows at a thousand as at a million:
-- the newest 120 wait, the newest 500 arrived today, a hundred are disputed and a hundred must be looked at
-- (count / 100 + 1 shares no factor with 100). All others are spread evenly over the year before. Names tell
-- nothing of when their bearers came (7919 is prime).
CREATE FUNCTION pg_temp.moment(k bigint) RETURNS timestamptz LANGUAGE sql IMMUTABLE AS $$
    SELECT %(now)s::timestamptz - CASE
        WHEN k < 120 THEN k * interval '24 seconds'
        WHEN k < 500 THEN interval '50 minutes' + (k - 120) * interval '1 minute'
        ELSE interval '12 hours' + (k - 500) * (interval '364 days' / %(count)s)
    END
$$;

INSERT INTO accounts_user (id, password, is_superuser, email, name, phone, language, is_staff, is_active, joined_at)
SELECT 1000 + n, '', false, 'person' || n || '@salon.example', 'Person ' || n::bigint * 7919 %% %(count)s, '+380' || n, '', false, true, %(now)s
FROM generate_series(4, %(count)s, 4) n;

INSERT INTO accounts_customer (external_id, email, name, phone, language, user_id, made_account, created_at, updated_at)
SELECT 'C-' || id, email, name, '', '', CASE WHEN id %% 8 = 0 THEN id END, false, %(now)s, %(now)s
FROM accounts_user WHERE email LIKE 'person%%@salon.example';

INSERT INTO connections_location (id, altegio_id, title, public_title, phone, email, country, city, address,
    timezone_name, first_seen_at)
SELECT n, n, 'Salon ' || n::bigint * 7919 %% %(count)s, '', '+7' || n, '', 'UA', 'Kyiv', '', '', %(now)s FROM generate_series(1, %(count)s) n;

INSERT INTO connections_connection (id, application_id, location_id, state, reason, altegio_words, claim, owner_id,
    arrived_at, last_arrived_at, deadline_at, activated_at, next_payment_at, warned, review)
SELECT n, CASE n %% 20 WHEN 0 THEN %(telephony)s ELSE %(sms)s END, n, s.state, '', '', 'u:' || n,
    CASE WHEN s.state IN ('active', 'frozen') THEN 1000 + n - n %% 4 END, t.at, t.at, t.at + interval '1 hour',
    CASE WHEN s.state IN ('active', 'frozen') THEN t.at END,
    CASE WHEN n %% (%(count)s / 100 + 1) = 5 THEN %(now)s ELSE t.at + interval '366 days' END, 0,
    CASE WHEN n %% (%(count)s / 100 + 1) = 1 THEN 'Look' ELSE '' END
FROM generate_series(4, %(count)s) n
CROSS JOIN LATERAL (SELECT pg_temp.moment(%(count)s - n) AS at) t
CROSS JOIN LATERAL (SELECT CASE WHEN n > %(count)s - 120 THEN 'granted'
    WHEN n %% (%(count)s / 100 + 1) = 2 THEN 'conflict'
    WHEN n > %(count)s - 500 AND n %% 4 = 3 THEN 'failed'
    WHEN n %% 100 < 6 THEN 'failed' WHEN n %% 100 < 12 THEN 'expired' WHEN n %% 100 < 18 THEN 'frozen'
    WHEN n %% 100 < 25 THEN 'uninstalled' ELSE 'active' END AS state) s;

INSERT INTO connections_connectionchange (connection_id, at, from_state, to_state, why)
SELECT id, arrived_at, '', 'granted', '' FROM connections_connection
UNION ALL
SELECT id, arrived_at + interval '10 seconds', 'granted', state, '' FROM connections_connection
WHERE state <> 'granted';

INSERT INTO backoffice_connectionnote (connection_id, text, by_id, at)
SELECT id, 'Called, and asked about the sender name.', NULL, arrived_at FROM connections_connection WHERE id <= %(count)s / 10;

INSERT INTO outbox_outgoingcall (kind, key, ordering_key, coalesce_key, connection_id, params, priority, state, deadline_at,
    due_at, attempt_count, setbacks, reason, request_id, created_at, finished_at)
SELECT CASE WHEN id %% (%(count)s / 100 + 1) = 3 AND state <> 'granted' THEN 'uninstall' ELSE 'activate' END, 'activate:' || id,
    'connection:' || id, '', id, '{}', 0,
    CASE state WHEN 'granted' THEN 'queued' WHEN 'conflict' THEN 'held' WHEN 'failed' THEN 'refused'
        WHEN 'expired' THEN 'expired' ELSE 'done' END, deadline_at, arrived_at, 1, id %% 2, '', '', arrived_at,
    CASE WHEN state NOT IN ('granted', 'conflict') THEN arrived_at END
FROM connections_connection;

INSERT INTO connections_arrival (id, application_id, arrived_at, deadline_at, last_seen_at, visits, salon_ids,
    crm_token, salon_name, claim, digest, user_id, expected_user_id, expected_address_hash,
    signed_up, request_id)
SELECT id, application_id, arrived_at, deadline_at, arrived_at, 1, jsonb_build_array(id), '', '', '', '', owner_id,
    CASE WHEN id %% (%(count)s / 100 + 1) = 6 THEN 1004 END,
    CASE WHEN id %% (%(count)s / 100 + 1) = 6 THEN md5('1004') ELSE '' END, false, '' FROM connections_connection;
INSERT INTO connections_arrivallocation (arrival_id, connection_id)
SELECT id, id FROM connections_connection;

INSERT INTO alerts_alert (key, kind, text, connection_id, raised_at, cleared_at)
SELECT 'a:' || id, 'call', 'refused', id, arrived_at, CASE WHEN id <= %(count)s - 300 THEN arrived_at END
FROM connections_connection WHERE state = 'failed';

INSERT INTO billing_payment (external_id, content_digest, source, connection_id, application_id, location_id, amount, currency,
    paid_at, period_from, period_to, status, error, altegio_payment_id, report_round, refund_round, recorded_at,
    reported_at)
SELECT 'bill-' || id, '', 'api', id, application_id, location_id, 990.99, 'EUR', arrived_at, arrived_at,
    arrived_at + interval '30 days', CASE WHEN id %% (%(count)s / 100 + 1) = 7 THEN 'failed' ELSE 'reported' END, '', id,
    0, 0, arrived_at, arrived_at
FROM connections_connection WHERE activated_at IS NOT NULL;

-- What the watch looks at besides, as many rows of each kind. All but a few are done, and those wait as they should.
UPDATE billing_payment SET status = 'queued', altegio_payment_id = NULL, reported_at = NULL
WHERE id IN (SELECT id FROM billing_payment WHERE status = 'reported' ORDER BY id DESC LIMIT 100);
INSERT INTO outbox_outgoingcall (kind, key, ordering_key, coalesce_key, connection_id, params, priority, state, due_at, attempt_count,
    setbacks, reason, request_id, created_at)
SELECT 'report_payment', 'payment:' || id || ':0', 'connection:' || connection_id, '', connection_id, '{}', 20,
    'queued', %(now)s, 0, 0, '', '', %(now)s
FROM billing_payment WHERE status = 'queued';

INSERT INTO outbox_outgoingcall (kind, key, ordering_key, coalesce_key, connection_id, params, priority, state, due_at, attempt_count,
    setbacks, reason, request_id, created_at, finished_at)
SELECT (ARRAY['ask_status', 'check_status', 'short_names', 'update_channel', 'switch_telephony', 'fetch_payment_link',
    'give_discount', 'refund_payment', 'call_history', 'reconcile', 'short_statuses'])[1 + id %% 11], 'done:' || id,
    'connection:' || id, '', id, '{}', 20, 'done', arrived_at, 1, 0, '', '', arrived_at, arrived_at
FROM connections_connection;

INSERT INTO connections_installation (id, application_id, location_id, api_key, api_key_hash, events_key,
    events_key_hash)
SELECT n, %(sms)s, n, '', 'k' || n, '', 'e' || n FROM generate_series(1, %(count)s) n;
INSERT INTO billing_periodnotice (installation_id, kind, ends_at, noted_at)
SELECT n, 'ending', %(now)s, %(now)s FROM generate_series(1, %(count)s) n;
INSERT INTO webhooks_event (installation_id, received_at, body, digest, forwarded_at, flag, is_duplicate)
SELECT 1, %(now)s, '{}', 'd' || n, CASE WHEN n <= %(count)s - 100 THEN %(now)s::timestamptz END, '', false
FROM generate_series(1, %(count)s) n;
INSERT INTO webhooks_delivery (target, application_id, event_ids, count, state, attempt_count, created_at, due_at, error)
SELECT 'log', %(sms)s, '[]', 1, CASE WHEN n <= %(count)s - 100 THEN 'delivered' ELSE 'waiting' END, 1,
    %(now)s, %(now)s, ''
FROM generate_series(1, %(count)s) n;
INSERT INTO partner_events_webhookendpoint (id, url, description, types, is_active, secret, previous_secret, created_at)
VALUES (1, 'https://partner.example/', '', '[]', true, '', '', %(now)s);
INSERT INTO partner_events_partnerevent (id, message_id, type, application_id, connection_id, body, created_at, position)
SELECT n, 'evt_' || n, 'connection.activated', %(sms)s, NULL, '', %(now)s,
    CASE WHEN n <= %(count)s - 100 THEN n END
FROM generate_series(1, %(count)s) n;
INSERT INTO partner_events_webhookdelivery (endpoint_id, event_id, ordering_key, state, attempt_count, due_at, error,
    created_at)
SELECT 1, n, n, CASE WHEN n <= %(count)s - 100 THEN 'delivered' ELSE 'waiting' END, 1, %(now)s, '', %(now)s
FROM generate_series(1, %(count)s) n;
INSERT INTO lifecycle_callback (received_at, event, salon_id, application_altegio_id, body, state, note,
    connection_id)
SELECT %(now)s, 'freeze', id, 1, '{}', CASE WHEN state = 'granted' THEN 'waiting' ELSE 'confirmed' END, '', id
FROM connections_connection;

INSERT INTO accounts_outgoingemail (key, template, "to", language, params, created_at, sent_at, attempt_count, error, person_id)
SELECT 'l:' || n, 'news', '', '', '{}', pg_temp.moment(%(count)s - n),
    CASE WHEN n <= %(count)s - 100 THEN %(now)s::timestamptz END, 1, '', 1004
FROM generate_series(1, %(count)s) n;
INSERT INTO accounts_notification (key, kind, "group", subject, at, sent_at, person_id)
SELECT 'n:' || n, 'connected', '', n, pg_temp.moment(%(count)s - n),
    CASE WHEN n <= %(count)s - 100 THEN %(now)s::timestamptz END, 1004
FROM generate_series(1, %(count)s) n;

INSERT INTO connections_chain (id, altegio_id, title, crm_token, telephony, telephony_error, telephony_round)
SELECT n, 1000000000 + n, '', '', 'off', '', 0 FROM generate_series(1, %(count)s) n;
INSERT INTO telephony_phonecall (chain_id, call_id, type, phone, diversion, "user", link, status, state, error, attempt_count,
    received_at)
SELECT n, '', 'incoming', '+380671234567', '1', '', '', '', 'saved', '', 1, %(now)s FROM generate_series(1, %(count)s) n;
INSERT INTO messaging_callbackaddress (id, host, path) SELECT n, 'app', '/' || n FROM generate_series(1, 100) n;
INSERT INTO messaging_statusbatch (address_id, state, first_id, size, alone, tallied, received_at, refusal)
SELECT 1 + n %% 100, 'sent', n, 1, false, true, %(now)s, '' FROM generate_series(1, %(count)s) n;
INSERT INTO messaging_requestedmessage (connection_id, send_id, id_is_number, phone, text, callback, sender_name, channel,
    category, state, received_at, position)
SELECT id, 's' || id, false, '', '', '', 'Salon', 'sms', 'service',
    CASE WHEN row_number() OVER (ORDER BY id DESC) <= 100 THEN 'requested' ELSE 'delivered' END, %(now)s, id
FROM connections_connection;
INSERT INTO messaging_channelswitch (installation_id, slug, is_available, sync_state, sync_error)
SELECT n, 'sms', true, 'synced', '' FROM generate_series(1, %(count)s) n;
INSERT INTO chat_chatpanel (installation_id, url, sync_state, sync_error)
SELECT n, 'https://chat.example.com/', 'synced', '' FROM generate_series(1, %(count)s) n;
INSERT INTO chat_chatsignal (connection_id, kind, phone, name, message, state, error, received_at)
SELECT id, 'new_message', '', '', '', 'sent', '', %(now)s FROM connections_connection;
INSERT INTO sender_names_sendernamelist (installation_id, sync_state, sync_error)
SELECT n, 'synced', '' FROM generate_series(1, %(count)s) n;

INSERT INTO billing_discount (connection_id, percent, state, error, changed_at)
SELECT id, 5, 'synced', '', %(now)s FROM connections_connection;
INSERT INTO billing_tariffoption (id, application_id, altegio_id, tariff_title, title, currency, fetched_at)
VALUES (1, %(sms)s, 1, '', '', '', %(now)s);
INSERT INTO billing_paymentlink (connection_id, option_id, discount, state, url, error, asked_at)
SELECT id, 1, 0, 'synced', '', '', %(now)s FROM connections_connection;
INSERT INTO reconciliation_reconciliation (id, "trigger", state, started_at, lists_left, expected, listed, calls)
SELECT n, 'nightly', 'done', %(now)s - n * interval '1 day', 0, 0, 0, 0 FROM generate_series(1, 365) n;
INSERT INTO reconciliation_finding (run_id, application_id, connection_id, kind, before, after, needs_person, settled_at)
SELECT 1 + id %% 365, application_id, id, 'missing', '', '', false, %(now)s FROM connections_connection;

INSERT INTO core_listexport (user_id, ticket, list_name, filters, is_searched, total, handed_out, started_at, moved_at,
    ended_at, is_whole)
SELECT NULL, '', 'connections', '', false, n, n, t.at, t.at, t.at, true
FROM generate_series(1, 1000) n CROSS JOIN LATERAL (SELECT %(now)s::timestamptz - n * interval '1 hour' AS at) t;
