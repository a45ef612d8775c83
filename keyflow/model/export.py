# SPDX-License-Identifier: Apache-2.0
"""The export container "KFX1" (SPEC section 10)."""

import account
import blob as b
import forms
from forms import Reader
from primitives import PROFILES, Refused, kdf, lp32, require, stretch, u8, u32

PASSPHRASE = 1
EPOCH = 0


def slot_key(passphrase, salt16, profile):
    stretched = stretch(account.passphrase_input(passphrase), salt16, profile)
    return kdf(salt16, stretched, "slot-export", u8(profile), 32)


def seal_records(export_key, uid, salts, records):
    """`records`: (record id, revision, payload); gives the sorted entries of the container."""
    return [
        (rid, b.seal(export_key, b.EXPORT_RECORD, EPOCH, revision, uid, rid, salts(rid), payload))
        for rid, revision, payload in sorted(records)
    ]


def rows(entries):
    return [(rid, b.parse(sealed)[2], b.blob_hash(sealed)) for rid, sealed in entries]


def encode(uid, slots, entries, head_blob):
    """`slots`: (profile, salt16, blob), all opened by a passphrase."""
    body = b"".join(u8(PASSPHRASE) + u8(p) + salt16 + lp32(sealed) for p, salt16, sealed in slots)
    listed = b"".join(rid + lp32(sealed) for rid, sealed in entries)
    return (
        b"KFX1" + u8(b.SUITE) + uid + u8(len(slots)) + body + u32(len(entries)) + listed
        + lp32(head_blob)
    )  # fmt: skip


def seal(passphrase, profile, uid, salt16, export_key, salts, records, slot, head):
    """Makes a container with one slot; `salts` gives the salt of each blob by name."""
    key = slot_key(passphrase, salt16, profile)
    slot_blob = forms.seal_slot(key, "export", uid, salts(b"slot"), slot)
    entries = seal_records(export_key, uid, salts, records)
    head.root, head.count = forms.root(rows(entries)), len(entries)
    head_blob = forms.seal_head(export_key, uid, salts(b"head"), head)
    return encode(uid, [(profile, salt16, slot_blob)], entries, head_blob)


def _blob(reader):
    size = reader.number(4)
    require(b.MIN_BLOB <= size <= b.MAX_BLOB, "length")
    return reader.take(size)


def parse(data):
    """(uid, slots, entries, head blob); shapes only, nothing is verified or stretched."""
    r = Reader(data)
    require(r.take(4) == b"KFX1", "magic")
    require(r.number(1) == b.SUITE, "suite")
    uid, count, slots, entries = r.take(16), r.number(1), [], []
    require(1 <= count <= 8, "slots")
    for _ in range(count):
        require(r.number(1) == PASSPHRASE, "type")
        profile = r.number(1)
        require(profile in PROFILES, "profile")
        slots.append((profile, r.take(16), _blob(r)))
    count = r.number(4)
    require(count * (20 + b.MIN_BLOB) <= len(data), "length")
    for _ in range(count):
        rid = r.take(16)
        require(not entries or entries[-1][0] < rid, "order")
        entries.append((rid, _blob(r)))
    head_blob = _blob(r)
    r.end()
    return uid, slots, entries, head_blob


def unlock(passphrase, uid, slots):
    """The slot that the passphrase opens; the last refusal when it opens none."""
    refusal = None
    for profile, salt16, sealed in slots:
        try:
            key = slot_key(passphrase, salt16, profile)
            return forms.open_slot(key, "export", uid, sealed, {profile})
        except Refused as caught:
            refusal = caught
    raise refusal


def open_container(passphrase, data):
    """(uid, slot, head, [(record id, revision, payload)]), all or nothing."""
    uid, slots, entries, head_blob = parse(data)
    slot = unlock(passphrase, uid, slots)
    require(slot.epoch == EPOCH, "epoch")
    keys = {EPOCH: slot.key}
    head = forms.open_head(keys, uid, head_blob)
    stated = rows(entries)
    require(head.count == len(entries) and head.root == forms.root(stated), "incomplete")
    require(
        (head.generation, head.seq, head.prev) == (slot.generation, slot.seq, slot.head_hash)
        and not any(b"".join(head.skips)),
        "incomplete",
    )
    records = [
        (rid, revision, b.open_blob(keys, sealed, b.EXPORT_RECORD, uid, rid, revision))
        for (rid, revision, _), (_, sealed) in zip(stated, entries)
    ]
    return uid, slot, head, records


def salvage(passphrase, data):
    """Whatever still opens in a damaged container: ([records], [what was lost]).

    Reads as far as the lengths lead. What it gives is genuine one by one, but that nothing was
    dropped, doubled or replaced by an older copy is known only from `open_container`.
    """
    r = Reader(data)
    require(r.take(4) == b"KFX1", "magic")
    require(r.number(1) == b.SUITE, "suite")
    uid, slots, found, lost = r.take(16), [], {}, []
    for _ in range(r.number(1)):
        _, profile = r.number(1), r.number(1)
        slots.append((profile, r.take(16), _blob(r)))
    key = unlock(passphrase, uid, slots).key
    for index in range(r.number(4)):
        try:
            rid, sealed = r.take(16), _blob(r)
        except Refused:
            lost.append(f"everything from record {index} on")
            break
        try:
            payload = b.open_blob({EPOCH: key}, sealed, b.EXPORT_RECORD, uid, rid)
            found[rid] = (rid, b.parse(sealed)[2], payload)
        except Refused as refusal:
            lost.append(f"record {rid.hex()}: {refusal.reason}")
    return list(found.values()), lost
