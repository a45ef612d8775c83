# SPDX-License-Identifier: Apache-2.0
"""Shows a record's payload: protobuf by the names of Payload.proto, or by number without it.

A walker for the few wire types and declarations in use, so that the rescue tool needs no protobuf
library and no generated code.
"""

import pathlib
import re
import struct

from primitives import Refused, require

SCHEMA = pathlib.Path(__file__).resolve().parents[2] / "Sources/JournalClient/Payload.proto"
KINDS = {1: "Entry", 2: "AudioPreferences", 3: "RecentlyPlayed", 4: "QueueState"}
VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5


# Wire format.


def _varint(data, at):
    value, shift = 0, 0
    while True:
        require(at < len(data) and shift < 70, "protobuf")
        value |= (data[at] & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if not data[at - 1] & 0x80:
            return value, at


def fields(data):
    """[(field number, wire type, value)] of one message; refuses what is no protobuf."""
    found, at = [], 0
    while at < len(data):
        tag, at = _varint(data, at)
        number, wire = tag >> 3, tag & 7
        require(number > 0 and wire in (VARINT, FIXED64, BYTES, FIXED32), "protobuf")
        if wire == VARINT:
            value, at = _varint(data, at)
        else:
            size = {FIXED64: 8, FIXED32: 4}.get(wire)
            if size is None:
                size, at = _varint(data, at)
            require(at + size <= len(data), "protobuf")
            value, at = data[at : at + size], at + size
        found.append((number, wire, value))
    return found


# Schema.


def parse_schema(text):
    """{message: {number: (name, type, repeated)}} of a .proto; nested messages by their own name."""
    text = re.sub(r"//[^\n]*|/\*.*?\*/", "", text, flags=re.DOTALL)
    messages, open_names = {}, []
    pattern = r"message\s+(\w+)\s*\{|(optional|repeated)?\s*([\w.]+)\s+(\w+)\s*=\s*(\d+)\s*;|\}"
    for match in re.finditer(pattern, text):
        opened, label, kind, name, number = match.groups()
        if opened:
            open_names.append(opened)
            messages[opened] = {}
        elif name:
            if open_names:
                messages[open_names[-1]][int(number)] = (name, kind, label == "repeated")
        else:
            open_names.pop()
    return messages


def schema():
    """Payload.proto's messages, or none where the file is not at hand."""
    return parse_schema(SCHEMA.read_text("utf-8")) if SCHEMA.exists() else {}


def _named(kind, wire, value, messages):
    """One value by its declared type; refuses a wire type that does not fit."""
    if kind in messages:
        require(wire == BYTES, "protobuf")
        return decode(kind, value, messages)
    if kind in ("string", "bytes"):
        require(wire == BYTES, "protobuf")
        return value.decode("utf-8", "replace") if kind == "string" else value.hex()
    if kind == "double":
        require(wire == FIXED64, "protobuf")
        return struct.unpack("<d", value)[0]
    require(wire == VARINT, "protobuf")
    if kind in ("sint64", "sint32"):
        return (value >> 1) ^ -(value & 1)
    return bool(value) if kind == "bool" else value


def decode(message, data, messages):
    """One message by the schema; fields that it does not know stand under their number."""
    result = {}
    for number, wire, value in fields(data):
        if number not in messages[message]:
            unknown = value.hex() if isinstance(value, bytes) else value
            result.setdefault(f"field {number}", []).append(unknown)
            continue
        name, kind, repeated = messages[message][number]
        shown = _named(kind, wire, value, messages)
        if repeated:
            result.setdefault(name, []).append(shown)
        else:
            result[name] = shown
    return result


# What the rescue tool prints.


def _by_number(data):
    return [
        {"field": number, "value": value.hex() if isinstance(value, bytes) else value}
        for number, _, value in fields(data)
    ]


def describe(data, messages=None):
    """A payload's bytes, and its record and content by name, or else by number."""
    messages = schema() if messages is None else messages
    try:
        if "Record" not in messages:
            return {"payload": data.hex(), "fields": _by_number(data)}
        record = decode("Record", data, messages)
        kind = KINDS.get(record.get("kind"))
        if kind in messages and "content" in record:
            record["content"] = decode(kind, bytes.fromhex(record["content"]), messages)
        return {"payload": data.hex(), "kind": kind, "record": record}
    except Refused:
        return {"payload": data.hex(), "fields": None}
