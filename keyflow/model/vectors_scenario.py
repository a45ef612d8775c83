# SPDX-License-Identifier: Apache-2.0
"""One account from password to record, each form made of the one before it."""

import account
import blob as b
import forms
import primitives as p
import record as r
from vectors import DEVICE, NAME, SERVER, UID, Subject
from vectors_opaque import Login


def subjects():
    return [scenario()]


def scenario():
    s = Subject(
        "scenario",
        "A whole account: the login of opaque-kf1.json (profile 1) opens passwordSlot, its key the"
        " rest. Head 1 is the registration's, head 2 that of a commit with one record.",
    )
    draw = s.stream.bytes
    login = Login()
    run = login.subject().cases[0]
    export_key, session_key = bytes.fromhex(run["exportKey"]), bytes.fromhex(run["sessionKey"])
    vault_key, code, rid = draw("vault key", 32), draw("recovery code", 20), draw("record", 16)

    def head(seq, previous, rows):
        links = [forms.ZERO32] * forms.SKIPS
        prev = forms.ZERO32
        if previous:
            prev = b.blob_hash(previous[1])
            links = forms.skips_after(previous[0], prev)
        made = forms.Head(
            1, seq, prev, forms.root(rows), len(rows), 1, DEVICE, 1_795_000_000_000 + seq, links
        )
        return made, forms.seal_head(vault_key, UID, draw(f"head {seq}", 32), made)

    first = head(1, None, [])
    base = b.blob_hash(first[1])

    def slot(profile):
        return forms.Slot(1, vault_key, profile, 1, 1, 1, base)

    password_slot = forms.seal_slot(
        forms.password_key(UID, export_key), "password", UID, draw("password slot", 32), slot(1)
    )
    recovery_slot = forms.seal_slot(
        forms.recovery_key(UID, code), "recovery", UID, draw("recovery slot", 32), slot(0)
    )
    keyring = b.seal(
        vault_key, b.KEYRING, 1, 1, UID, b.oid("keyring"), draw("keyring", 32),
        forms.encode_keyring({}),
    )  # fmt: skip
    entry = r.entry(1_795_000_000_000, content="It rained all day.", time_zone="Europe/Oslo")
    payload = r.record(r.ENTRY, entry, 1_795_000_000_000, DEVICE)
    record = b.seal(vault_key, b.RECORD, 1, 1, UID, rid, draw("record salt", 32), payload)
    second = head(2, first, [(rid, 1, b.blob_hash(record))])
    public = p.ed25519_public(account.recovery_seed(UID, code))
    registration = bytes.fromhex(run["registrationUpload"])
    token = account.session_token(session_key, 7)
    s.case(
        "registration and a first commit", server=SERVER, accountName=NAME, uid=UID, device=DEVICE,
        passwordInput=login.password, exportKey=export_key, sessionKey=session_key,
        recoveryCode=code, text=account.encode_kit(code), recoveryPublicKey=public,
        vaultKey=vault_key, epoch=1, generation=1, passwordSlot=password_slot,
        recoverySlot=recovery_slot, keyring=keyring, keyringHash=b.blob_hash(keyring),
        firstHead=first[1], registrationRecord=registration,
        requestHash=forms.request_hash(
            registration, password_slot, recovery_slot, public, keyring, first[1]
        ),
        sessionId=7, token=token, recordId=rid, revision=1, plaintext=payload, record=record,
        secondHead=second[1],
        fingerprint=forms.fingerprint(UID, 1, 2, b.blob_hash(second[1])),
    )  # fmt: skip
    return s
