# SPDX-License-Identifier: Apache-2.0
"""Vectors of the blob, its padding, its key derivation, and the hashes around it."""

import blob as b
import forms
from partition import two_key_blob
from primitives import LABELS, aead_open, hash32, info, kdf, u32
from vectors import Subject, flip


def subjects():
    return [key_derivation(), padding(), blob(), two_keys(), content_hash()]


def key_derivation():
    s = Subject(
        "kdf", "output = HKDF-SHA-512(salt, ikm, info, length), info = Info(label, context)."
    )
    contexts = {"seal": 52, "slot-local": 33, "slot-export": 1, "session-token": 8, "key-id": 4}
    lengths = {"seal": 88, "key-id": 16}
    for label in LABELS:
        ikm, salt = s.stream.bytes(f"{label} ikm", 32), s.stream.bytes(f"{label} salt", 32)
        context = s.stream.bytes(f"{label} context", contexts.get(label, 0))
        length = lengths.get(label, 32)
        if label == "session-token":
            salt = b""
        s.case(
            label, label=label, context=context, salt=salt, ikm=ikm, length=length,
            info=info(label, context), output=kdf(salt, ikm, label, context, length),
        )  # fmt: skip
    return s


def padding():
    s = Subject("padding", "Plaintext length to padded length and blob length.")
    lengths = [0, 1, 507, 508, 509, 524, 540, 541, 572, 573, 1019, 1020, 1021, 1084, 1085]
    lengths += [4091, 4092, 4093, 4220, 65_531, 65_532, 65_533, 1_015_804, 1_015_805, 1_048_576]
    for length in lengths:
        s.case(
            f"{length} bytes", plaintextLength=length, paddedLength=b.padded_length(length),
            blobLength=b.blob_length(length),
        )  # fmt: skip
    s.refused(
        "one byte too many", "length", lambda: b.pad(bytes(b.MAX_PLAINTEXT + 1)),
        plaintextLength=b.MAX_PLAINTEXT + 1,
    )  # fmt: skip
    return s


def blob():
    s = Subject(
        "blob",
        "Seal with the given salt gives blob; open gives plaintext. A negative case is opened"
        " with key for the given epoch as the only known one, expecting kind, revision, uid, oid;"
        " where zeros is given, that many zero bytes follow blob.",
    )
    uid, rid = s.stream.bytes("uid", 16), s.stream.bytes("record id", 16)
    key = s.stream.bytes("vault key", 32)

    def positive(name, kind, epoch, revision, oid, plaintext):
        salt = s.stream.bytes(f"{name} salt", 32)
        sealed = b.seal(key, kind, epoch, revision, uid, oid, salt, plaintext)
        assert b.open_blob({epoch: key}, sealed, kind, uid, oid, revision) == plaintext
        s.case(
            name, key=key, kind=kind, epoch=epoch, revision=revision, uid=uid, oid=oid, salt=salt,
            plaintext=plaintext, commitment=sealed[52:84], blob=sealed, blobHash=b.blob_hash(sealed),
        )  # fmt: skip
        return sealed

    good = positive("a record", b.RECORD, 1, 1, rid, "Dear diary,\nit rained.".encode())
    positive("an empty record", b.RECORD, 1, 2, rid, b"")
    positive("508 bytes fill the smallest bucket", b.RECORD, 1, 3, rid, s.stream.bytes("m508", 508))
    positive("509 bytes need the next bucket", b.RECORD, 1, 4, rid, s.stream.bytes("m509", 509))
    positive("5,000 bytes", b.RECORD, 2, 2**40, rid, s.stream.bytes("m5000", 5000))
    positive("highest epoch and revision", b.RECORD, 2**32 - 1, 2**63 - 1, rid, b"late")
    positive("a head's binding", b.HEAD, 1, 7, b.oid("head"), b"bytes")
    positive("an export record", b.EXPORT_RECORD, 0, 1, rid, b"exported")
    positive("a local item", b.LOCAL_ITEM, 1, 0, s.stream.bytes("item", 16), b"draft")

    def negative(
        name, error, sealed, key=key, kind=b.RECORD, epoch=1, revision=1, uid=uid, oid=rid
    ):
        s.refused(
            name, error, lambda: b.open_blob({epoch: key}, sealed, kind, uid, oid, revision),
            key=key, kind=kind, epoch=epoch, revision=revision, uid=uid, oid=oid, blob=sealed,
        )  # fmt: skip

    negative("nothing", "length", b"")
    negative("only a header", "length", good[:84])
    negative("one byte short", "length", good[:-1])
    negative("magic", "magic", flip(good, 0))
    negative("last byte of the magic", "magic", flip(good, 3))
    negative("suite 0", "suite", good[:4] + b"\0" + good[5:])
    negative("suite 2", "suite", good[:4] + b"\2" + good[5:])
    negative("suite 255", "suite", good[:4] + b"\xff" + good[5:])
    negative("reserved, first byte", "reserved", flip(good, 6))
    negative("reserved, second byte", "reserved", flip(good, 7, 0x80))
    negative("kind 0", "kind", good[:5] + b"\0" + good[6:])
    negative("kind 9", "kind", good[:5] + b"\t" + good[6:])
    negative("another kind than expected", "kind", good, kind=b.LOCAL_ITEM)
    negative("an unknown epoch", "epoch", good, epoch=2)
    negative("a revision of 2^63", "revision", good[:12] + b"\x80" + good[13:])
    negative("another revision than expected", "revision", good, revision=2)
    negative("kind rewritten to the expected", "commitment",
             good[:5] + b"\5" + good[6:], kind=b.EXPORT_RECORD)  # fmt: skip
    negative("epoch rewritten to a known one", "commitment",
             good[:8] + u32(2) + good[12:], epoch=2)  # fmt: skip
    negative("revision rewritten to the expected", "commitment", flip(good, 19, 3), revision=2)
    negative("another user", "commitment", good, uid=s.stream.bytes("other uid", 16))
    negative("another object", "commitment", good, oid=s.stream.bytes("other id", 16))
    negative("another key", "commitment", good, key=s.stream.bytes("other key", 32))
    negative("salt", "commitment", flip(good, 20))
    negative("commitment, first byte", "commitment", flip(good, 52, 0x80))
    negative("commitment, last byte", "commitment", flip(good, 83))
    negative("ciphertext, first byte", "aead", flip(good, 84))
    negative("ciphertext, last byte before the tag", "aead", flip(good, -17))
    negative("tag", "aead", flip(good, -1))
    negative("one byte appended", "aead", good + b"\0")
    zeros = b.MAX_BLOB + 1 - len(good)
    s.refused(
        "one byte more than the largest", "length",
        lambda: b.open_blob({1: key}, good + bytes(zeros), b.RECORD, uid, rid, 1),
        key=key, kind=b.RECORD, epoch=1, revision=1, uid=uid, oid=rid, blob=good, zeros=zeros,
    )  # fmt: skip
    negative("nothing but zeros", "magic", bytes(612))

    salt = s.stream.bytes("faulty salt", 32)

    def faulty(name, error, padded, head20=None, kind=b.RECORD):
        sealed = b.seal_padded(key, b.RECORD, 1, 1, uid, rid, salt, padded, head20)
        negative(name, error, sealed, kind=kind)

    faulty("length above the limit", "canonical", u32(b.MAX_PLAINTEXT + 1).ljust(512, b"\0"))
    faulty("length beyond the bytes", "canonical", u32(509).ljust(512, b"\0"))
    faulty("length 2^32 - 1", "canonical", (b"\xff" * 4).ljust(512, b"\0"))
    faulty("a larger bucket than the length needs", "canonical", (u32(2) + b"hi").ljust(528, b"\0"))
    faulty("a size that is no bucket", "canonical", (u32(510) + bytes(510)))
    faulty("first byte of the padding", "padding", (u32(2) + b"hi\1").ljust(512, b"\0"))
    faulty("last byte of the padding", "padding", (u32(2) + b"hi").ljust(511, b"\0") + b"\1")
    return s


def two_keys():
    s = Subject(
        "two-keys",
        "One ciphertext that the bare AEAD opens under two keys; only the commitment tells them"
        " apart. bareKey and bareNonce open blob[84..] with the blob's AAD under either key.",
    )
    uid, rid, salt = (
        s.stream.bytes(n, size) for n, size in (("uid", 16), ("id", 16), ("salt", 32))
    )
    keys = [s.stream.bytes(f"key {i}", 32) for i in range(2)]
    sealed = two_key_blob(*keys, b.RECORD, 1, 1, uid, rid, salt, s.stream.bytes("filler", 508))
    for name, key in zip(("the key it commits to", "the other key"), keys):
        _, bare_key, bare_nonce = b.derive(key, salt, sealed[:20], uid, rid)
        bare = aead_open(bare_key, bare_nonce, sealed[84:], sealed[:84] + uid + rid)
        fields = dict(
            key=key, kind=b.RECORD, epoch=1, revision=1, uid=uid, oid=rid, blob=sealed,
            bareKey=bare_key, bareNonce=bare_nonce, barePlaintext=bare,
        )  # fmt: skip

        def act(key=key):
            return b.open_blob({1: key}, sealed, b.RECORD, uid, rid, 1)

        if key == keys[0]:
            s.case(name, **fields, plaintext=act())
        else:
            s.refused(name, "commitment", act, **fields)
    return s


def content_hash():
    s = Subject("content-hash", 'contentHash = SHA-512("KF1-content" || kind || content)[0..32).')
    for kind, content in ((1, b""), (1, b"\n\5Title"), (2, b"\n\5Title"), (255, bytes(1000))):
        s.case(
            f"kind {kind}, {len(content)} bytes", recordKind=kind, content=content,
            output=forms.content_hash(kind, content),
        )  # fmt: skip
    assert s.cases[0]["output"] == hash32(b"KF1-content\1").hex()
    return s
