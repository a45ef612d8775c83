#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks the table of attacks in SECURITY.md: every row is there and names tests that are there;
every test and every mutant that bears a row's name belongs to one."""
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ROWS = [f"{part}{n}" for part, count in (("A", 13), ("B", 10), ("C", 12)) for n in range(1, count + 1)]


def faults():
    tests = set()
    for file in (ROOT / "Tests").rglob("*.swift"):
        tests |= set(re.findall(r"func `([^`]+)`", file.read_text()))
    lines = re.findall(r"^\| ([ABC]\d+) \|(.*)\|$", (ROOT / "SECURITY.md").read_text(), re.M)
    if [row for row, _ in lines] != ROWS:
        yield f"SECURITY.md: the rows are not {ROWS[0]} to {ROWS[-1]}, each once and in order"
    for row, cells in lines:
        names = re.findall(r"`([^`]+)`", cells.split("|")[-1])
        if not names:
            yield f"{row} names no test"
        for name in names:
            if name not in tests:
                yield f"{row}: there is no test `{name}`"
    for name in sorted(tests):
        bearing = re.match(r"([ABC]\d+): ", name)
        if bearing and bearing[1] not in ROWS:
            yield f"`{name}` bears the name of no row"
    for patch in (ROOT / "Tests" / "Mutants").glob("*.patch"):
        row = re.search(r"^# row: (.+)$", patch.read_text(), re.M)
        if not row or row[1] not in ROWS:
            yield f"{patch.name} is of no row"


if __name__ == "__main__":
    found = list(faults())
    for fault in found:
        print(f"attacks: {fault}", file=sys.stderr)
    if not found:
        print(f"attacks: {len(ROWS)} rows, all with their tests")
    sys.exit(1 if found else 0)
