# SPDX-License-Identifier: Apache-2.0
"""One rotation: what goes up with it, and the first record that is sealed anew."""

import account
import blob as b
import forms
import primitives as p
import record as r
from vectors import DEVICE, UID, Subject


def subjects():
    return [rotation()]


def rotation():
    s = Subject(
        "rotation",
        "A vault of one record under oldKey (epoch 1), its head seq 2 in heads[0]; then all of PUT"
        " /v1/credentials at its rotation to newKey (epoch 2): slots over the head that the device"
        " had pinned, keyring, heads[1]; then record again at revision 2 under newKey, heads[2].",
    )
    draw = s.stream.bytes
    old, new = {1: draw("old key", 32)}, {2: draw("new key", 32)}
    keys = {**old, **new}
    rid, export_key, code = draw("record", 16), draw("export key", 64), draw("recovery code", 20)
    entry = r.entry(1_795_000_000_000, content="Someone may know my password.")
    payload = r.record(r.ENTRY, entry, 1_795_000_000_000, DEVICE)

    def record(epoch, revision):
        return b.seal(
            keys[epoch], b.RECORD, epoch, revision, UID, rid, draw(f"record {epoch}", 32), payload
        )

    def head(previous, epoch, rows):
        seq = previous[0].seq + 1 if previous else 1
        prev = b.blob_hash(previous[1]) if previous else forms.ZERO32
        links = forms.skips_after(previous[0], prev) if previous else [forms.ZERO32] * forms.SKIPS
        made = forms.Head(1, seq, prev, forms.root(rows), len(rows), epoch, DEVICE,
                          1_795_000_000_000 + seq, links)  # fmt: skip
        return made, forms.seal_head(keys[epoch], UID, draw(f"head {seq}", 32), made)

    before, after = record(1, 1), record(2, 2)
    row, new_row = (rid, 1, b.blob_hash(before)), (rid, 2, b.blob_hash(after))
    pinned = head(head(None, 1, []), 1, [row])
    first = head(pinned, 2, [row])
    second = head(first, 2, [new_row])
    base = b.blob_hash(pinned[1])

    def slot(key, name, profile):
        inside = forms.Slot(2, new[2], profile, 1, 1, 2, base)
        return forms.seal_slot(key, name, UID, draw(f"{name} slot", 32), inside)

    password_slot = slot(forms.password_key(UID, export_key), "password", 2)
    recovery_slot = slot(forms.recovery_key(UID, code), "recovery", 0)
    keyring = b.seal(new[2], b.KEYRING, 2, 2, UID, b.oid("keyring"), draw("keyring", 32),
                     forms.encode_keyring(old))  # fmt: skip
    registration = draw("registration record", 192)
    public = p.ed25519_public(account.recovery_seed(UID, code))
    s.case(
        "epoch 1 to epoch 2", uid=UID, exportKey=export_key, recoveryCode=code, oldKey=old[1],
        newKey=new[2], registrationRecord=registration, passwordSlot=password_slot,
        recoverySlot=recovery_slot, recoveryPublicKey=public, keyring=keyring,
        requestHash=forms.request_hash(
            registration, password_slot, recovery_slot, public, keyring, first[1]
        ),
        recordId=rid, plaintext=payload, records=[before.hex(), after.hex()],
        heads=[pinned[1].hex(), first[1].hex(), second[1].hex()],
        fingerprint=forms.fingerprint(UID, 1, 4, b.blob_hash(second[1])),
    )  # fmt: skip
    return s
