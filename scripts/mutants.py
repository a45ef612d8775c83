#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Removes one defence after the other and demands that its test fails.

A mutant is a patch Tests/Mutants/NAME.patch. Lines before its diff that begin with `# ` say:
`# row: A6`, `# defence: what is taken away`, `# test: Target.Suite/name of the test`.

    scripts/mutants.py --check              every patch applies and names a test that is there
    scripts/mutants.py                      builds and judges all of them, in a copy of this folder
    scripts/mutants.py --only NAME …        these alone
    scripts/mutants.py --scratch DIR        where the copy is kept between runs (.build/mutants)

A mutant counts as killed when the program with it builds, the test passes without it and fails with
it (a crash and a hang are failures too). Exit status 0: all killed. Slow: one build for each.
"""
import argparse
import os
import re
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "Tests" / "Mutants"
FLAGS = ["--explicit-target-dependency-import-check", "error"]
PRODUCT = "journal-vaultPackageTests"
TEST_SECONDS = 300
ROW = re.compile(r"[ABC]\d+")


class Fault(Exception):
    """What is wrong with the mutants themselves, or with the build without them."""


@dataclass
class Mutant:
    name: str
    patch: Path
    row: str
    defence: str
    target: str
    suite: str
    test: str
    files: list

    @classmethod
    def read(cls, patch):
        text = patch.read_text()
        head, separator, diff = text.partition("\ndiff --git ")
        fields = dict(re.findall(r"^# (row|defence|test): (.+)$", head, re.M))
        place = re.fullmatch(r"(\w+)\.(\w+)/(.+)", fields.get("test", ""))
        if not separator or len(fields) != 3 or not place or not ROW.fullmatch(fields["row"]):
            raise Fault(f"{patch.name}: needs lines '# row:', '# defence:', '# test:' and a diff")
        files = re.findall(r"^\+\+\+ b/(.+)$", "diff --git " + diff, re.M)
        return cls(patch.stem, patch, fields["row"], fields["defence"], *place.groups(), files)

    @property
    def key(self):
        return f"{self.target}.{self.suite}/`{self.test}`"


def run(command, cwd, **options):
    return subprocess.run(command, cwd=cwd, text=True, capture_output=True, **options)


def check(mutants):
    """Every patch applies to the sources as they are, and its test is there."""
    for mutant in mutants:
        done = run(["git", "apply", "--check", str(mutant.patch)], ROOT)
        if done.returncode:
            raise Fault(f"{mutant.patch.name} does not apply any more:\n{done.stderr.strip()}")
        if not mutant.files or any(not file.startswith("Sources/") for file in mutant.files):
            raise Fault(f"{mutant.patch.name}: a mutant changes Sources, nothing else")
        sources = "".join(p.read_text() for p in (ROOT / "Tests" / mutant.target).rglob("*.swift"))
        if f"func `{mutant.test}`" not in sources or f" {mutant.suite}" not in sources:
            raise Fault(f"{mutant.patch.name}: there is no test {mutant.key}")


class Scratch:
    """A copy of the tree with a build folder of its own."""

    def __init__(self, folder, log):
        self.folder = folder
        self.log = log

    def sync(self):
        """Makes the copy equal to this tree; what is equal already keeps its time."""
        self.folder.mkdir(parents=True, exist_ok=True)
        listed = run(["git", "ls-files", "-zco", "--exclude-standard"], ROOT, check=True).stdout
        wanted = {f for f in listed.split("\0") if f and (ROOT / f).is_file()}
        for file in wanted:
            source, copy = ROOT / file, self.folder / file
            if not copy.is_file() or copy.read_bytes() != source.read_bytes():
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(source, copy)
        for top in ("Sources", "Tests", "migrations"):
            for copy in (self.folder / top).rglob("*"):
                if copy.is_file() and str(copy.relative_to(self.folder)) not in wanted:
                    copy.unlink()
        if not (self.folder / ".build").exists() and (ROOT / ".build").exists():
            print("mutants: copying the build folder", flush=True)
            skip = shutil.ignore_patterns("ModuleCache", self.folder.name)
            shutil.copytree(
                ROOT / ".build", self.folder / ".build", symlinks=True, ignore=skip)
        if (ROOT / "Package.resolved").exists():
            shutil.copy(ROOT / "Package.resolved", self.folder)

    def build(self):
        """Builds the tests; the compiler's words where that fails."""
        done = run(["swift", "build", *FLAGS, "--product", PRODUCT], self.folder)
        self.log.write(done.stdout + done.stderr)
        self.log.flush()
        if done.returncode == 0:
            return None
        errors = [line for line in (done.stdout + done.stderr).splitlines() if "error:" in line]
        return "\n".join(errors[:5]) or "the build failed"

    def test(self, mutant):
        """Runs one test: 'passed', 'failed', or 'absent' where no test has that name."""
        pattern = "^" + re.escape(mutant.key).replace(r"\ ", " ").replace(r"\`", "`")
        command = [
            str(self.folder / ".build/debug" / (PRODUCT + ".xctest")),
            "--testing-library", "swift-testing", "--filter", pattern,
        ]
        try:
            done = run(command, self.folder, timeout=TEST_SECONDS)
        except subprocess.TimeoutExpired:
            return "failed"
        self.log.write(done.stdout + done.stderr)
        self.log.flush()
        if "Test run with 0 tests" in done.stdout + done.stderr:
            return "absent"
        return "passed" if done.returncode == 0 else "failed"

    def apply(self, mutant, reverse=False):
        flags = ["--reverse"] if reverse else []
        # Outside of any repository, else paths would count from that one's root.
        environment = {**os.environ, "GIT_CEILING_DIRECTORIES": str(self.folder.parent)}
        done = run(["git", "apply", *flags, str(mutant.patch)], self.folder, env=environment)
        if done.returncode:
            raise Fault(f"{mutant.patch.name}: {done.stderr.strip()}")


def judge(scratch, mutant):
    """One mutant's end, and why where it is not 'killed'."""
    try:
        scratch.apply(mutant)
    except Fault as fault:
        return "does not apply", str(fault)
    try:
        errors = scratch.build()
        if errors:
            return "does not build", errors
        found = scratch.test(mutant)
        return ("killed", "") if found == "failed" else ("SURVIVED", f"{mutant.key} {found}")
    finally:
        scratch.apply(mutant, reverse=True)


def hunt(mutants, folder):
    """Judges all mutants; whether every one was killed."""
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "mutants.log", "w") as log:
        scratch = Scratch(folder, log)
        scratch.sync()
        print("mutants: building without any", flush=True)
        errors = scratch.build()
        if errors:
            raise Fault(errors)
        for mutant in mutants:
            found = scratch.test(mutant)
            if found != "passed":
                raise Fault(f"without a mutant, {mutant.key} {found}; see {folder}/mutants.log")
        print(f"mutants: all {len(mutants)} tests pass without them", flush=True)
        ends = []
        for mutant in mutants:
            start = time.monotonic()
            end, why = judge(scratch, mutant)
            ends.append(end)
            print(
                f"{mutant.row:4} {mutant.name:36} {end:15} {time.monotonic() - start:4.0f} s"
                + (f"\n     {why}" if why else ""), flush=True)
    killed = ends.count("killed")
    print(f"mutants: {killed} of {len(ends)} killed")
    return killed == len(ends)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME")
    parser.add_argument("--scratch", type=Path, default=ROOT / ".build" / "mutants")
    options = parser.parse_args()
    mutants = [Mutant.read(patch) for patch in sorted(FOLDER.glob("*.patch"))]
    unknown = set(options.only) - {mutant.name for mutant in mutants}
    if unknown:
        raise Fault("no such mutant: " + ", ".join(sorted(unknown)))
    check(mutants)
    if options.check:
        print(f"mutants: {len(mutants)} patches apply, and their tests are there")
        return 0
    if options.only:
        mutants = [mutant for mutant in mutants if mutant.name in options.only]
    # Those of one module together: what it takes along is then built once less.
    mutants.sort(key=lambda mutant: (mutant.files, mutant.name))
    return 0 if hunt(mutants, options.scratch.resolve()) else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Fault as fault:
        sys.exit(f"mutants: {fault}")
