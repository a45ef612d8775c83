# SPDX-License-Identifier: Apache-2.0
"""Vectors of the head, its root and its fingerprint."""

import blob as b
import forms
from primitives import u32
from vectors import DEVICE, UID, VAULT_KEYS, Subject, flip


def subjects():
    return [head(), root(), fingerprint()]


def make_chain(stream, count, epoch_at=lambda seq: 1, generation=1):
    """`count` heads over a growing vault: a list of (head, blob, rows, salt)."""
    chain, rows, previous = [], {}, None
    for seq in range(1, count + 1):
        if seq > 1:
            rid = stream.bytes(f"record {seq % 5}", 16)
            revision = rows[rid][0] + 1 if rid in rows else 1
            rows[rid] = (revision, stream.bytes(f"hash {seq}", 32))
        listed = [(rid, *rest) for rid, rest in rows.items()]
        prev_hash = b.blob_hash(previous[1]) if previous else forms.ZERO32
        skips = (
            forms.skips_after(previous[0], prev_hash) if previous else [forms.ZERO32] * forms.SKIPS
        )
        epoch = epoch_at(seq)
        head = forms.Head(
            generation, seq, prev_hash, forms.root(listed), len(listed), epoch, DEVICE,
            1_795_000_000_000 + seq * 60_000, skips,
        )  # fmt: skip
        salt = stream.bytes(f"salt {seq}", 32)
        sealed = forms.seal_head(VAULT_KEYS[epoch], UID, salt, head)
        previous = (head, sealed, listed, salt)
        chain.append(previous)
    return chain


def make_first(stream, name, generation, epoch, pinned, rows, time=1_795_100_000_000):
    """Head 1 of a later generation; `pinned` is the blob of the head that its device had pinned."""
    head = forms.Head(
        generation, 1, b.blob_hash(pinned), forms.root(rows), len(rows), epoch, DEVICE, time,
        [forms.ZERO32] * forms.SKIPS,
    )  # fmt: skip
    salt = stream.bytes(f"{name} salt", 32)
    return head, forms.seal_head(VAULT_KEYS[epoch], UID, salt, head), rows, salt


def rows_field(rows):
    return [
        {"recordId": rid.hex(), "revision": revision, "blobHash": blob_hash.hex()}
        for rid, revision, blob_hash in rows
    ]


def head():
    s = Subject(
        "head",
        "A chain of heads with the rows each one states, then first heads of later generations."
        " Negative cases: a device that holds vaultKey, of epoch, and no other key opens blob.",
    )
    keys = {1: VAULT_KEYS[1], 2: VAULT_KEYS[2]}
    chain = make_chain(s.stream, 18, lambda seq: 1 if seq < 10 else 2)
    firsts = [
        (name, *make_first(s.stream, name, generation, epoch, pinned, rows))
        for name, generation, epoch, pinned, rows in (
            ("head 1 after a deletion", 2, 2, chain[17][1], []),
            ("head 1 of a new beginning over the server's rows", 3, 2, chain[17][1], chain[12][2]),
        )
    ]
    for name, h, sealed, rows, salt in [(f"head {link[0].seq}", *link) for link in chain] + firsts:
        assert forms.open_head(keys, UID, sealed) == h
        s.case(
            name, uid=UID, generation=h.generation, seq=h.seq, prev=h.prev, root=h.root,
            count=h.count, epoch=h.epoch, device=h.device, time=h.time,
            skips=[skip.hex() for skip in h.skips], rows=rows_field(rows), salt=salt,
            vaultKey=VAULT_KEYS[h.epoch], plaintext=h.encode(), blob=sealed,
            blobHash=b.blob_hash(sealed),
        )  # fmt: skip
    h, good, _, salt = chain[4]

    def negative(name, error, sealed, uid=UID):
        s.refused(
            name, error, lambda: forms.open_head({1: VAULT_KEYS[1]}, uid, sealed), uid=uid,
            epoch=1, vaultKey=VAULT_KEYS[1], blob=sealed,
        )  # fmt: skip

    def seal(plain, epoch=1, seq=5, kind=b.HEAD, oid="head"):
        return b.seal(VAULT_KEYS[1], kind, epoch, seq, UID, b.oid(oid), salt, plain)

    plain = h.encode()
    negative("one byte short", "length", seal(plain[:-1]))
    negative("one byte more", "length", seal(plain + b"\0"))
    negative("seq of another than the blob's revision", "revision", seal(plain, seq=6))
    negative("epoch of another than the blob's", "epoch", seal(plain[:80] + u32(2) + plain[84:]))
    negative("an unknown epoch", "epoch", chain[12][1])
    negative("a record in a head's place", "kind", seal(plain, kind=b.RECORD))
    negative("sealed for another object", "commitment", seal(plain, oid="keyring"))
    negative("another user's", "commitment", good, uid=s.stream.bytes("other uid", 16))
    negative("tag", "aead", flip(good, -1))
    return s


def root():
    s = Subject("root", "Two-level root over rows; the order of the rows given does not matter.")

    def rows(name, count, first=None):
        made = []
        for i in range(count):
            rid = s.stream.bytes(f"{name} id {i}", 16)
            rid = rid if first is None else bytes([first]) + rid[1:]
            made.append((rid, i % 7 + 1, s.stream.bytes(f"{name} hash {i}", 32)))
        return made

    for name, listed in (
        ("no record", []), ("one record", rows("one", 1)), ("three in one bucket", rows("b", 3, 7)),
        ("first and last bucket", rows("f", 1, 0) + rows("l", 1, 255)),
        ("three hundred", rows("many", 300)),
    ):  # fmt: skip
        s.case(name, rows=rows_field(listed), root=forms.root(listed))
    one = rows("one", 1)
    twice = [one[0], (one[0][0], 2, one[0][2])]
    s.refused("a record id twice", "duplicate", lambda: forms.root(twice), rows=rows_field(twice))
    return s


def fingerprint():
    s = Subject("fingerprint", "What people compare: seq and 12 characters.")
    for name, generation, seq in (("first head", 1, 1), ("later", 1, 4711), ("again", 2, 2**40)):
        head_hash = s.stream.bytes(f"{name} hash", 32)
        s.case(
            name, uid=UID, generation=generation, seq=seq, headHash=head_hash,
            fingerprint=forms.fingerprint(UID, generation, seq, head_hash),
        )  # fmt: skip
    return s
