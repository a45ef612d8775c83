# SPDX-License-Identifier: Apache-2.0
"""Vectors of the deletion certificate, the device label and the local item."""

import blob as b
import forms
from primitives import u16, u32, u64
from vectors import DEVICE, UID, VAULT_KEYS, Subject, flip


def subjects():
    return [deletion(), device_label(), local_item()]


def deletion():
    s = Subject(
        "deletion",
        "certificate: one blob for each epoch, ascending; certificateHash over all. A device with"
        " vaultKey of epoch, with the keys of older epochs where there are any, and the pin"
        " (pinGeneration, pinSeq) accepts or refuses it. A writer lists epochs ascending; a reader"
        " takes the first blob of its newest epoch.",
    )

    def make(name, generation, last_seq, epochs, device=DEVICE, time=1_795_000_123_456):
        statement = forms.Deletion(generation, last_seq, device, time)
        salts = {epoch: s.stream.bytes(f"{name} salt {epoch}", 32) for epoch in epochs}
        keys = {epoch: VAULT_KEYS[epoch] for epoch in epochs}
        return statement, forms.seal_certificate(keys, UID, salts, statement), salts

    def fields(epoch, blobs, pin):
        return dict(
            uid=UID, epoch=epoch, vaultKey=VAULT_KEYS[epoch], pinGeneration=pin[0], pinSeq=pin[1],
            certificate=[sealed.hex() for sealed in blobs],
        )  # fmt: skip

    def judge(epoch, blobs, pin):
        return forms.open_certificate({epoch: VAULT_KEYS[epoch]}, UID, blobs, *pin)

    statement, blobs, salts = make("three", 2, 90, (1, 2, 3))
    for name, epoch, pin in (
        ("newest epoch, at the pin", 3, (2, 90)), ("missed two rotations", 1, (2, 30)),
        ("a generation before", 2, (1, 500)),
    ):  # fmt: skip
        assert judge(epoch, blobs, pin) == statement
        s.case(
            name, **fields(epoch, blobs, pin), generation=2, lastSeq=90, device=DEVICE,
            time=statement.time, salts=[salt.hex() for salt in salts.values()],
            plaintext=statement.encode(), certificateHash=forms.certificate_hash(blobs),
        )  # fmt: skip

    def negative(name, error, epoch, blobs, pin):
        s.refused(name, error, lambda: judge(epoch, blobs, pin), **fields(epoch, blobs, pin))

    _, others, _ = make("others", 2, 95, (1, 2, 3))
    for name, epoch, listed in (
        ("out of order", 3, blobs[::-1]),
        ("an epoch twice: the first counts", 3, [*blobs, others[2]]),
        ("beside a broken blob of another epoch", 3, [flip(blobs[0], -1), *blobs[1:]]),
    ):  # fmt: skip
        assert judge(epoch, listed, (2, 90)) == statement
        s.case(
            name, **fields(epoch, listed, (2, 90)), generation=2, lastSeq=90, device=DEVICE,
            time=statement.time, plaintext=statement.encode(),
            certificateHash=forms.certificate_hash(listed),
        )  # fmt: skip
    negative("an epoch twice, the first broken", "aead", 3, [flip(blobs[2], -1), blobs[2]], (2, 90))
    older = {1: VAULT_KEYS[1], 2: VAULT_KEYS[2]}
    s.refused(
        "only of an epoch that a rotation ended", "epoch",
        lambda: forms.open_certificate(older, UID, blobs[:1], 2, 30),
        older=[dict(epoch=1, vaultKey=VAULT_KEYS[1].hex())], **fields(2, blobs[:1], (2, 30)),
    )  # fmt: skip
    negative("older than the pin", "rolledBack", 3, blobs, (2, 91))
    negative("of an older generation", "rolledBack", 3, blobs, (3, 1))
    negative("of no epoch that this device holds", "epoch", 1, blobs[1:], (2, 90))
    negative("no blob at all", "epoch", 1, [], (2, 90))
    negative("tag", "aead", 1, [flip(blobs[0], -1)], (2, 90))

    def faulty(name, error, plain, seq=90):
        salt = s.stream.bytes("faulty", 32)
        sealed = b.seal(VAULT_KEYS[1], b.DELETION, 1, seq, UID, b.oid("deletion"), salt, plain)
        negative(name, error, 1, [sealed], (2, 90))

    faulty("one byte short", "length", statement.encode()[:-1])
    faulty("one byte more", "length", statement.encode() + b"\0")
    faulty("last seq of another than the blob's revision", "revision", statement.encode(), seq=91)
    return s


def device_label():
    s = Subject("device-label", "Kind 7, object id = the device's id, revision = the pinned seq.")

    def seal(name, plain, seq):
        salt = s.stream.bytes(f"{name} salt", 32)
        return salt, b.seal(VAULT_KEYS[1], b.DEVICE_LABEL, 1, seq, UID, DEVICE, salt, plain)

    for name, text in (("laptop", "laptop"), ("not ASCII", "Σamuel’s Laptop"), ("long", "x" * 200)):
        label = forms.DeviceLabel(
            text, 1_795_000_060_000, 1_795_000_000_000, 1, 41, s.stream.bytes("head hash", 32)
        )
        salt, sealed = seal(name, label.encode(), 41)
        assert forms.decode_device_label(label.encode()) == label
        s.case(
            name, uid=UID, device=DEVICE, epoch=1, vaultKey=VAULT_KEYS[1], salt=salt,
            deviceName=text.encode(), lastSyncedAt=label.last_synced, lastPulledAt=label.last_pulled,
            generation=1, seq=41, headHash=label.head_hash, plaintext=label.encode(), blob=sealed,
        )  # fmt: skip
    tail = u64(1) + u64(1) + u32(1) + u64(41) + bytes(32)
    for name, error, plain in (
        ("version 2", "version", b"\2\0\1a" + tail), ("no name", "name", b"\1\0\0" + tail),
        ("a name too long", "name", b"\1" + u16(201) + b"x" * 201 + tail),
        ("a name that is not UTF-8", "name", b"\1\0\1\xff" + tail),
        ("one byte short", "length", b"\1\0\1a" + tail[:-1]),
        ("one byte more", "length", b"\1\0\1a" + tail + b"\0"),
    ):  # fmt: skip
        salt, sealed = seal(name, plain, 41)
        s.refused(
            name, error, lambda: forms.decode_device_label(plain), uid=UID, device=DEVICE, epoch=1,
            vaultKey=VAULT_KEYS[1], blob=sealed,
        )  # fmt: skip
    return s


def local_item():
    s = Subject(
        "local-item", "Kind 8, object id = the item's random id, revision 0; never uploaded."
    )
    item, salt = s.stream.bytes("item", 16), s.stream.bytes("salt", 32)
    plain = b"session token and such"
    sealed = b.seal(VAULT_KEYS[1], b.LOCAL_ITEM, 1, 0, UID, item, salt, plain)
    s.case(
        "an item", uid=UID, item=item, epoch=1, vaultKey=VAULT_KEYS[1], salt=salt, plaintext=plain,
        blob=sealed,
    )  # fmt: skip
    as_record = b.seal(VAULT_KEYS[1], b.RECORD, 1, 0, UID, item, salt, plain)
    s.refused(
        "a record in an item's place", "kind",
        lambda: b.open_blob({1: VAULT_KEYS[1]}, as_record, b.LOCAL_ITEM, UID, item, 0),
        uid=UID, item=item, epoch=1, vaultKey=VAULT_KEYS[1], blob=as_record,
    )  # fmt: skip
    return s
