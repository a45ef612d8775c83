# SPDX-License-Identifier: Apache-2.0
"""The lies of a server, told in its own SQLite file while it is stopped."""

import dataclasses
import hashlib
import sqlite3


def local_blobs(device):
    """Every sealed blob in a device's own store."""
    database = sqlite3.connect(f"file:{device.home / 'journal.sqlite'}?mode=ro", uri=True)
    try:
        return {bytes(blob) for (blob,) in database.execute("SELECT blob FROM revisions")}
    finally:
        database.close()


def digest(blob):
    return hashlib.sha512(blob).digest()[:32]


def oldest(database, count):
    """Entries of the first commit, which no one changed or deleted since."""
    return database.execute(
        "SELECT record_id, blob FROM records ORDER BY seq, record_id LIMIT ?", (count,)).fetchall()


def edit(path, work):
    database = sqlite3.connect(path)
    try:
        what = work(database)
        database.commit()
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return what
    finally:
        database.close()


def flip(database):
    record, blob = oldest(database, 1)[0]
    altered = bytearray(blob)
    altered[len(altered) // 2] ^= 1
    database.execute("UPDATE records SET blob = ? WHERE record_id = ?", (bytes(altered), record))
    return f"one bit of record {record.hex()[:8]}… was flipped", [record]


def forge(database):
    record, blob = oldest(database, 1)[0]
    altered = bytearray(blob)
    altered[len(altered) // 2] ^= 1
    database.execute("UPDATE records SET blob = ?, blob_hash = ? WHERE record_id = ?",
                     (bytes(altered), digest(bytes(altered)), record))
    return f"record {record.hex()[:8]}… was tampered with, and its hash made to fit", [record]


def swap(database):
    (one, first), (two, second) = oldest(database, 2)
    for record, blob in ((one, second), (two, first)):
        database.execute("UPDATE records SET blob = ?, blob_hash = ? WHERE record_id = ?",
                         (blob, digest(blob), record))
    return f"records {one.hex()[:8]}… and {two.hex()[:8]}… were swapped", [one, two]


def turn_back(database):
    record, revision, blob = database.execute(
        "SELECT record_id, revision, blob FROM revisions ORDER BY replaced_at DESC LIMIT 1").fetchone()
    database.execute("UPDATE records SET blob = ?, blob_hash = ?, revision = ? WHERE record_id = ?",
                     (blob, digest(blob), revision, record))
    return f"record {record.hex()[:8]}… was turned back to revision {revision}", []


def turn_news_back(database):
    """The newest change is undone: the entry is shown as it was before."""
    record, = database.execute("SELECT record_id FROM records ORDER BY seq DESC LIMIT 1").fetchone()
    revision, blob = database.execute(
        "SELECT revision, blob FROM revisions WHERE record_id = ? ORDER BY revision DESC LIMIT 1",
        (record,)).fetchone()
    database.execute("UPDATE records SET blob = ?, blob_hash = ?, revision = ? WHERE record_id = ?",
                     (blob, digest(blob), revision, record))
    return f"record {record.hex()[:8]}… was turned back to revision {revision}", [record]


def turn_all_back(database):
    """The vault as it was a commit ago, whole and consistent."""
    (seq,) = database.execute("SELECT max(seq) FROM commits").fetchone()
    database.execute("DELETE FROM commits WHERE seq = ?", (seq,))
    for record, in database.execute("SELECT record_id FROM records WHERE seq = ?", (seq,)).fetchall():
        older = database.execute(
            "SELECT revision, seq, blob_hash, blob FROM revisions WHERE record_id = ?"
            " ORDER BY revision DESC LIMIT 1", (record,)).fetchone()
        database.execute("DELETE FROM records WHERE record_id = ?", (record,))
        if older:
            user = database.execute("SELECT user_id FROM vaults").fetchone()[0]
            database.execute(
                "INSERT INTO records (user_id, record_id, revision, seq, blob_hash, blob)"
                " VALUES (?, ?, ?, ?, ?, ?)", (user, record, *older))
            database.execute("DELETE FROM revisions WHERE record_id = ? AND revision = ?",
                             (record, older[0]))
    database.execute("UPDATE vaults SET seq = ?, record_count = (SELECT count(*) FROM records),"
                     " bytes = (SELECT sum(length(blob)) FROM records)", (seq - 1,))
    return f"the whole vault was turned back by one commit, to {seq - 1}", []


@dataclasses.dataclass
class Lie:
    work: object
    device: str      # "c" is a new device, which joins; "b" has seen the truth before, and syncs
    status: int      # the exit code that must be seen
    words: tuple     # one of them must stand in the message
    verdict: str     # how the demo says it
    news: bool = False  # A changes an entry before, which "b" has not seen yet

    def tell(self, path):
        return edit(path, self.work)


LIES = [
    Lie(flip, "c", 16, ("damaged",), "the new device names the damaged entry and takes the rest"),
    Lie(forge, "c", 15, ("was tampered with",), "the new device names the entry and does not believe the vault"),
    Lie(swap, "c", 15, ("was swapped",), "the new device names both and does not believe the vault"),
    Lie(turn_back, "c", 15, ("does not add up",),
        "a device that never saw the entry cannot name it, and does not believe the vault"),
    Lie(turn_all_back, "b", 15, ("older copy",), "a device that was there knows better"),
    Lie(turn_news_back, "b", 15, ("was turned back",), "a device that has seen the entry names it", news=True),
]
