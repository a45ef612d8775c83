# SPDX-License-Identifier: Apache-2.0
"""Vectors of slots, local file and keyring."""

import blob as b
import forms
from account import password_input
from primitives import u8, u16, u32
from vectors import DEVICE, NAME, SERVER, UID, VAULT_KEYS, Subject, flip


def subjects():
    return [slots(), local_file(), keyring()]


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
    salt16 = good[38:54]
    inner = forms.seal_slot(
        forms.local_key(typed, 1, UID, DEVICE, salt16), "local", UID,
        s.stream.bytes("inner profile salt", 32), base_slot(s, 2),
    )  # fmt: skip
    negative("another profile inside than in front", "profile", good[:54] + inner)
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
            blob=sealed, blobHash=b.blob_hash(sealed),
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
