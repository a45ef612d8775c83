-- Everything vaultd keeps, for SQLite. Every key begins with the user; names are the exception.
-- Times are milliseconds since 1970 UTC. Hashes are SHA-512 cut to 32 bytes. Blobs are sealed.

CREATE TABLE accounts (
  user_id BLOB NOT NULL PRIMARY KEY CHECK (length(user_id) = 16),
  name_key BLOB NOT NULL UNIQUE CHECK (length(name_key) = 32),
  registration_hash BLOB NOT NULL CHECK (length(registration_hash) = 32),
  secrets_version INTEGER NOT NULL CHECK (secrets_version BETWEEN 0 AND 255),
  profile INTEGER NOT NULL CHECK (profile BETWEEN 0 AND 255),
  opaque_record BLOB NOT NULL CHECK (length(opaque_record) = 192),
  credential_version INTEGER NOT NULL CHECK (credential_version >= 1),
  quota_bytes INTEGER CHECK (quota_bytes >= 0),      -- NULL: the operator's default
  quota_records INTEGER CHECK (quota_records >= 0),
  created_at INTEGER NOT NULL,
  start_over_session INTEGER,                        -- who asked to start over, and when
  start_over_at INTEGER,
  CHECK ((start_over_session IS NULL) = (start_over_at IS NULL))
) STRICT, WITHOUT ROWID;

-- The device's label is sealed. A session ended by a deletion keeps the right to its certificate.
CREATE TABLE sessions (
  user_id BLOB NOT NULL CHECK (length(user_id) = 16),
  session_id INTEGER NOT NULL,                       -- the 64 bits as a signed number
  token_hash BLOB NOT NULL CHECK (length(token_hash) = 32),
  created_at INTEGER NOT NULL,
  used_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  ended_generation INTEGER CHECK (ended_generation >= 1),
  label BLOB CHECK (length(label) BETWEEN 1 AND 4096),
  PRIMARY KEY (user_id, session_id)
) STRICT, WITHOUT ROWID;

-- One row a vault that exists; its row is what a commit changes last.
CREATE TABLE vaults (
  user_id BLOB NOT NULL PRIMARY KEY REFERENCES accounts,
  generation INTEGER NOT NULL CHECK (generation BETWEEN 1 AND 4294967295),
  epoch INTEGER NOT NULL CHECK (epoch BETWEEN 0 AND 4294967295),
  seq INTEGER NOT NULL CHECK (seq >= 1),
  record_count INTEGER NOT NULL CHECK (record_count >= 0),
  bytes INTEGER NOT NULL CHECK (bytes >= 0),         -- of current blobs
  history_bytes INTEGER NOT NULL CHECK (history_bytes >= 0)
) STRICT, WITHOUT ROWID;

CREATE TABLE keyrings (
  user_id BLOB NOT NULL PRIMARY KEY REFERENCES vaults ON DELETE CASCADE,
  password_slot BLOB NOT NULL CHECK (length(password_slot) BETWEEN 612 AND 4096),
  recovery_slot BLOB NOT NULL CHECK (length(recovery_slot) BETWEEN 612 AND 4096),
  recovery_public_key BLOB NOT NULL CHECK (length(recovery_public_key) = 32),
  keyring BLOB NOT NULL CHECK (length(keyring) BETWEEN 612 AND 65536),
  tag BLOB NOT NULL CHECK (length(tag) = 32)
) STRICT;

-- The heads of the present generation, each with the commit that brought it.
CREATE TABLE commits (
  user_id BLOB NOT NULL REFERENCES vaults ON DELETE CASCADE,
  seq INTEGER NOT NULL CHECK (seq >= 1),
  commit_id BLOB NOT NULL CHECK (length(commit_id) = 16),
  body_hash BLOB NOT NULL CHECK (length(body_hash) = 32),
  head_hash BLOB NOT NULL CHECK (length(head_hash) = 32),
  head BLOB NOT NULL CHECK (length(head) BETWEEN 612 AND 4096),
  PRIMARY KEY (user_id, seq),
  UNIQUE (user_id, commit_id)
) STRICT, WITHOUT ROWID;

-- The current revision of each record. Blobs are too long for a table without rowid.
CREATE TABLE records (
  user_id BLOB NOT NULL REFERENCES vaults ON DELETE CASCADE,
  record_id BLOB NOT NULL CHECK (length(record_id) = 16),
  revision INTEGER NOT NULL CHECK (revision >= 1),
  seq INTEGER NOT NULL CHECK (seq >= 1),
  blob_hash BLOB NOT NULL CHECK (length(blob_hash) = 32),
  blob BLOB NOT NULL CHECK (length(blob) BETWEEN 612 AND 1081444),
  PRIMARY KEY (user_id, record_id)
) STRICT;

-- The feed; it covers the rows that are read without their blobs.
CREATE INDEX records_feed ON records (user_id, seq, record_id, revision, blob_hash);

-- Older revisions, outside the quota and with a bound of their own.
CREATE TABLE revisions (
  user_id BLOB NOT NULL REFERENCES vaults ON DELETE CASCADE,
  record_id BLOB NOT NULL CHECK (length(record_id) = 16),
  revision INTEGER NOT NULL CHECK (revision >= 1),
  seq INTEGER NOT NULL CHECK (seq >= 1),
  replaced_at INTEGER NOT NULL,
  blob_hash BLOB NOT NULL CHECK (length(blob_hash) = 32),
  blob BLOB NOT NULL CHECK (length(blob) BETWEEN 612 AND 1081444),
  PRIMARY KEY (user_id, record_id, revision)
) STRICT;

CREATE INDEX revisions_age ON revisions (user_id, replaced_at);

-- What a deleted cloud copy leaves. It outlives the account where that went too, until expires_at.
CREATE TABLE deletions (
  user_id BLOB NOT NULL CHECK (length(user_id) = 16),
  generation INTEGER NOT NULL CHECK (generation BETWEEN 1 AND 4294967295),
  epoch INTEGER NOT NULL CHECK (epoch BETWEEN 0 AND 4294967295),
  last_seq INTEGER NOT NULL CHECK (last_seq >= 1),
  deleted_at INTEGER NOT NULL,
  session_id INTEGER,                                -- the one that deleted, if one did
  certificate_hash BLOB NOT NULL CHECK (length(certificate_hash) = 32),
  receipt BLOB NOT NULL CHECK (length(receipt) BETWEEN 1 AND 4096),
  expires_at INTEGER,
  PRIMARY KEY (user_id, generation)
) STRICT, WITHOUT ROWID;

CREATE TABLE certificates (
  user_id BLOB NOT NULL,
  generation INTEGER NOT NULL,
  position INTEGER NOT NULL CHECK (position >= 0),
  epoch INTEGER NOT NULL CHECK (epoch BETWEEN 0 AND 4294967295),
  certificate BLOB NOT NULL CHECK (length(certificate) BETWEEN 612 AND 4096),
  PRIMARY KEY (user_id, generation, position),
  FOREIGN KEY (user_id, generation) REFERENCES deletions ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

-- What is good once and was used: nonces of recoveries, with the request and what was answered; and
-- logins that made their session, each under a hash of its number.
CREATE TABLE nonces (
  user_id BLOB NOT NULL CHECK (length(user_id) = 16),
  nonce BLOB NOT NULL CHECK (length(nonce) = 32),
  request_hash BLOB NOT NULL CHECK (length(request_hash) = 32),
  answer BLOB NOT NULL CHECK (length(answer) BETWEEN 1 AND 4096),
  expires_at INTEGER NOT NULL,
  PRIMARY KEY (user_id, nonce)
) STRICT, WITHOUT ROWID;
