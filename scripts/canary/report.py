# SPDX-License-Identifier: Apache-2.0
"""One line a check, and a table at the end."""

import os
import sys
import time

COLOUR = sys.stdout.isatty() and "NO_COLOR" not in os.environ


def paint(code, text):
    return f"\033[{code}m{text}\033[0m" if COLOUR else text


class Report:
    def __init__(self):
        self.begun = time.monotonic()
        self.rows = {}  # part -> [held, failed, bytes, controls]
        self.part = None

    def begin(self, part):
        self.part = part
        self.rows.setdefault(part, [0, 0, 0, 0])
        print(paint("1", f"\n{part}"), flush=True)

    def check(self, claim, holds, detail="", size=0, control=False):
        row = self.rows[self.part]
        row[0 if holds else 1] += 1
        row[2] += size
        row[3] += control
        mark = paint("32", "ok  ") if holds else paint("1;31", "FAIL")
        print(f"  {mark} {claim}" + (f" ({size / 1e6:.1f} MB)" if size else ""), flush=True)
        if not holds and detail:
            for line in str(detail).splitlines()[:24]:
                print(f"         {line}", flush=True)

    def note(self, text):
        print(f"  note {text}", flush=True)

    def absent(self, claim, sweep, place, needles, control, where):
        """`sweep(place, needles)` finds the control, which stands `where`, and nothing else."""
        both = needles.filtered(lambda _: True)
        both.add_text("control", control)
        hits, size = sweep(place, both)
        known = any(hit.secret == "control" for hit in hits)
        found = sorted({str(hit) for hit in hits if hit.secret != "control"})
        self.check(f"{claim}: the control {where} is found", known, "the sweep does not look", control=True)
        forms = f"none of {len(needles.names)} secrets in {len(needles.forms)} forms"
        self.check(f"{claim}: {forms}", not found, "\n".join(found), size)

    @property
    def failed(self):
        return sum(row[1] for row in self.rows.values())

    def table(self):
        width = max(len(part) for part in self.rows)
        print(paint("1", f"\n{'':{width}}    held  failed  controls     looked at"))
        for part, (held, failed, size, controls) in self.rows.items():
            print(f"{part:{width}}  {held:6}  {failed:6}  {controls:8}  {size / 1e6:9.1f} MB")
        seconds = time.monotonic() - self.begun
        total = sum(row[0] for row in self.rows.values())
        verdict = "all of them held" if not self.failed else f"{self.failed} FAILED"
        print(f"\n{total + self.failed} checks, {verdict}, in {seconds:.0f} s")
