#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""KF1's second implementation: writes and checks keyflow/vectors, and opens exports.

keyflow.py write     make every vector file, and SPEC's worked example, anew
keyflow.py check     make them in memory and fail on any difference with the disk
keyflow.py rescue    open an export container without any other part of the product; see --help
"""

import argparse
import sys

import example
import rescue
import rfc
import schema
import vectors
import vectors_account
import vectors_blob
import vectors_chain
import vectors_deletion
import vectors_export
import vectors_head
import vectors_keys
import vectors_opaque
import vectors_record
import vectors_rotation
import vectors_scenario

MODULES = (
    vectors_blob, vectors_keys, vectors_head, vectors_deletion, vectors_chain, vectors_account, vectors_opaque, vectors_export,
    vectors_scenario, vectors_record, vectors_rotation,
)  # fmt: skip


def documents():
    """{file name: text} of every file that this program makes."""
    made = [subject for module in MODULES for subject in module.subjects()]
    return {f"{subject.name}.json": vectors.dump(subject.document()) for subject in made}


def write():
    made = documents()
    for name, text in made.items():
        (vectors.FOLDER / name).write_text(text, "utf-8")
    example.write(made["blob.json"])


def faults():
    """Everything in which the disk differs from what the model makes or reproduces."""
    made = documents()
    found = rfc.faults() + schema.faults() + example.faults(made["blob.json"])
    present = {path.name for path in vectors.FOLDER.glob("*.json")} - {"schema.json"}
    found += [f"{name}: nothing makes this file" for name in sorted(present - set(made))]
    for name, text in made.items():
        path = vectors.FOLDER / name
        if not path.exists() or path.read_text("utf-8") != text:
            found.append(f"{name}: differs from what the model makes")
    return found


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("write")
    commands.add_parser("check")
    rescue.add_arguments(commands.add_parser("rescue", description=rescue.__doc__))
    arguments = parser.parse_args()
    if arguments.command == "write":
        write()
    elif arguments.command == "check":
        found = faults()
        print("\n".join(found) or "all vectors are what the model makes")
        return 1 if found else 0
    else:
        return rescue.run(arguments)
    return 0


if __name__ == "__main__":
    sys.exit(main())
