# SPDX-License-Identifier: Apache-2.0
"""The vector format: one JSON file a subject, cases with named fields, bytes as lower-case hex."""

import json
import pathlib

from primitives import Refused, sha512, u32

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "vectors"


class Stream:
    """Deterministic "random" bytes: SHA-512 of seed, name and counter.

    A name for each value, so that a new case never moves the bytes of another.
    """

    def __init__(self, subject):
        self.subject = subject

    def bytes(self, name, length):
        out, counter = b"", 0
        while len(out) < length:
            out += sha512(b"KF1-vectors|", f"{self.subject}|{name}|".encode(), u32(counter))
            counter += 1
        return out[:length]


# Who the vectors are about.

UID = Stream("common").bytes("uid", 16)
DEVICE = Stream("common").bytes("device", 16)
VAULT_KEYS = {epoch: Stream("common").bytes(f"vault key {epoch}", 32) for epoch in range(4)}
SERVER, NAME = b"vault.example", b"samuel"


class Subject:
    """Collects the cases of one file."""

    def __init__(self, name, about):
        self.name = name
        self.about = about
        self.cases = []
        self.stream = Stream(name)

    def case(self, name, **fields):
        assert name not in {case["name"] for case in self.cases}, name
        plain = {key: v.hex() if isinstance(v, bytes) else v for key, v in fields.items()}
        self.cases.append({"name": name, **plain})

    def refused(self, name, error, action, **fields):
        """A negative case; `action` must refuse with `error`, or the vectors are not written."""
        try:
            action()
        except Refused as refusal:
            assert refusal.reason == error, f"{self.name}: {name}: {refusal.reason}, not {error}"
        else:
            raise AssertionError(f"{self.name}: {name}: accepted")
        self.case(name, **fields, error=error)

    def document(self):
        return {
            "subject": self.name,
            "source": "keyflow/SPEC.md, made by keyflow/model",
            "about": self.about,
            "cases": self.cases,
        }


def dump(document):
    return json.dumps(document, indent=1, ensure_ascii=True) + "\n"


def flip(data, offset, mask=1):
    """`data` with bits of one byte flipped; a negative offset counts from the end."""
    out = bytearray(data)
    out[offset] ^= mask
    return bytes(out)


# For the tests.


def reason(action, *arguments):
    """The refusal's reason, or None where there was none."""
    try:
        action(*arguments)
    except Refused as refusal:
        return refusal.reason
    return None


def unhex(case, *names):
    return [bytes.fromhex(case[name]) for name in names]
