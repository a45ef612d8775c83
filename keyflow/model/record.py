# SPDX-License-Identifier: Apache-2.0
"""The payload of a record and of its content: protobuf by hand (SPEC section 7.1)."""

import struct

from forms import content_hash
from payload import fields as wire_fields
from primitives import Refused, require

ENTRY, AUDIO_PREFERENCES, RECENTLY_PLAYED, QUEUE_STATE = range(1, 5)


# Writing.


def varint(value):
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def zigzag(value):
    return (value << 1 ^ value >> 63) & (1 << 64) - 1


def number(field, value):
    return varint(field << 3) + varint(value)


def data(field, value):
    return varint(field << 3 | 2) + varint(len(value)) + value


def double(field, value):
    return varint(field << 3 | 1) + struct.pack("<d", value)


def entry(created_at, title="", content="", tags=(), time_zone="", source=b"", conflict_of=b"",
          source_id="", unknown=b""):  # fmt: skip
    """An entry's content; fields of the default value are left out, but for created_at."""
    parts = [number(1, zigzag(created_at))]
    parts += [data(field, text.encode()) for field, text in ((2, title), (3, content)) if text]
    parts += [data(4, tag.encode()) for tag in tags]
    rest = ((5, time_zone.encode()), (6, source), (7, conflict_of), (8, source_id.encode()))
    parts += [data(field, value) for field, value in rest if value]
    return b"".join(parts) + unknown


def record(kind, content, updated_at, device, deleted_at=None, parents=(), superseded=False,
           hashed=None, unknown=b""):  # fmt: skip
    """A record's payload; `hashed` replaces the content hash in faulty ones."""
    hashed = content_hash(kind & 0xFF, content) if hashed is None else hashed
    parts = [number(1, kind)] + ([data(2, content)] if content else [])
    parts += [number(3, zigzag(updated_at))] if updated_at else []
    parts += [number(4, zigzag(deleted_at))] if deleted_at is not None else []
    parts += [data(5, parent) for parent in parents]
    parts += [data(6, hashed)] + ([data(7, device)] if device else [])
    parts += [number(8, 1)] if superseded else []
    return b"".join(parts) + unknown


# Reading.

VARINT, BYTES = 0, 2
RECORD = {
    1: ("kind", VARINT), 2: ("content", BYTES), 3: ("updatedAt", VARINT), 4: ("deletedAt", VARINT),
    6: ("contentHash", BYTES), 7: ("device", BYTES), 8: ("superseded", VARINT),
}  # fmt: skip
ENTRY_TEXTS = (2, 3, 4, 5, 8)


def _message(payload, error):
    try:
        return wire_fields(payload)
    except Refused:
        raise Refused(error) from None


def open_record(payload):
    """The fields of a record, its kind's message still bytes; the last value of a field counts."""
    found = {"kind": 0, "content": b"", "updatedAt": 0, "contentHash": b"", "device": b"",
             "superseded": 0, "parents": []}  # fmt: skip
    for field, wire, value in _message(payload, "form"):
        name, expected = RECORD.get(field, (None, None))
        if field == 5 and wire == BYTES:
            found["parents"].append(value)
        elif name and wire == expected:
            found[name] = value
    for name in ("updatedAt", "deletedAt"):
        if name in found:
            found[name] = found[name] >> 1 ^ -(found[name] & 1)
    require(found["kind"] <= 255, "form")
    require(found["contentHash"] == content_hash(found["kind"], found["content"]), "contentHash")
    if found["kind"] == ENTRY:
        open_entry(found["content"])
    return found


def open_entry(content):
    """The fields of an entry's content, by number."""
    listed = _message(content, "content")
    for field, _, value in listed:
        if field in ENTRY_TEXTS:
            try:
                value.decode()
            except UnicodeDecodeError:
                raise Refused("content") from None
    return listed
