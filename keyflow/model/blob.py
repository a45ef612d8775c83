# SPDX-License-Identifier: Apache-2.0
"""The blob "KFB1": one form for everything sealed (SPEC section 6)."""

import hmac

from primitives import (
    aead_open, aead_seal, hash32, kdf, require, u8, u16, u32, u64,
)  # fmt: skip

MAGIC = b"KFB1"
SUITE = 1
HEADER = 84
TAG = 16
MAX_PLAINTEXT = 1 << 20
MIN_PADDED = 512
MIN_BLOB = HEADER + MIN_PADDED + TAG
MAX_BLOB = 1_081_444

RECORD, SLOT, HEAD, KEYRING, EXPORT_RECORD, DELETION, DEVICE_LABEL, LOCAL_ITEM = range(1, 9)


def oid(name):
    """The object id of a named object: ASCII, zero-padded to 16."""
    return name.encode().ljust(16, b"\0")


def padme(length):
    """Padmé (Nikitin et al., PURBs 2019): overhead at most 12 %, falling with the size."""
    exponent = length.bit_length() - 1
    mask = (1 << (exponent - exponent.bit_length())) - 1
    return (length + mask) & ~mask


def padded_length(plaintext_length):
    return max(MIN_PADDED, padme(plaintext_length + 4))


def blob_length(plaintext_length):
    return HEADER + padded_length(plaintext_length) + TAG


def pad(plaintext):
    require(len(plaintext) <= MAX_PLAINTEXT, "length")
    return (u32(len(plaintext)) + plaintext).ljust(padded_length(len(plaintext)), b"\0")


def unpad(padded):
    length = int.from_bytes(padded[:4], "big")
    canonical = length <= MAX_PLAINTEXT and padded_length(length) == len(padded)
    require(canonical, "canonical")
    require(not any(padded[4 + length :]), "padding")
    return padded[4 : 4 + length]


def header(kind, epoch, revision):
    return MAGIC + u8(SUITE) + u8(kind) + u16(0) + u32(epoch) + u64(revision)


def derive(key, salt, head20, uid, object_id):
    """The 88 bytes of one blob: commitment 32, AEAD key 32, nonce 24."""
    okm = kdf(salt, key, "seal", head20 + uid + object_id, 88)
    return okm[:32], okm[32:64], okm[64:]


def seal_padded(key, kind, epoch, revision, uid, object_id, salt, padded, head20=None):
    """Seals bytes already padded; apart from `seal`, only faulty vectors are made with it."""
    assert len(key) == 32 and len(uid) == 16 and len(object_id) == 16 and len(salt) == 32
    head20 = head20 or header(kind, epoch, revision)
    commitment, aead_key, nonce = derive(key, salt, head20, uid, object_id)
    front = head20 + salt + commitment
    return front + aead_seal(aead_key, nonce, padded, front + uid + object_id)


def seal(key, kind, epoch, revision, uid, object_id, salt, plaintext):
    return seal_padded(key, kind, epoch, revision, uid, object_id, salt, pad(plaintext))


def parse(blob):
    """Kind, epoch and revision that a blob claims; nothing is verified but its shape."""
    require(MIN_BLOB <= len(blob) <= MAX_BLOB, "length")
    require(blob[:4] == MAGIC, "magic")
    require(blob[4] == SUITE, "suite")
    require(blob[6:8] == bytes(2), "reserved")
    kind = blob[5]
    require(RECORD <= kind <= LOCAL_ITEM, "kind")
    epoch, revision = int.from_bytes(blob[8:12], "big"), int.from_bytes(blob[12:20], "big")
    require(revision < 1 << 63, "revision")
    return kind, epoch, revision


def open_blob(keys, blob, kind, uid, object_id, revision=None):
    """Opens a blob with the key of its epoch out of `keys` {epoch: key}.

    `revision` is compared where the caller knows it. The checks are made in SPEC's order, so the
    first fault decides the reason; clients show one error for all of them.
    """
    found, epoch, stated = parse(blob)
    require(found == kind, "kind")
    require(epoch in keys, "epoch")
    require(revision is None or stated == revision, "revision")
    salt, commitment = blob[20:52], blob[52:84]
    expected, aead_key, nonce = derive(keys[epoch], salt, blob[:20], uid, object_id)
    require(hmac.compare_digest(expected, commitment), "commitment")
    return unpad(aead_open(aead_key, nonce, blob[84:], blob[:84] + uid + object_id))


def blob_hash(blob):
    return hash32(blob)
