# SPDX-License-Identifier: Apache-2.0
"""Opens an export container to JSON on stdout, with Python and `cryptography` alone.

For the day when nothing else of Journal Vault runs any more. The passphrase is read from a file
("-" is stdin), never from the command line. Without --salvage a container is opened whole or not
at all; with it, whatever still opens is given, and what was lost is named on stderr.
"""

import argparse
import json
import pathlib
import sys

import export
import forms
import payload
from primitives import Refused

REASONS = {
    "commitment": "that passphrase does not open this container, or its first bytes were altered",
    "magic": "this is not an encrypted export (it does not begin with KFX1)",
    "suite": "this container was written by a newer version",
    "length": "the container is cut short, or something was added to it",
    "incomplete": "records were dropped, replaced or altered",
    "order": "records were doubled or moved",
}


def add_arguments(parser):
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("file", type=pathlib.Path)
    parser.add_argument("--passphrase-file", required=True)
    parser.add_argument("--salvage", action="store_true")


def read_passphrase(path):
    """The file's first line, without its line end."""
    raw = sys.stdin.buffer.read() if path == "-" else pathlib.Path(path).read_bytes()
    return raw.split(b"\n", 1)[0].removesuffix(b"\r")


def document(records, **more):
    messages = payload.schema()
    return {
        "format": "journal-vault-rescue",
        "version": 1,
        **more,
        "records": [
            {"recordId": rid.hex(), "revision": revision, **payload.describe(data, messages)}
            for rid, revision, data in records
        ],
    }


def open_whole(passphrase, data):
    uid, slot, head, records = export.open_container(passphrase, data)
    mark = forms.fingerprint(uid, slot.generation, slot.seq, slot.head_hash)
    return document(records, complete=True, fingerprint=mark, exportedAtMs=head.time)


def run(arguments):
    passphrase = read_passphrase(arguments.passphrase_file)
    data = arguments.file.read_bytes()
    try:
        if arguments.salvage:
            records, lost = export.salvage(passphrase, data)
            result = document(records, complete=False)
            for line in lost:
                print(f"lost: {line}", file=sys.stderr)
            print(
                "note: each record is genuine; that none is missing is not known", file=sys.stderr
            )
        else:
            result = open_whole(passphrase, data)
    except Refused as refusal:
        reason = REASONS.get(refusal.reason, f"the container is damaged ({refusal.reason})")
        print(f"error: {reason}", file=sys.stderr)
        print("hint: --salvage gives whatever still opens", file=sys.stderr)
        return 1
    json.dump(result, sys.stdout, indent=1, ensure_ascii=False)
    print()
    return 0
