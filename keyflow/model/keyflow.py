#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""KF1's second implementation: writes and checks keyflow/vectors.

    keyflow.py write     make every vector file anew
    keyflow.py check     make them in memory and fail on any difference with the disk
"""

import sys

import rfc
import vectors
import vectors_account
import vectors_blob
import vectors_chain
import vectors_export
import vectors_forms
import vectors_opaque


def documents():
    """{file name: text} of every file that this program makes."""
    modules = (
        vectors_blob, vectors_forms, vectors_chain, vectors_account, vectors_opaque, vectors_export,
    )  # fmt: skip
    made = [subject for module in modules for subject in module.subjects()]
    return {f"{subject.name}.json": vectors.dump(subject.document()) for subject in made}


def write():
    for name, text in documents().items():
        (vectors.FOLDER / name).write_text(text)


def check():
    made, faults = documents(), rfc.faults()
    for name, text in made.items():
        path = vectors.FOLDER / name
        if not path.exists() or path.read_text() != text:
            faults.append(f"{name}: differs from what the model makes")
    for fault in faults:
        print(fault)
    return 1 if faults else 0


if __name__ == "__main__":
    if sys.argv[1:] == ["write"]:
        write()
    elif sys.argv[1:] == ["check"]:
        sys.exit(check())
    else:
        sys.exit(__doc__)
