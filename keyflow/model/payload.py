# SPDX-License-Identifier: Apache-2.0
"""A small protobuf walker: shows a payload's fields by number, whatever its schema is."""

from primitives import Refused, require

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5


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


def _readable(data):
    """Text where it is text, else nested fields where they parse, else hex."""
    try:
        text = data.decode()
        if all(c.isprintable() or c in "\n\r\t" for c in text):
            return text
    except UnicodeDecodeError:
        pass
    try:
        return [{"field": n, "value": _value(w, v)} for n, w, v in fields(data)]
    except Refused:
        return {"hex": data.hex()}


def _value(wire, value):
    if wire == BYTES:
        return _readable(value)
    return value if wire == VARINT else int.from_bytes(value, "little")


def describe(data):
    """What the rescue tool prints of a payload: its bytes, and its fields where they parse."""
    try:
        shown = [{"field": n, "value": _value(w, v)} for n, w, v in fields(data)]
    except Refused:
        shown = None
    return {"payload": data.hex(), "fields": shown}
