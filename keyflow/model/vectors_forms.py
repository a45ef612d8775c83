# SPDX-License-Identifier: Apache-2.0
"""Vectors of slots, local file, keyring, head, root, fingerprint, deletion and device label."""

import blob as b
import forms
from account import password_input
from primitives import u8, u16, u32, u64
from vectors import Stream, Subject, flip

UID = Stream("common").bytes("uid", 16)
DEVICE = Stream("common").bytes("device", 16)
VAULT_KEYS = {epoch: Stream("common").bytes(f"vault key {epoch}", 32) for epoch in range(4)}
SERVER, NAME = b"vault.example", b"samuel"


def subjects():
    return [
        slots(), local_file(), keyring(), head(), root(), fingerprint(), deletion(),
        device_label(), local_item(),
    ]  # fmt: skip


def slot_fields(slot):
    return dict(
        epoch=slot.epoch, vaultKey=slot.key, profile=slot.profile, minSuite=slot.min_suite,
        generation=slot.generation, seq=slot.seq, headHash=slot.head_hash,
    )  # fmt: skip


def base_slot(s, profile, epoch=1, seq=41):
    return forms.Slot(epoch, VAULT_KEYS[epoch], profile, 1, 1, seq, s.stream.bytes("head hash", 32))


def slots():
    s = Subject(
        "slots",
        "ikm is the OPAQUE export key (password) or the recovery code (recovery); slotKey is"
        " derived from it with uid; blob is the sealed slot. Negative cases: open blob with slotKey.",
    )
    ways = {
        "password": (64, forms.password_key, forms.PASSWORD_PROFILES, 2),
        "recovery": (20, forms.recovery_key, forms.RECOVERY_PROFILES, 0),
    }
    for way, (length, derive, profiles, profile) in ways.items():
        ikm = s.stream.bytes(f"{way} ikm", length)
        key = derive(UID, ikm)
        salt = s.stream.bytes(f"{way} salt", 32)
        slot = base_slot(s, profile)
        sealed = forms.seal_slot(key, way, UID, salt, slot)
        assert forms.open_slot(key, way, UID, sealed, profiles) == slot
        s.case(
            f"{way} slot", way=way, uid=UID, ikm=ikm, slotKey=key, salt=salt, **slot_fields(slot),
            plaintext=slot.encode(), blob=sealed,
        )  # fmt: skip

        def negative(name, error, sealed, way=way, uid=UID, key=key, profiles=profiles):
            s.refused(
                f"{way}: {name}", error, lambda: forms.open_slot(key, way, uid, sealed, profiles),
                way=way, uid=uid, slotKey=key, blob=sealed,
            )  # fmt: skip

        other = "recovery" if way == "password" else "password"
        negative("opened as the other slot", "commitment", sealed, way=other,
                 profiles=ways[other][2])  # fmt: skip
        negative("another user's", "commitment", sealed, uid=s.stream.bytes("other uid", 16))
        negative("another key", "commitment", sealed, key=s.stream.bytes("other key", 32))

        def faulty(name, error, plain, epoch=1, seq=41):
            oid = b.oid(way)
            negative(name, error, b.seal(key, b.SLOT, epoch, seq, UID, oid, salt, plain))

        plain = slot.encode()
        faulty("one byte short", "length", plain[:-1])
        faulty("one byte more", "length", plain + b"\0")
        faulty("version 0", "version", u8(0) + plain[1:])
        faulty("version 2", "version", u8(2) + plain[1:])
        faulty("epoch of another than the blob's", "epoch", plain, epoch=2)
        faulty("seq of another than the blob's revision", "revision", plain, seq=40)
        faulty("an unknown profile", "profile", plain[:37] + u8(4) + plain[38:])
        faulty("a profile of the wrong way", "profile",
               plain[:37] + u8(1 if way == "recovery" else 0) + plain[38:])  # fmt: skip
        faulty("minSuite 0", "minSuite", plain[:38] + u8(0) + plain[39:])
        faulty("minSuite 2", "minSuite", plain[:38] + u8(2) + plain[39:])
        keyring_blob = b.seal(key, b.KEYRING, 1, 41, UID, b.oid(way), salt, plain)
        negative("a blob of another kind", "kind", keyring_blob)
    return s


def local_file():
    s = Subject(
        "local-file",
        "file is the KFL1 file; it opens with passwordInput (see password-input.json). Argon2id"
        " runs only for cases whose error is commitment or later.",
    )
    slot_salt = s.stream.bytes("salt", 32)
    typed = password_input(SERVER, NAME, b"correct horse battery staple")

    def make(profile):
        salt16 = s.stream.bytes(f"salt16 {profile}", 16)
        slot = base_slot(s, profile)
        data = forms.seal_local_file(typed, profile, UID, DEVICE, salt16, slot_salt, slot)
        assert forms.open_local_file(typed, data) == (UID, DEVICE, slot)
        s.case(
            f"profile {profile}", passwordInput=typed, uid=UID, device=DEVICE, salt16=salt16,
            salt=slot_salt, slotKey=forms.local_key(typed, profile, UID, DEVICE, salt16),
            **slot_fields(slot), file=data,
        )  # fmt: skip
        return data

    good = make(1)
    make(2)

    def negative(name, error, data, typed=typed):
        s.refused(
            name, error, lambda: forms.open_local_file(typed, data), passwordInput=typed, file=data
        )

    negative("nothing", "length", b"")
    negative("one byte short", "length", good[:-1])
    negative("one byte more", "length", good + b"\0")
    negative("magic", "magic", flip(good, 3))
    negative("suite 2", "suite", flip(good, 4, 3))
    negative("profile 0", "profile", good[:5] + u8(0) + good[6:])
    negative("profile 4", "profile", good[:5] + u8(4) + good[6:])
    negative("profile 255", "profile", good[:5] + u8(255) + good[6:])
    negative("the blob's magic", "magic", flip(good, 54))
    negative("the blob's kind", "kind", flip(good, 59))
    negative("another user id in front", "commitment", flip(good, 6))
    negative("another device in front", "commitment", flip(good, 22))
    negative("another salt16 in front", "commitment", flip(good, 38))
    negative("another profile in front", "commitment", good[:5] + u8(2) + good[6:])
    negative("tag", "aead", flip(good, -1))
    wrong = password_input(SERVER, NAME, b"correct horse battery staples")
    negative("wrong password", "commitment", good, typed=wrong)
    return s


def keyring():
    s = Subject(
        "keyring",
        "keys: the epochs older than the blob's, ascending. Sealed under vaultKey of epoch.",
    )

    def seal(epoch, seq, salt, plain, kind=b.KEYRING):
        return b.seal(VAULT_KEYS[epoch], kind, epoch, seq, UID, b.oid("keyring"), salt, plain)

    def read(sealed, epoch):
        keys = {epoch: VAULT_KEYS[epoch]}
        plain = b.open_blob(keys, sealed, b.KEYRING, UID, b.oid("keyring"))
        return forms.decode_keyring(plain, epoch)

    for name, newest, epochs, seq in (
        ("first keyring", 1, (), 1), ("one older epoch", 2, (1,), 57),
        ("two older epochs", 3, (1, 2), 112), ("empty after a deletion", 3, (), 1),
    ):  # fmt: skip
        salt = s.stream.bytes(f"{name} salt", 32)
        older = {epoch: VAULT_KEYS[epoch] for epoch in epochs}
        plain = forms.encode_keyring(older)
        sealed = seal(newest, seq, salt, plain)
        assert read(sealed, newest) == older
        s.case(
            name, uid=UID, epoch=newest, revision=seq, vaultKey=VAULT_KEYS[newest], salt=salt,
            keys=[{"epoch": e, "vaultKey": k.hex()} for e, k in older.items()], plaintext=plain,
            blob=sealed, etag=b.blob_hash(sealed),
        )  # fmt: skip

    def faulty(name, error, plain):
        sealed = seal(3, 5, s.stream.bytes("faulty salt", 32), plain)
        s.refused(
            name, error, lambda: read(sealed, 3), uid=UID, epoch=3, vaultKey=VAULT_KEYS[3],
            blob=sealed,
        )  # fmt: skip

    row = {e: u32(e) + VAULT_KEYS[e % 4] for e in range(5)}
    faulty("nothing", "length", b"")
    faulty("count above the rows", "length", u16(2) + row[1])
    faulty("count below the rows", "length", u16(1) + row[1] + row[2])
    faulty("a row cut short", "length", u16(1) + row[1][:-1])
    faulty("descending", "order", u16(2) + row[2] + row[1])
    faulty("an epoch twice", "order", u16(2) + row[1] + row[1])
    faulty("the newest epoch itself", "order", u16(1) + row[3])
    faulty("a newer epoch", "order", u16(1) + row[4])
    return s


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


def rows_field(rows):
    return [
        {"recordId": rid.hex(), "revision": revision, "blobHash": blob_hash.hex()}
        for rid, revision, blob_hash in rows
    ]


def head():
    s = Subject("head", "A chain of heads with the rows each one states; keys of epochs 1 and 2.")
    keys = {1: VAULT_KEYS[1], 2: VAULT_KEYS[2]}
    chain = make_chain(s.stream, 18, lambda seq: 1 if seq < 10 else 2)
    for h, sealed, rows, salt in chain:
        assert forms.open_head(keys, UID, sealed) == h
        s.case(
            f"head {h.seq}", uid=UID, generation=h.generation, seq=h.seq, prev=h.prev, root=h.root,
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


def deletion():
    s = Subject(
        "deletion",
        "certificate: one blob for each epoch, ascending; certificateHash over all. A device with"
        " vaultKey of epoch and the pin (pinGeneration, pinSeq) accepts or refuses it.",
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
    s = Subject("local-item", "Kind 8, object id = the item's random id, revision 0; never uploaded.")
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
