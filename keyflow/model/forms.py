# SPDX-License-Identifier: Apache-2.0
"""What lies inside the seals: slots, keyring, head, certificate, label (SPEC sections 7 to 9)."""

from dataclasses import dataclass

import blob as b
from primitives import (
    PROFILES, hash32, kdf, lp16, lp32, require, sha512, stretch, u8, u16, u32, u64,
)  # fmt: skip

ZERO32 = bytes(32)


class Reader:
    """Reads fixed fields and refuses with "length" when the bytes run out or some are left."""

    def __init__(self, data):
        self.data = data
        self.at = 0

    def take(self, count):
        require(self.at + count <= len(self.data), "length")
        self.at += count
        return self.data[self.at - count : self.at]

    def number(self, size):
        return int.from_bytes(self.take(size), "big")

    def end(self):
        require(self.at == len(self.data), "length")


# Slots.


@dataclass
class Slot:
    """A vault key for one way in, and the base head as a lower bound for a new device."""

    epoch: int
    key: bytes
    profile: int
    min_suite: int
    generation: int
    seq: int
    head_hash: bytes

    def encode(self):
        return (
            u8(1) + u32(self.epoch) + self.key + u8(self.profile) + u8(self.min_suite)
            + u32(self.generation) + u64(self.seq) + self.head_hash
        )  # fmt: skip


def decode_slot(data, epoch, profiles):
    """`profiles`: the set of profile bytes allowed for this slot; recovery has only 0."""
    require(len(data) == 83, "length")
    r = Reader(data)
    require(r.number(1) == 1, "version")
    slot = Slot(
        r.number(4), r.take(32), r.number(1), r.number(1), r.number(4), r.number(8), r.take(32)
    )
    require(slot.epoch == epoch, "epoch")
    require(slot.profile in profiles, "profile")
    require(slot.min_suite == b.SUITE, "minSuite")
    return slot


PASSWORD_PROFILES = set(PROFILES)
RECOVERY_PROFILES = {0}


def password_key(uid, export_key):
    return kdf(uid, export_key, "slot-password", b"", 32)


def recovery_key(uid, code):
    return kdf(uid, code, "slot-recovery", b"", 32)


def seal_slot(key, name, uid, salt, slot):
    return b.seal(key, b.SLOT, slot.epoch, slot.seq, uid, b.oid(name), salt, slot.encode())


def open_slot(key, name, uid, sealed, profiles):
    """Opens a slot; its epoch is what the blob says, since the slot is where epochs come from."""
    _, epoch, revision = b.parse(sealed)
    slot = decode_slot(b.open_blob({epoch: key}, sealed, b.SLOT, uid, b.oid(name)), epoch, profiles)
    require(slot.seq == revision, "revision")
    return slot


# The local file "KFL1".


def local_key(password_input, profile, uid, device, salt16):
    stretched = stretch(password_input, salt16, profile)
    return kdf(salt16, stretched, "slot-local", u8(profile) + uid + device, 32)


def seal_local_file(password_input, profile, uid, device, salt16, salt, slot):
    key = local_key(password_input, profile, uid, device, salt16)
    front = b"KFL1" + u8(b.SUITE) + u8(profile) + uid + device + salt16
    return front + seal_slot(key, "local", uid, salt, slot)


def open_local_file(password_input, data):
    """Everything cheap is checked before Argon2id runs. Gives uid, device and slot."""
    require(len(data) == 54 + b.MIN_BLOB, "length")
    r = Reader(data)
    require(r.take(4) == b"KFL1", "magic")
    require(r.number(1) == b.SUITE, "suite")
    profile = r.number(1)
    require(profile in PROFILES, "profile")
    uid, device, salt16 = r.take(16), r.take(16), r.take(16)
    sealed = data[r.at :]
    require(b.parse(sealed)[0] == b.SLOT, "kind")
    key = local_key(password_input, profile, uid, device, salt16)
    return uid, device, open_slot(key, "local", uid, sealed, {profile})


# Keyring.


def encode_keyring(keys):
    """`keys`: {epoch: vault key} of the epochs older than the newest."""
    rows = b"".join(u32(epoch) + keys[epoch] for epoch in sorted(keys))
    return u16(len(keys)) + rows


def decode_keyring(data, newest):
    require(len(data) >= 2 and len(data) == 2 + 36 * int.from_bytes(data[:2], "big"), "length")
    r, keys, last = Reader(data), {}, -1
    for _ in range(r.number(2)):
        epoch, key = r.number(4), r.take(32)
        require(last < epoch < newest, "order")
        keys[epoch], last = key, epoch
    r.end()
    return keys


# Head.


def bucket_hash(byte, rows):
    """`rows`: sorted 56-byte rows whose record id begins with `byte`."""
    return hash32(b"KF1-bucket", u8(byte), u32(len(rows)), *rows)


def root(rows):
    """Root over rows (record id 16, revision, blob hash 32), one for each record id."""
    packed = sorted(rid + u64(revision) + blob_hash for rid, revision, blob_hash in rows)
    ids = {row[:16] for row in packed}
    require(len(ids) == len(packed), "duplicate")
    buckets = [[row for row in packed if row[0] == byte] for byte in range(256)]
    hashes = [bucket_hash(byte, bucket) for byte, bucket in enumerate(buckets)]
    return hash32(b"KF1-root", u32(len(packed)), *hashes)


@dataclass
class Head:
    """The sealed statement of the vault after one commit."""

    generation: int
    seq: int
    prev: bytes
    root: bytes
    count: int
    epoch: int
    device: bytes
    time: int
    skips: list

    def encode(self):
        return (
            u32(self.generation) + u64(self.seq) + self.prev + self.root + u32(self.count)
            + u32(self.epoch) + self.device + u64(self.time) + b"".join(self.skips)
        )  # fmt: skip


SKIPS = 12


def decode_head(data, epoch, revision):
    require(len(data) == 492, "length")
    r = Reader(data)
    head = Head(
        r.number(4), r.number(8), r.take(32), r.take(32), r.number(4), r.number(4), r.take(16),
        r.number(8), [r.take(32) for _ in range(SKIPS)],
    )  # fmt: skip
    require(head.seq == revision, "revision")
    require(head.epoch == epoch, "epoch")
    return head


def skips_after(previous, previous_hash):
    """The skip links of the head that follows `previous` in the same generation."""
    return [
        previous_hash if previous.seq % 4**k == 0 else previous.skips[k - 1]
        for k in range(1, SKIPS + 1)
    ]


def seal_head(key, uid, salt, head):
    return b.seal(key, b.HEAD, head.epoch, head.seq, uid, b.oid("head"), salt, head.encode())


def open_head(keys, uid, sealed):
    _, epoch, revision = b.parse(sealed)
    return decode_head(b.open_blob(keys, sealed, b.HEAD, uid, b.oid("head")), epoch, revision)


ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def crockford(data, characters):
    """The first `5 * characters` bits of `data` in Crockford's base32."""
    bits = int.from_bytes(data, "big") >> (8 * len(data) - 5 * characters)
    return "".join(ALPHABET[bits >> 5 * i & 31] for i in reversed(range(characters)))


def grouped(text, size):
    return "-".join(text[i : i + size] for i in range(0, len(text), size))


def fingerprint(uid, generation, seq, head_hash):
    """As shown to people: "SEQ-XXXX-XXXX-XXXX"."""
    digest = sha512(b"KF1-fp", uid, u32(generation), u64(seq), head_hash)
    return f"{seq}-{grouped(crockford(digest, 12), 4)}"


# Content hash, request hash, deletion certificate, device label.


def content_hash(record_kind, content):
    return hash32(b"KF1-content", u8(record_kind), content)


def request_hash(record, password_slot, recovery_slot, recovery_public, keyring, head):
    parts = (record, password_slot, recovery_slot, recovery_public, keyring, head)
    return sha512(b"KF1-replace", *(lp32(part) for part in parts))


@dataclass
class Deletion:
    """The owner asked for deletion of this generation."""

    generation: int
    last_seq: int
    device: bytes
    time: int

    def encode(self):
        return u32(self.generation) + u64(self.last_seq) + self.device + u64(self.time)


def decode_deletion(data, revision):
    require(len(data) == 36, "length")
    r = Reader(data)
    deletion = Deletion(r.number(4), r.number(8), r.take(16), r.number(8))
    require(deletion.last_seq == revision, "revision")
    return deletion


def seal_certificate(keys, uid, salts, deletion):
    """One blob for each epoch, ascending; `keys` and `salts` by epoch."""
    return [
        b.seal(
            keys[epoch], b.DELETION, epoch, deletion.last_seq, uid, b.oid("deletion"),
            salts[epoch], deletion.encode(),
        )
        for epoch in sorted(keys)
    ]  # fmt: skip


def certificate_hash(blobs):
    return hash32(b"KF1-certificate", u16(len(blobs)), *(lp32(sealed) for sealed in blobs))


def open_certificate(keys, uid, blobs, generation, pinned_seq):
    """Opens the blob of the newest epoch that this device holds and judges it against the pin."""
    for sealed in blobs:
        _, epoch, revision = b.parse(sealed)
        if epoch == max(keys):
            plain = b.open_blob(keys, sealed, b.DELETION, uid, b.oid("deletion"))
            deletion = decode_deletion(plain, revision)
            newer = deletion.generation > generation
            same = deletion.generation == generation and deletion.last_seq >= pinned_seq
            require(newer or same, "rolledBack")
            return deletion
    require(False, "epoch")


@dataclass
class DeviceLabel:
    """What a device tells the account's other devices about itself."""

    name: str
    last_synced: int
    last_pulled: int
    generation: int
    seq: int
    head_hash: bytes

    def encode(self):
        return (
            u8(1) + lp16(self.name.encode()) + u64(self.last_synced) + u64(self.last_pulled)
            + u32(self.generation) + u64(self.seq) + self.head_hash
        )  # fmt: skip


def decode_device_label(data):
    r = Reader(data)
    require(r.number(1) == 1, "version")
    name = r.take(r.number(2))
    require(1 <= len(name) <= 200, "name")
    try:
        name = name.decode()
    except UnicodeDecodeError:
        require(False, "name")
    label = DeviceLabel(name, r.number(8), r.number(8), r.number(4), r.number(8), r.take(32))
    r.end()
    return label
