# SPDX-License-Identifier: Apache-2.0
"""The worked example of SPEC section 15, taken from the vectors so that it cannot drift."""

import json

import blob as b
import vectors
from primitives import info

SPEC = vectors.FOLDER.parent / "SPEC.md"
BEGIN = "<!-- example: written by model/keyflow.py -->\n"
END = "<!-- end of example -->\n"


def _lines(name, data):
    rows = [data.hex()[i : i + 96] for i in range(0, 2 * len(data), 96)]
    return [f"{name if i == 0 else '':<12}{row}" for i, row in enumerate(rows)]


def text(blob_document):
    """The block of SPEC for the first case of blob.json."""
    case = json.loads(blob_document)["cases"][0]
    key, uid, oid, salt, plaintext, sealed = (
        bytes.fromhex(case[name]) for name in ("key", "uid", "oid", "salt", "plaintext", "blob")
    )
    head20 = b.header(case["kind"], case["epoch"], case["revision"])
    commitment, aead_key, nonce = b.derive(key, salt, head20, uid, oid)
    padded = b.pad(plaintext)
    assert b.seal_padded(key, case["kind"], 1, 1, uid, oid, salt, padded) == sealed
    parts = [
        ("K = VK_1", key), ("uid", uid), ("oid", oid), ("salt", salt), ("bytes 0..20", head20),
        ("Info", info("seal", head20 + uid + oid)), ("commitment", commitment),
        ("AEAD key", aead_key), ("nonce", nonce), ("m", plaintext),
        ("padded[:48]", padded[:48]), ("AAD", sealed[:84] + uid + oid), ("blob", sealed),
        ("blobHash", b.blob_hash(sealed)),
    ]  # fmt: skip
    lines = [line for name, data in parts for line in _lines(name, data)]
    return "```\n" + "\n".join(lines) + "\n```\n"


def _split():
    before, rest = SPEC.read_text("utf-8").split(BEGIN)
    _, after = rest.split(END)
    return before, after


def write(blob_document):
    before, after = _split()
    SPEC.write_text(before + BEGIN + text(blob_document) + END + after, "utf-8")


def faults(blob_document):
    before, after = _split()
    same = SPEC.read_text("utf-8") == before + BEGIN + text(blob_document) + END + after
    return [] if same else ["SPEC.md: the worked example differs from vectors/blob.json"]
