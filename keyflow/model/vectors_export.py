# SPDX-License-Identifier: Apache-2.0
"""Vectors of the export container."""

import blob as b
import export
import forms
from primitives import u8, u32
from vectors import DEVICE, UID, Subject, flip

PASSPHRASE = b"six words from a list of dice"


def subjects():
    return [container()]


def container():
    s = Subject(
        "export",
        "container opens with passphrase (UTF-8) to records; Argon2id profile 1 throughout. Of"
        " several slots the one that opens counts; where none does, the last one's error.",
    )
    draw = s.stream.bytes
    salt16, key = draw("salt16", 16), draw("export key", 32)
    slot = forms.Slot(0, key, 1, 1, 1, 41, draw("head hash", 32))
    head = forms.Head(
        1, 41, slot.head_hash, b"", 0, 0, DEVICE, 1_795_000_300_000, [forms.ZERO32] * forms.SKIPS
    )

    def make(records):
        made = export.seal(
            PASSPHRASE, 1, UID, salt16, key, lambda name: draw(f"salt {name.hex()}", 32), records,
            slot, head,
        )  # fmt: skip
        assert export.open_container(PASSPHRASE, made)[3] == sorted(records)
        return made

    def add(name, records):
        made = make(records)
        s.case(
            name, passphrase=PASSPHRASE, uid=UID, generation=1, seq=41, headHash=slot.head_hash,
            exportKey=key, device=DEVICE, time=head.time, fingerprint=forms.fingerprint(
                UID, 1, 41, slot.head_hash),
            records=[
                {"recordId": rid.hex(), "revision": revision, "payload": payload.hex()}
                for rid, revision, payload in sorted(records)
            ],
            container=made,
        )  # fmt: skip
        return made

    records = [(draw(f"id {i}", 16), i + 1, f"payload of record {i}".encode()) for i in range(3)]
    good = add("three records", records)
    add("no record", [])
    uid, slots, entries, head_blob = export.parse(good)

    def refused(name, error, data, passphrase=PASSPHRASE):
        s.refused(
            name, error, lambda: export.open_container(passphrase, data), passphrase=passphrase,
            container=data,
        )  # fmt: skip

    def again(entries=entries, head_blob=head_blob, slots=slots):
        return export.encode(uid, slots, entries, head_blob)

    refused("nothing", "length", b"")
    refused("magic", "magic", flip(good, 0))
    refused("suite 2", "suite", flip(good, 4, 3))
    refused("no slot", "slots", good[:21] + u8(0) + good[22:])
    refused("nine slots", "slots", good[:21] + u8(9) + good[22:])
    refused("an unknown slot type", "type", good[:22] + u8(2) + good[23:])
    refused("profile 0", "profile", good[:23] + u8(0) + good[24:])
    refused("profile 4", "profile", good[:23] + u8(4) + good[24:])
    refused("a slot of 2^32 - 1 bytes", "length", good[:40] + u32(2**32 - 1) + good[44:])
    refused("2^32 - 1 records", "length", good[:656] + u32(2**32 - 1) + good[660:])
    refused("one byte short", "length", good[:-1])
    refused("one byte more", "length", good + b"\0")
    refused("wrong passphrase", "commitment", good, PASSPHRASE + b"s")
    refused("another salt16", "commitment", flip(good, 24))
    refused("another user", "commitment", flip(good, 5))
    refused("a record dropped", "incomplete", again(entries[:1] + entries[2:]))
    refused("the last record dropped", "incomplete", again(entries[:-1]))
    refused("a record doubled", "order", again(entries[:1] + entries))
    refused("records out of order", "order", again(entries[1:] + entries[:1]))
    swapped = [(entries[0][0], entries[1][1]), (entries[1][0], entries[0][1]), entries[2]]
    refused("two blobs exchanged", "incomplete", again(swapped))
    extra = export.seal_records(key, UID, lambda r: draw("extra", 32), [(b"\xff" * 16, 1, b"more")])
    refused("a record appended", "incomplete", again(entries + extra))
    old = export.seal_records(key, UID, lambda r: draw("old", 32), [(entries[0][0], 9, b"old")])
    refused("a record replaced by another genuine one", "incomplete", again(old + entries[1:]))
    refused("a record altered", "incomplete", again([(entries[0][0], flip(entries[0][1], -1))]
                                                    + entries[1:]))  # fmt: skip
    root, *others = rest(head_blob, key, uid)
    count, *others = others

    def other_head(name, generation=1, seq=41, prev=slot.head_hash, count=count, skips=None):
        epoch, device, time, zeros = others
        wrong = forms.Head(
            generation, seq, prev, root, count, epoch, device, time, skips or zeros
        )  # fmt: skip
        salt = draw("salt of the wrong head" + (name if seq == 41 else ""), 32)
        sealed = forms.seal_head(key, UID, salt, wrong)
        refused(f"a head of another {name} than the slot's", "incomplete", again(head_blob=sealed))

    other_head("seq", seq=42)
    other_head("generation", generation=2)
    other_head("prev", prev=draw("other prev", 32))
    other_head("count", count=count + 1)
    other_head("skip link", skips=[slot.head_hash, *[forms.ZERO32] * (forms.SKIPS - 1)])

    def slot_under(passphrase, profile, name, inside=None):
        salt16 = draw(f"{name} salt16", 16)
        inner = inside or slot
        sealed = forms.seal_slot(
            export.slot_key(passphrase, salt16, profile),
            "export",
            UID,
            draw(f"{name} salt", 32),
            inner,
        )
        return profile, salt16, sealed

    second = b"another six words from the list"
    two = again(slots=[slot_under(second, 1, "second"), *slots])
    assert export.open_container(second, two) == export.open_container(PASSPHRASE, two)
    for name, passphrase in (
        ("the first of two slots", second),
        ("the second of two slots", PASSPHRASE),
    ):
        s.case(
            name, passphrase=passphrase, uid=UID, generation=1, seq=41, headHash=slot.head_hash,
            exportKey=key, device=DEVICE, time=head.time,
            fingerprint=forms.fingerprint(UID, 1, 41, slot.head_hash),
            records=[
                {"recordId": rid.hex(), "revision": revision, "payload": payload.hex()}
                for rid, revision, payload in sorted(records)
            ],
            container=two,
        )  # fmt: skip
    refused("neither of two slots", "commitment", two, PASSPHRASE + b"s")
    inner = forms.Slot(0, key, 2, 1, 1, 41, slot.head_hash)
    refused("another profile inside the slot than in front", "profile",
            again(slots=[slot_under(PASSPHRASE, 1, "inner profile", inner)]))  # fmt: skip
    inner = forms.Slot(1, key, 1, 1, 1, 41, slot.head_hash)
    refused("a slot of another epoch than 0", "epoch",
            again(slots=[slot_under(PASSPHRASE, 1, "epoch 1", inner)]))  # fmt: skip
    refused("a slot in the head's place", "kind", again(head_blob=slots[0][2]))
    assert again() == good and b.SLOT == 2
    return s


def rest(head_blob, key, uid):
    h = forms.open_head({0: key}, uid, head_blob)
    return h.root, h.count, h.epoch, h.device, h.time, h.skips
