# SPDX-License-Identifier: Apache-2.0
"""Vectors of what stands inside a record's seal."""

import struct

import record as r
from forms import content_hash
from vectors import DEVICE, Subject

ABOUT = (
    "payload is the m of a record's blob; the fields are those of SPEC section 7.1, texts as UTF-8"
    " bytes, volume as the 8 bytes of its double. edited is the payload again with edited's own"
    " parents (none) and device, editedContent the content again with another title: any order of"
    " fields is right, those of an unknown number are there."
)


def subjects():
    return [records()]


def records():
    s = Subject("record-payload", ABOUT)
    draw = s.stream.bytes
    other_device = draw("other device", 16)

    def add(name, kind, content, updated_at=1_795_000_000_000, device=DEVICE, unknown=b"",
            shown=None, payload=None, **fields):  # fmt: skip
        fixed = dict(kind=kind, content=content, updatedAt=updated_at,
                     parents=fields.get("parents", ()), superseded=fields.get("superseded", False))  # fmt: skip
        payload = payload or r.record(kind, content, updated_at, device, unknown=unknown, **fields)
        opened = r.open_record(payload)
        assert all(opened[key] == (list(value) if key == "parents" else value)
                   for key, value in fixed.items()), name  # fmt: skip
        assert opened.get("deletedAt") == fields.get("deleted_at"), name
        deleted = {} if fields.get("deleted_at") is None else {"deletedAt": fields["deleted_at"]}
        s.case(
            name, payload=payload, kind=kind, content=content, updatedAt=updated_at, **deleted,
            parents=[parent.hex() for parent in fields.get("parents", ())],
            contentHash=content_hash(kind, content), device=device,
            superseded=fields.get("superseded", False), **(shown or {}),
        )  # fmt: skip
        return payload

    def entry(name, created_at, unknown_inside=b"", record=None, **inside):
        shown = dict(createdAt=created_at)
        for key, field in (("title", "title"), ("content", "body"), ("time_zone", "timeZone"),
                           ("source_id", "sourceId")):  # fmt: skip
            shown[field] = inside.get(key, "").encode()
        shown["tags"] = [tag.encode().hex() for tag in inside.get("tags", ())]
        shown["source"] = inside.get("source", b"")
        shown["conflictOf"] = inside.get("conflict_of", b"")
        content = r.entry(created_at, unknown=unknown_inside, **inside)
        return add(name, r.ENTRY, content, shown=shown, **(record or {}))

    entry("the shortest entry", 0)
    entry("a short entry", 1_794_990_000_000, content="It rained all day.")
    entry(
        "an entry with everything", 1_794_990_000_123, title="Regn på Grünerløkka",
        content="# Dear diary\n\nIt rained.\n", tags=("home", "été", "home"),
        time_zone="Europe/Oslo", source=draw("source", 20), conflict_of=draw("conflict", 16),
        source_id="dayone:4711", record=dict(parents=[draw("parent 1", 32), draw("parent 2", 32)]),
    )  # fmt: skip
    entry("a day in 1659, saved before 1970", -9_783_000_000_000, content="My island.",
          record=dict(updated_at=-1))  # fmt: skip
    entry("the earliest and the latest time", -(2**63), record=dict(updated_at=2**63 - 1))
    entry("put aside by a merge", 1_794_990_000_000, title="mine", record=dict(
        superseded=True, parents=[draw("parent 1", 32)]))  # fmt: skip
    add("a deleted entry", r.ENTRY, b"", deleted_at=1_795_000_000_000,
        parents=[draw("parent 1", 32)])  # fmt: skip
    add("deleted at time 0", r.ENTRY, b"", deleted_at=0)
    add("a deleted queue", r.QUEUE_STATE, b"", deleted_at=1_795_000_000_000)

    def setting(value, written_at):
        """A Switch or Level: the default value is left out, its time is not."""
        inside = (
            r.double(1, value) if isinstance(value, float) else r.number(1, 1) if value else b""
        )
        return inside + r.number(2, r.zigzag(written_at))

    audio = r.data(1, setting(True, 1_794_000_000_000)) + r.data(
        2, setting(False, 1_794_000_000_001)
    )
    audio += r.data(3, setting(0.5, 1_794_000_000_002)) + r.data(4, setting(True, -5))
    add("audio preferences", r.AUDIO_PREFERENCES, audio, shown=dict(
        crossfadeEnabled=True, crossfadeEnabledAt=1_794_000_000_000, muted=False,
        mutedAt=1_794_000_000_001, volume=struct.pack("<d", 0.5), volumeAt=1_794_000_000_002,
        autoplay=True, autoplayAt=-5,
    ))  # fmt: skip
    plays = [(b"track-2", 1_794_000_000_000), ("låt-1".encode(), 1_793_000_000_000)]
    played = b"".join(
        r.data(1, r.data(1, track) + r.number(2, r.zigzag(at))) for track, at in plays
    )
    add("recently played", r.RECENTLY_PLAYED, played, shown=dict(
        plays=[{"trackId": track.hex(), "playedAt": at} for track, at in plays]))  # fmt: skip
    queue = b'{"position":3,"tracks":["a","b"]}'
    add("the queue", r.QUEUE_STATE, r.data(1, queue), shown=dict(json=queue))

    # What a newer version may write.
    add("a kind that nobody knows yet", 9, draw("content 9", 40))
    newer = r.number(100, 300) + r.data(101, b"kept")
    inside = r.data(99, b"kept too") + r.number(98, 2**64 - 1)
    fixed = dict(title="one", content="text")
    content = r.entry(5, unknown=inside, **fixed)
    add(
        "fields that nobody knows yet", r.ENTRY, content, unknown=newer,
        shown=dict(
            createdAt=5, title=b"one", body=b"text", timeZone=b"", sourceId=b"", tags=[],
            source=b"", conflictOf=b"",
            edited=r.record(r.ENTRY, content, 1_795_000_000_000, other_device, unknown=newer),
            editedDevice=other_device,
            editedTitle=b"two", editedContent=r.entry(5, "two", "text", unknown=inside),
        ),
    )  # fmt: skip
    short = r.entry(5, content="text")
    hashed = content_hash(r.ENTRY, short)
    any_order = (
        r.data(7, DEVICE) + r.number(1, 2) + r.data(6, hashed) + r.number(3, 2) + r.data(2, short)
        + r.number(1, r.ENTRY)
    )  # fmt: skip
    add("in another order, and a field twice: the last counts", r.ENTRY, short, 1,
        payload=any_order)  # fmt: skip

    def negative(name, error, payload):
        s.refused(name, error, lambda: r.open_record(payload), payload=payload)

    good = r.record(r.ENTRY, short, 1, DEVICE)
    negative("nothing", "contentHash", b"")
    negative("cut short", "form", good[:-1])
    negative("plain text", "form", b"It rained all day.")
    negative("a field of number 0", "form", b"\0\0" + good)
    negative("a number of 11 bytes", "form", b"\x18" + b"\xff" * 10 + b"\1" + good)
    negative("a length beyond the end", "form", good + b"\x12\xff\xff\xff\xff\x0f")
    negative("kind 256", "form", r.record(256, short, 1, DEVICE))
    wrong = bytes([hashed[0] ^ 1]) + hashed[1:]
    negative(
        "another content hash", "contentHash", r.record(r.ENTRY, short, 1, DEVICE, hashed=wrong)
    )
    negative("31 bytes of the content hash", "contentHash",
             r.record(r.ENTRY, short, 1, DEVICE, hashed=hashed[:-1]))  # fmt: skip
    negative("no content hash", "contentHash", good.replace(r.data(6, hashed), b""))
    negative("the content hash of another kind", "contentHash",
             r.record(r.QUEUE_STATE, short, 1, DEVICE, hashed=hashed))  # fmt: skip
    negative("another content under the hash", "contentHash",
             r.record(r.ENTRY, r.entry(5, content="texT"), 1, DEVICE, hashed=hashed))  # fmt: skip
    negative("an entry that is no message", "content", r.record(r.ENTRY, b"\x12\x7fa", 1, DEVICE))
    negative("a title that is not UTF-8", "content",
             r.record(r.ENTRY, r.number(1, 0) + r.data(2, b"\xff"), 1, DEVICE))  # fmt: skip
    return s
