-- SPDX-License-Identifier: Apache-2.0
-- A device's own store. Everything private is a sealed blob; what stands in plain columns is what
-- the server sees too: ids, revisions, hashes, sizes, order of arrival.

CREATE TABLE journal (
  id           INTEGER PRIMARY KEY CHECK (id = 1),
  uid          BLOB    NOT NULL CHECK (length(uid) = 16),
  device       BLOB    NOT NULL CHECK (length(device) = 16),
  epoch        INTEGER NOT NULL CHECK (epoch BETWEEN 0 AND 4294967295),
  -- Names that epoch's key (SPEC 7.7): a number alone does not.
  key_id       BLOB    NOT NULL CHECK (length(key_id) = 16),
  generation   INTEGER NOT NULL DEFAULT 0 CHECK (generation BETWEEN 0 AND 4294967295),
  pin_seq      INTEGER NOT NULL DEFAULT 0 CHECK (pin_seq >= 0),
  pin_hash     BLOB    NOT NULL DEFAULT (zeroblob(32)) CHECK (length(pin_hash) = 32),
  cursor       BLOB    NOT NULL DEFAULT (zeroblob(0)),
  -- What a locked device needs to know of its account: where it is and how to stretch the password.
  server_url   TEXT,
  server_name  TEXT,
  account_name TEXT,
  receipt_key  BLOB    CHECK (receipt_key IS NULL OR length(receipt_key) = 32),
  opaque_key   BLOB    CHECK (opaque_key IS NULL OR length(opaque_key) = 32),
  -- What encryption on, join, rotation and their like have done so far; empty when none is under way.
  account_step TEXT    NOT NULL DEFAULT '',
  synced_at    INTEGER,
  pulled_at    INTEGER,
  -- The named state that the last sync ended in, until one ends well.
  sync_fault   TEXT,
  -- The epoch that all records of the vault were last found to be sealed under; while it is another
  -- than `epoch`, a rotation may be left to finish.
  resealed_epoch INTEGER NOT NULL DEFAULT 0 CHECK (resealed_epoch BETWEEN 0 AND 4294967295),
  -- Somebody's wish to set another password without the present one: when, and whether it is ours.
  start_over_due INTEGER,
  start_over_own INTEGER CHECK (start_over_own IN (0, 1))
) STRICT;

-- Every revision this device keeps. `id` is the order of arrival; a write costs a commit of as few
-- pages as can be, so there is no AUTOINCREMENT here.
CREATE TABLE revisions (
  id        INTEGER PRIMARY KEY,
  record_id BLOB    NOT NULL CHECK (length(record_id) = 16),
  revision  INTEGER NOT NULL CHECK (revision > 0),
  -- 1 pending, 2 base (the newest acknowledged one: what a merge starts from), 3 history,
  -- 4 quarantined (does not open)
  state     INTEGER NOT NULL CHECK (state BETWEEN 1 AND 4),
  epoch     INTEGER NOT NULL CHECK (epoch BETWEEN 0 AND 4294967295),
  blob_hash BLOB    NOT NULL CHECK (length(blob_hash) = 32),
  blob      BLOB    NOT NULL
) STRICT;
-- Of one number there may be two: ours, withdrawn by a merge, and the one that the server took.
CREATE UNIQUE INDEX revisions_by_record ON revisions (record_id, revision, blob_hash);
CREATE INDEX revisions_pending ON revisions (id) WHERE state = 1;
CREATE INDEX revisions_quarantined ON revisions (id) WHERE state = 4;

-- Which revision of each record is shown. `stamp` rises with every change; indexes know by it what
-- they have not seen yet.
CREATE TABLE records (
  record_id BLOB    PRIMARY KEY CHECK (length(record_id) = 16),
  current   INTEGER NOT NULL REFERENCES revisions (id),
  stamp     INTEGER NOT NULL UNIQUE
) STRICT, WITHOUT ROWID;

-- The vault as the server states it; the root is computed over these.
CREATE TABLE vault_rows (
  record_id BLOB    PRIMARY KEY CHECK (length(record_id) = 16),
  revision  INTEGER NOT NULL CHECK (revision > 0),
  blob_hash BLOB    NOT NULL CHECK (length(blob_hash) = 32)
) STRICT, WITHOUT ROWID;

-- Verified rows whose blobs are still to be fetched; `place` is their order of arrival.
CREATE TABLE wanted (
  record_id BLOB    PRIMARY KEY CHECK (length(record_id) = 16),
  revision  INTEGER NOT NULL CHECK (revision > 0),
  blob_hash BLOB    NOT NULL CHECK (length(blob_hash) = 32),
  place     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The one commit that was sent and has no answer yet; sent again unchanged until it has.
CREATE TABLE commits (
  commit_id  BLOB    PRIMARY KEY CHECK (length(commit_id) = 16),
  base_seq   INTEGER NOT NULL,
  generation INTEGER NOT NULL,
  epoch      INTEGER NOT NULL,
  head       BLOB    NOT NULL
) STRICT;
CREATE TABLE commit_records (
  commit_id   BLOB    NOT NULL REFERENCES commits (commit_id) ON DELETE CASCADE,
  place       INTEGER NOT NULL,
  revision_id INTEGER NOT NULL REFERENCES revisions (id),
  PRIMARY KEY (commit_id, place)
) STRICT, WITHOUT ROWID;

-- Verified heads, by which later ones are checked and older fingerprints shown.
CREATE TABLE heads (
  generation INTEGER NOT NULL,
  seq        INTEGER NOT NULL,
  head_hash  BLOB    NOT NULL CHECK (length(head_hash) = 32),
  head       BLOB    NOT NULL,
  PRIMARY KEY (generation, seq)
) STRICT, WITHOUT ROWID;

-- What this device keeps for itself, each a sealed local item: list index, search packs, session
-- token, drafts, activity. `oid` is random for each sealing.
CREATE TABLE items (
  name  TEXT    PRIMARY KEY,
  oid   BLOB    NOT NULL CHECK (length(oid) = 16),
  epoch INTEGER NOT NULL,
  blob  BLOB    NOT NULL
) STRICT;

-- The older epochs' keys, sealed under the key of `epoch`.
CREATE TABLE keyrings (
  epoch INTEGER PRIMARY KEY,
  blob  BLOB    NOT NULL
) STRICT;

-- What was synced, when, by which device: sealed local items, newest last.
CREATE TABLE activity (
  id    INTEGER PRIMARY KEY AUTOINCREMENT,
  oid   BLOB    NOT NULL CHECK (length(oid) = 16),
  epoch INTEGER NOT NULL,
  blob  BLOB    NOT NULL
) STRICT;
