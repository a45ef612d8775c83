# SPDX-License-Identifier: Apache-2.0
"""Every file below some folders, looked through byte by byte."""

import os
import pathlib

from memory import Hit, filled

WINDOW = 16 << 20
OVERLAP = 64


def below(*folders):
    for folder in folders:
        folder = pathlib.Path(folder)
        if folder.is_file():
            yield folder
            continue
        for path in sorted(folder.rglob("*")):
            if path.is_file() and not path.is_symlink():
                yield path


def sweep(paths, needles):
    """(hits, bytes looked at); a file's name is looked at like its content."""
    hits, size = [], 0
    for path in paths:
        hits += [Hit(s, f, f"the name of {path}") for s, f, _ in needles.find(os.fsencode(path.name))]
        try:
            with open(path, "rb") as file:
                rest = b""
                while data := file.read(WINDOW):
                    for _, part in filled(rest + data):
                        size += len(part)
                        hits += [Hit(s, f, str(path)) for s, f, _ in needles.find(part)]
                    rest = data[-OVERLAP:]
        except FileNotFoundError:
            continue  # it went while we looked
    return hits, size
