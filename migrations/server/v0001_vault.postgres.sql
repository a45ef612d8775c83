-- Everything vaultd keeps, for PostgreSQL 15. Every key begins with the user, so that all tables
-- can be distributed by user_id and kept together; names are a small table of their own.
-- Times are milliseconds since 1970 UTC. Hashes are SHA-512 cut to 32 bytes. Blobs are sealed.

-- Login by name: the only look-up across users.
CREATE TABLE names (
  name_key bytea NOT NULL PRIMARY KEY CHECK (octet_length(name_key) = 32),
  user_id bytea NOT NULL CHECK (octet_length(user_id) = 16)
);

CREATE TABLE accounts (
  user_id bytea NOT NULL PRIMARY KEY CHECK (octet_length(user_id) = 16),
  name_key bytea NOT NULL CHECK (octet_length(name_key) = 32),
  registration_hash bytea NOT NULL CHECK (octet_length(registration_hash) = 32),
  secrets_version smallint NOT NULL CHECK (secrets_version BETWEEN 0 AND 255),
  profile smallint NOT NULL CHECK (profile BETWEEN 0 AND 255),
  opaque_record bytea NOT NULL CHECK (octet_length(opaque_record) = 192),
  credential_version bigint NOT NULL CHECK (credential_version >= 1),
  quota_bytes bigint CHECK (quota_bytes >= 0),       -- NULL: the operator's default
  quota_records bigint CHECK (quota_records >= 0),
  created_at bigint NOT NULL
);

-- The device's label is sealed. A session ended by a deletion keeps the right to its certificate.
CREATE TABLE sessions (
  user_id bytea NOT NULL CHECK (octet_length(user_id) = 16),
  session_id bigint NOT NULL,                        -- the 64 bits as a signed number
  token_hash bytea NOT NULL CHECK (octet_length(token_hash) = 32),
  created_at bigint NOT NULL,
  used_at bigint NOT NULL,
  expires_at bigint NOT NULL,
  ended_generation bigint CHECK (ended_generation >= 1),
  label bytea CHECK (octet_length(label) BETWEEN 1 AND 4096),
  PRIMARY KEY (user_id, session_id)
);

-- One row a vault that exists; a commit locks it.
CREATE TABLE vaults (
  user_id bytea NOT NULL PRIMARY KEY REFERENCES accounts,
  generation bigint NOT NULL CHECK (generation BETWEEN 1 AND 4294967295),
  epoch bigint NOT NULL CHECK (epoch BETWEEN 0 AND 4294967295),
  seq bigint NOT NULL CHECK (seq >= 1),
  record_count bigint NOT NULL CHECK (record_count >= 0),
  bytes bigint NOT NULL CHECK (bytes >= 0),          -- of current blobs
  history_bytes bigint NOT NULL CHECK (history_bytes >= 0)
) WITH (fillfactor = 50);

CREATE TABLE keyrings (
  user_id bytea NOT NULL PRIMARY KEY REFERENCES vaults ON DELETE CASCADE,
  password_slot bytea NOT NULL CHECK (octet_length(password_slot) BETWEEN 612 AND 4096),
  recovery_slot bytea NOT NULL CHECK (octet_length(recovery_slot) BETWEEN 612 AND 4096),
  recovery_public_key bytea NOT NULL CHECK (octet_length(recovery_public_key) = 32),
  keyring bytea NOT NULL CHECK (octet_length(keyring) BETWEEN 612 AND 65536),
  tag bytea NOT NULL CHECK (octet_length(tag) = 32)
);

-- The heads of the present generation, each with the commit that brought it. No foreign key here
-- and below, where it would cost a look-up a row: every writer has locked the vault's row.
CREATE TABLE commits (
  user_id bytea NOT NULL CHECK (octet_length(user_id) = 16),
  seq bigint NOT NULL CHECK (seq >= 1),
  commit_id bytea NOT NULL CHECK (octet_length(commit_id) = 16),
  body_hash bytea NOT NULL CHECK (octet_length(body_hash) = 32),
  head_hash bytea NOT NULL CHECK (octet_length(head_hash) = 32),
  head bytea NOT NULL CHECK (octet_length(head) BETWEEN 612 AND 4096),
  PRIMARY KEY (user_id, seq),
  UNIQUE (user_id, commit_id)
);
ALTER TABLE commits ALTER head SET STORAGE EXTERNAL;

-- The current revision of each record; sealed bytes do not compress, and stay in the row up to
-- a page.
CREATE TABLE records (
  user_id bytea NOT NULL CHECK (octet_length(user_id) = 16),
  record_id bytea NOT NULL CHECK (octet_length(record_id) = 16),
  revision bigint NOT NULL CHECK (revision >= 1),
  seq bigint NOT NULL CHECK (seq >= 1),
  blob_hash bytea NOT NULL CHECK (octet_length(blob_hash) = 32),
  blob bytea NOT NULL CHECK (octet_length(blob) BETWEEN 612 AND 1081444),
  PRIMARY KEY (user_id, record_id)
) WITH (toast_tuple_target = 8160);
ALTER TABLE records ALTER blob SET STORAGE EXTERNAL;

-- The feed; it covers the rows that are read without their blobs.
CREATE UNIQUE INDEX records_feed ON records (user_id, seq, record_id)
  INCLUDE (revision, blob_hash);

-- Older revisions, outside the quota.
CREATE TABLE revisions (
  user_id bytea NOT NULL CHECK (octet_length(user_id) = 16),
  record_id bytea NOT NULL CHECK (octet_length(record_id) = 16),
  revision bigint NOT NULL CHECK (revision >= 1),
  seq bigint NOT NULL CHECK (seq >= 1),
  replaced_at bigint NOT NULL,
  blob_hash bytea NOT NULL CHECK (octet_length(blob_hash) = 32),
  blob bytea NOT NULL CHECK (octet_length(blob) BETWEEN 612 AND 1081444),
  PRIMARY KEY (user_id, record_id, revision)
) WITH (toast_tuple_target = 8160);
ALTER TABLE revisions ALTER blob SET STORAGE EXTERNAL;

-- What a deleted cloud copy leaves. It outlives the account where that went too, until expires_at.
CREATE TABLE deletions (
  user_id bytea NOT NULL CHECK (octet_length(user_id) = 16),
  generation bigint NOT NULL CHECK (generation BETWEEN 1 AND 4294967295),
  epoch bigint NOT NULL CHECK (epoch BETWEEN 0 AND 4294967295),
  last_seq bigint NOT NULL CHECK (last_seq >= 1),
  deleted_at bigint NOT NULL,
  session_id bigint NOT NULL,                        -- the one that deleted
  certificate_hash bytea NOT NULL CHECK (octet_length(certificate_hash) = 32),
  receipt bytea NOT NULL CHECK (octet_length(receipt) BETWEEN 1 AND 4096),
  expires_at bigint,
  PRIMARY KEY (user_id, generation)
);

CREATE TABLE certificates (
  user_id bytea NOT NULL,
  generation bigint NOT NULL,
  position integer NOT NULL CHECK (position >= 0),
  epoch bigint NOT NULL CHECK (epoch BETWEEN 0 AND 4294967295),
  certificate bytea NOT NULL CHECK (octet_length(certificate) BETWEEN 612 AND 4096),
  PRIMARY KEY (user_id, generation, position),
  FOREIGN KEY (user_id, generation) REFERENCES deletions ON DELETE CASCADE
);

-- Nonces that were used; each is good once.
CREATE TABLE nonces (
  user_id bytea NOT NULL CHECK (octet_length(user_id) = 16),
  nonce bytea NOT NULL CHECK (octet_length(nonce) = 32),
  expires_at bigint NOT NULL,
  PRIMARY KEY (user_id, nonce)
);
