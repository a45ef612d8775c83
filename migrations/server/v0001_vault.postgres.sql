-- Everything vaultd keeps, for PostgreSQL 15. Every key begins with the user, so that all tables
-- can be distributed by user_id and kept together; names are a small table of their own.
-- Ids of 16 bytes are uuids: fixed in length, quick to compare. Times are milliseconds since
-- 1970 UTC. Hashes are SHA-512 cut to 32 bytes. Blobs are sealed.

-- Domains, not CHECKs: a table's CHECKs are parsed anew for each statement that writes to it,
-- which would cost a commit as much as one of its inserts.
CREATE DOMAIN hash32 AS bytea CHECK (octet_length(VALUE) = 32);
CREATE DOMAIN positive AS bigint CHECK (VALUE >= 1);
CREATE DOMAIN amount AS bigint CHECK (VALUE >= 0);
CREATE DOMAIN uint8 AS smallint CHECK (VALUE BETWEEN 0 AND 255);
CREATE DOMAIN generation AS bigint CHECK (VALUE BETWEEN 1 AND 4294967295);
CREATE DOMAIN uint32 AS bigint CHECK (VALUE BETWEEN 0 AND 4294967295);
CREATE DOMAIN opaque_record AS bytea CHECK (octet_length(VALUE) = 192);
CREATE DOMAIN short_bytes AS bytea CHECK (octet_length(VALUE) BETWEEN 1 AND 4096);
CREATE DOMAIN small_blob AS bytea CHECK (octet_length(VALUE) BETWEEN 612 AND 4096);
CREATE DOMAIN keyring_blob AS bytea CHECK (octet_length(VALUE) BETWEEN 612 AND 65536);
CREATE DOMAIN record_blob AS bytea CHECK (octet_length(VALUE) BETWEEN 612 AND 1081444);

-- Login by name: the only look-up across users.
CREATE TABLE names (
  name_key hash32 NOT NULL PRIMARY KEY,
  user_id uuid NOT NULL
);

CREATE TABLE accounts (
  user_id uuid NOT NULL PRIMARY KEY,
  name_key hash32 NOT NULL,
  registration_hash hash32 NOT NULL,
  secrets_version uint8 NOT NULL,
  profile uint8 NOT NULL,
  opaque_record opaque_record NOT NULL,
  credential_version positive NOT NULL,
  quota_bytes amount,                                -- NULL: the operator's default
  quota_records amount,
  created_at bigint NOT NULL,
  start_over_session bigint,                         -- who asked to start over, and when
  start_over_at bigint,
  CHECK ((start_over_session IS NULL) = (start_over_at IS NULL))
);

-- The device's label is sealed. A session ended by a deletion keeps the right to its certificate.
CREATE TABLE sessions (
  user_id uuid NOT NULL,
  session_id bigint NOT NULL,                        -- the 64 bits as a signed number
  token_hash hash32 NOT NULL,
  created_at bigint NOT NULL,
  used_at bigint NOT NULL,
  expires_at bigint NOT NULL,
  ended_generation positive,
  label short_bytes,
  PRIMARY KEY (user_id, session_id)
);

-- One row a vault that exists; a commit locks it. Half a page stays free, so that the row's next
-- version finds room beside it and no index changes.
CREATE TABLE vaults (
  user_id uuid NOT NULL PRIMARY KEY REFERENCES accounts,
  generation generation NOT NULL,
  epoch uint32 NOT NULL,
  seq positive NOT NULL,
  record_count amount NOT NULL,
  bytes amount NOT NULL,                             -- of current blobs
  history_bytes amount NOT NULL
) WITH (fillfactor = 50);

CREATE TABLE keyrings (
  user_id uuid NOT NULL PRIMARY KEY REFERENCES vaults ON DELETE CASCADE,
  password_slot small_blob NOT NULL,
  recovery_slot small_blob NOT NULL,
  recovery_public_key hash32 NOT NULL,
  keyring keyring_blob NOT NULL,
  tag hash32 NOT NULL
);

-- The heads of the present generation, each with the commit that brought it. No foreign key here
-- and below, where it would cost a look-up a row: every writer has locked the vault's row.
CREATE TABLE commits (
  user_id uuid NOT NULL,
  seq positive NOT NULL,
  commit_id uuid NOT NULL,
  body_hash hash32 NOT NULL,
  head_hash hash32 NOT NULL,
  head small_blob NOT NULL,
  PRIMARY KEY (user_id, seq)
);
ALTER TABLE commits ALTER head SET STORAGE EXTERNAL;

-- WHERE seq > 0 is true of every row; it keeps this index from look-ups that do not say so. While
-- tables are small, going through all of a user's rows in another index looks as cheap to the
-- planner as one row of the key, and its plans outlive that.
CREATE UNIQUE INDEX commits_id ON commits (user_id, commit_id) WHERE seq > 0;

-- The current revision of each record; sealed bytes do not compress, and stay in the row up to
-- a page.
CREATE TABLE records (
  user_id uuid NOT NULL,
  record_id uuid NOT NULL,
  revision positive NOT NULL,
  seq positive NOT NULL,
  blob_hash hash32 NOT NULL,
  blob record_blob NOT NULL,
  PRIMARY KEY (user_id, record_id)
) WITH (toast_tuple_target = 8160);
ALTER TABLE records ALTER blob SET STORAGE EXTERNAL;

-- The feed; WHERE as above.
CREATE UNIQUE INDEX records_feed ON records (user_id, seq, record_id) WHERE seq > 0;

-- Older revisions, outside the quota and with a bound of their own.
CREATE TABLE revisions (
  user_id uuid NOT NULL,
  record_id uuid NOT NULL,
  revision positive NOT NULL,
  seq positive NOT NULL,
  replaced_at bigint NOT NULL,
  blob_hash hash32 NOT NULL,
  blob record_blob NOT NULL,
  PRIMARY KEY (user_id, record_id, revision)
) WITH (toast_tuple_target = 8160);
ALTER TABLE revisions ALTER blob SET STORAGE EXTERNAL;
CREATE INDEX revisions_age ON revisions (user_id, replaced_at);

-- What a deleted cloud copy leaves. It outlives the account where that went too, until expires_at.
CREATE TABLE deletions (
  user_id uuid NOT NULL,
  generation generation NOT NULL,
  epoch uint32 NOT NULL,
  last_seq positive NOT NULL,
  deleted_at bigint NOT NULL,
  session_id bigint,                                 -- the one that deleted, if one did
  certificate_hash hash32 NOT NULL,
  receipt short_bytes NOT NULL,
  expires_at bigint,
  PRIMARY KEY (user_id, generation)
);

CREATE TABLE certificates (
  user_id uuid NOT NULL,
  generation bigint NOT NULL,
  position integer NOT NULL CHECK (position >= 0),
  epoch uint32 NOT NULL,
  certificate small_blob NOT NULL,
  PRIMARY KEY (user_id, generation, position),
  FOREIGN KEY (user_id, generation) REFERENCES deletions ON DELETE CASCADE
);

-- What is good once and was used: nonces of recoveries, with the request and what was answered; and
-- logins that made their session, each under a hash of its number.
CREATE TABLE nonces (
  user_id uuid NOT NULL,
  nonce hash32 NOT NULL,
  request_hash hash32 NOT NULL,
  answer short_bytes NOT NULL,
  expires_at bigint NOT NULL,
  PRIMARY KEY (user_id, nonce)
);

-- A second wall: whatever a statement forgets to ask, it sees one user's rows, the one named by
-- the transaction's setting vault.user. The operator's work sets vault.operator instead. FORCE,
-- since vaultd's role owns the tables.
DO $$
DECLARE
  name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['accounts', 'sessions', 'vaults', 'keyrings', 'commits', 'records',
    'revisions', 'deletions', 'certificates', 'nonces']
  LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
    EXECUTE format('CREATE POLICY one_user ON %I USING ('
      'user_id = (SELECT nullif(current_setting(''vault.user'', true), '''')::uuid)'
      ' OR (SELECT current_setting(''vault.operator'', true) = ''on''))', name);
  END LOOP;
END
$$;

-- The heads from `pin` up to `newest`, along the longest links that do not pass the pin
-- (HeadPath.swift): a head links to the one before and, for k = 1…12, to the newest earlier one
-- whose seq is a multiple of 4^k.
CREATE FUNCTION vault_head_path(pin bigint, newest bigint) RETURNS SETOF bigint
LANGUAGE plpgsql IMMUTABLE STRICT AS $$
DECLARE
  at_seq bigint := newest;
  link bigint;
  step bigint;
BEGIN
  RETURN NEXT at_seq;
  IF pin < 1 THEN
    RETURN;
  END IF;
  WHILE at_seq > pin LOOP
    link := at_seq - 1;
    step := 4;
    FOR k IN 1..12 LOOP
      EXIT WHEN (at_seq - 1) / step * step < pin;
      link := (at_seq - 1) / step * step;
      step := step * 4;
    END LOOP;
    at_seq := link;
    RETURN NEXT at_seq;
  END LOOP;
END
$$;

-- Removes from the records' histories what is neither among the newest `keep` nor replaced after
-- `since`, and gives the bytes of it. No more than `most` of a record: the cost of an edit must
-- not depend on how long a history is.
CREATE FUNCTION vault_trim(
  of_user uuid, ids uuid[], keep bigint, since bigint, most bigint, OUT freed bigint
) LANGUAGE plpgsql AS $$
BEGIN
  -- Nobody else writes to these rows while the vault's row is locked, so their places hold.
  WITH gone AS (
    DELETE FROM revisions h WHERE h.ctid = ANY (ARRAY (
      SELECT d.ctid FROM unnest(ids) AS n (record_id) CROSS JOIN LATERAL (
        SELECT o.ctid, o.replaced_at FROM revisions o
        WHERE o.user_id = of_user AND o.record_id = n.record_id AND o.revision <= (
          SELECT k.revision FROM revisions k
          WHERE k.user_id = of_user AND k.record_id = n.record_id
          ORDER BY k.revision DESC OFFSET keep LIMIT 1)
        ORDER BY o.revision LIMIT most) d
      WHERE d.replaced_at <= since))
    RETURNING octet_length(h.blob) AS bytes)
  SELECT coalesce(sum(bytes), 0) INTO freed FROM gone;
END
$$;

-- The epoch in a blob's header, in the clear like all of it (keyflow/SPEC.md, section 6).
CREATE FUNCTION vault_blob_epoch(blob bytea) RETURNS bigint LANGUAGE sql IMMUTABLE STRICT AS $$
  SELECT ('x' || encode(substring(blob FROM 9 FOR 4), 'hex'))::bit(32)::bigint
$$;

-- By how many bytes the records grow that a commit writes, not counting those of an older epoch
-- that are only sealed anew: Revision.reseals in Rotation.swift.
CREATE FUNCTION vault_growth(of_user uuid, present bigint, ids uuid[], blobs bytea[])
RETURNS bigint LANGUAGE sql STABLE AS $$
  SELECT coalesce(sum(octet_length(n.blob) - coalesce(octet_length(r.blob), 0)), 0)::bigint
  FROM unnest(ids, blobs) AS n (record_id, blob) LEFT JOIN LATERAL (
    SELECT s.blob FROM records s
    WHERE s.user_id = of_user AND s.record_id = n.record_id OFFSET 0) r ON true
  WHERE r.blob IS NULL OR vault_blob_epoch(r.blob) >= present
    OR vault_blob_epoch(n.blob) <> present
    OR octet_length(n.blob) > octet_length(r.blob) + octet_length(r.blob) / 8 + 512
$$;

-- Removes the user's revisions that were replaced first, `excess` bytes of them or a few more.
CREATE FUNCTION vault_drop(of_user uuid, excess bigint, OUT freed bigint)
LANGUAGE plpgsql AS $$
DECLARE
  old record;
BEGIN
  freed := 0;
  FOR old IN
    SELECT o.record_id, o.revision, octet_length(o.blob) AS bytes FROM revisions o
    WHERE o.user_id = of_user ORDER BY o.replaced_at
  LOOP
    EXIT WHEN freed >= excess;
    DELETE FROM revisions d
    WHERE d.user_id = of_user AND d.record_id = old.record_id AND d.revision = old.revision;
    freed := freed + old.bytes;
  END LOOP;
END
$$;

-- A commit, whole, in one call; what VaultStore.apply says, under the lock of the vault's row.
-- Refusals are answers and no errors, and a call need not wait for a lock, so that commits of
-- several users share one transaction and its fsync without minding one another.
--
-- `ids`, `firsts`, `revisions`, `hashes`, `blobs`: for each record its last revision in this
-- commit, and the number of its first. `older_…`: the revisions between, straight into history.
--
-- OFFSET 0 keeps the planner to looking up each record by its key: it must not turn the join
-- round and go through all of a user's records because the tables were small when it planned.
--
-- outcome: 0 accepted as `seq` · 1 no such session · 2 gone · 3 conflict · 4 the id is another
-- body's · 5 `record` is stored as revision `stored` · 6 beyond the quota
-- · 7 the vault's row is locked or not there, and the call may not wait to know
CREATE FUNCTION vault_commit(
  of_user uuid, by_session bigint, by_token bytea, at_time bigint,
  slide_before bigint, new_expiry bigint,
  id uuid, base bigint, in_generation bigint, in_epoch bigint,
  new_body_hash bytea, new_head_hash bytea, new_head bytea,
  default_quota_bytes bigint, default_quota_records bigint,
  history_count bigint, history_since bigint, history_most bigint,
  ids uuid[], firsts bigint[], numbers bigint[], hashes bytea[], blobs bytea[], blob_bytes bigint,
  older_ids uuid[], older_numbers bigint[], older_hashes bytea[], older_blobs bytea[],
  older_bytes bigint, may_wait boolean,
  OUT outcome bigint, OUT new_seq bigint, OUT record uuid, OUT stored bigint
) LANGUAGE plpgsql AS $$
DECLARE
  session record;
  vault record;
  replaced bigint := 0;
  replaced_bytes bigint := 0;
  trimmed_bytes bigint := 0;
  excess bigint;
  growth bigint;
  known bigint;
BEGIN
  PERFORM set_config('vault.user', of_user::text, true);

  -- The lock first: a session that was ended while this waited for it is no longer good.
  IF may_wait THEN
    SELECT v.seq, v.generation, v.epoch, v.bytes, v.history_bytes, v.record_count, a.quota_bytes,
      a.quota_records
    INTO vault FROM vaults v JOIN accounts a ON a.user_id = v.user_id
    WHERE v.user_id = of_user FOR UPDATE OF v;
  ELSE
    SELECT v.seq, v.generation, v.epoch, v.bytes, v.history_bytes, v.record_count, a.quota_bytes,
      a.quota_records
    INTO vault FROM vaults v JOIN accounts a ON a.user_id = v.user_id
    WHERE v.user_id = of_user FOR UPDATE OF v SKIP LOCKED;
    IF NOT FOUND THEN
      outcome := 7;
      RETURN;
    END IF;
  END IF;
  SELECT s.used_at, s.ended_generation INTO session FROM sessions s
  WHERE s.user_id = of_user AND s.session_id = by_session AND s.token_hash = by_token
    AND s.expires_at > at_time;
  IF NOT FOUND THEN
    outcome := 1;
    RETURN;
  END IF;
  IF session.ended_generation IS NOT NULL OR vault.seq IS NULL THEN
    outcome := 2;
    RETURN;
  END IF;

  IF session.used_at <= slide_before THEN
    UPDATE sessions s SET used_at = at_time, expires_at = new_expiry
    WHERE s.user_id = of_user AND s.session_id = by_session;
  END IF;

  outcome := 0;
  IF vault.seq <> base OR vault.generation <> in_generation OR vault.epoch <> in_epoch THEN
    outcome := 3;
  ELSIF cardinality(ids) > 0 THEN
    IF cardinality(ids) = 1 THEN
      -- By far the most frequent, and several times as fast as the join.
      SELECT octet_length(r.blob), r.record_id, r.revision INTO replaced_bytes, record, stored
      FROM records r WHERE r.user_id = of_user AND r.record_id = ids[1];
      replaced := CASE WHEN record IS NULL THEN 0 ELSE 1 END;
      replaced_bytes := coalesce(replaced_bytes, 0);
      IF stored < firsts[1] THEN
        record := NULL;
      END IF;
    ELSE
      SELECT count(*), coalesce(sum(octet_length(r.blob)), 0),
        (array_agg(r.record_id) FILTER (WHERE r.revision >= n.first))[1],
        (array_agg(r.revision) FILTER (WHERE r.revision >= n.first))[1]
      INTO replaced, replaced_bytes, record, stored
      FROM unnest(ids, firsts) AS n (record_id, first) CROSS JOIN LATERAL (
        SELECT s.record_id, s.revision, s.blob FROM records s
        WHERE s.user_id = of_user AND s.record_id = n.record_id OFFSET 0) r;
    END IF;
    growth := cardinality(ids) - replaced;
    IF record IS NOT NULL THEN
      outcome := 5;
    ELSIF growth > 0
        AND vault.record_count + growth > coalesce(vault.quota_records, default_quota_records)
      OR blob_bytes > replaced_bytes
        AND vault.bytes + blob_bytes - replaced_bytes
          > coalesce(vault.quota_bytes, default_quota_bytes)
        AND vault_growth(of_user, vault.epoch, ids, blobs) > 0 THEN
      outcome := 6;
    END IF;
  END IF;

  -- An id that is known goes before all that; one that was accepted is behind the head.
  IF outcome = 0 THEN
    new_seq := vault.seq + 1;
    INSERT INTO commits (user_id, seq, commit_id, body_hash, head_hash, head)
    VALUES (of_user, new_seq, id, new_body_hash, new_head_hash, new_head)
    ON CONFLICT (user_id, commit_id) WHERE seq > 0 DO NOTHING;
    IF NOT FOUND THEN
      outcome := 4;
    END IF;
  END IF;
  IF outcome <> 0 THEN
    SELECT c.seq, CASE WHEN c.body_hash = new_body_hash THEN 0 ELSE 4 END
    INTO new_seq, known FROM commits c WHERE c.user_id = of_user AND c.commit_id = id AND c.seq > 0;
    IF FOUND THEN
      outcome := known;
    END IF;
    RETURN;
  END IF;

  IF replaced > 0 THEN
    INSERT INTO revisions (user_id, record_id, revision, seq, replaced_at, blob_hash, blob)
    SELECT of_user, r.record_id, r.revision, r.seq, at_time, r.blob_hash, r.blob
    FROM unnest(ids) AS n (record_id) CROSS JOIN LATERAL (
      SELECT * FROM records s WHERE s.user_id = of_user AND s.record_id = n.record_id OFFSET 0) r;
    INSERT INTO records (user_id, record_id, revision, seq, blob_hash, blob)
    SELECT of_user, n.record_id, n.revision, new_seq, n.blob_hash, n.blob
    FROM unnest(ids, numbers, hashes, blobs) AS n (record_id, revision, blob_hash, blob)
    ON CONFLICT (user_id, record_id) DO UPDATE SET revision = EXCLUDED.revision,
      seq = EXCLUDED.seq, blob_hash = EXCLUDED.blob_hash, blob = EXCLUDED.blob;
  ELSIF cardinality(ids) > 0 THEN
    INSERT INTO records (user_id, record_id, revision, seq, blob_hash, blob)
    SELECT of_user, n.record_id, n.revision, new_seq, n.blob_hash, n.blob
    FROM unnest(ids, numbers, hashes, blobs) AS n (record_id, revision, blob_hash, blob);
  END IF;
  IF cardinality(older_ids) > 0 THEN
    INSERT INTO revisions (user_id, record_id, revision, seq, replaced_at, blob_hash, blob)
    SELECT of_user, n.record_id, n.revision, new_seq, at_time, n.blob_hash, n.blob
    FROM unnest(older_ids, older_numbers, older_hashes, older_blobs)
      AS n (record_id, revision, blob_hash, blob);
  END IF;
  IF replaced > 0 OR cardinality(older_ids) > 0 THEN
    trimmed_bytes := vault_trim(
      of_user, ids, history_count, history_since, cardinality(older_ids) + 2);
    excess := vault.history_bytes + replaced_bytes + older_bytes - trimmed_bytes - history_most;
    IF excess > 0 AND replaced_bytes + older_bytes > trimmed_bytes THEN
      trimmed_bytes := trimmed_bytes + vault_drop(of_user, excess);
    END IF;
  END IF;

  UPDATE vaults v SET seq = new_seq,
    record_count = v.record_count + cardinality(ids) - replaced,
    bytes = v.bytes + blob_bytes - replaced_bytes,
    history_bytes = v.history_bytes + replaced_bytes + older_bytes - trimmed_bytes
  WHERE v.user_id = of_user;
END
$$;
