# SPDX-License-Identifier: Apache-2.0
"""The memory of another process, as root sees it: live, by region, and as a core file."""

import os
import pathlib
import re
import subprocess
from dataclasses import dataclass, field

WINDOW = 8 << 20
BLOCK = 4096
OVERLAP = 64


@dataclass
class Region:
    """One mapping of a process (`/proc/PID/smaps`)."""

    start: int
    end: int
    rights: str
    path: str
    flags: set = field(default_factory=set)

    @property
    def can_hold_data(self):
        """Whether something else than a file's own bytes may stand there."""
        kernels = self.path in ("[vvar]", "[vsyscall]", "[vdso]", "[vvar_vclock]")
        return "r" in self.rights and not kernels and ("w" in self.rights or not self.path)

    @property
    def is_locked(self):
        """Whether it is kept out of swap (`lo`) and out of core dumps (`dd`)."""
        return {"lo", "dd"} <= self.flags

    def __str__(self):
        return f"{self.path or 'anonymous'} {self.rights} {' '.join(sorted(self.flags & {'lo', 'dd'}))}".strip()


def regions(pid):
    found = []
    for line in pathlib.Path(f"/proc/{pid}/smaps").read_text().splitlines():
        head = re.match(r"([0-9a-f]+)-([0-9a-f]+) (\S{4}) \S+ \S+ \S+ *(.*)", line)
        if head:
            found.append(Region(int(head[1], 16), int(head[2], 16), head[3], head[4]))
        elif line.startswith("VmFlags:"):
            found[-1].flags = set(line.split()[1:])
    return found


def filled(data):
    """(offset, bytes) of what is not whole blocks of zeros; most of a core file is."""
    start = None
    for at in range(0, len(data) + BLOCK, BLOCK):
        block = data[at : at + BLOCK]
        if block.count(0) == len(block):
            if start is not None:
                yield start, data[start : at + OVERLAP]
            start = None
        elif start is None:
            start = at


def pieces(pid):
    """(region, address, bytes) of all that `pid` holds in memory, but for pages of zeros."""
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for region in regions(pid):
            if not region.can_hold_data:
                continue
            at = region.start
            while at < region.end:
                memory.seek(at)
                try:
                    data = memory.read(min(WINDOW, region.end - at))
                except OSError:
                    break  # a guard page
                if not data:
                    break
                for offset, part in filled(data):
                    yield region, at + offset, part
                at += len(data) if at + len(data) >= region.end else max(1, len(data) - OVERLAP)


@dataclass
class Hit:
    secret: str
    form: str
    where: str
    region: Region | None = None

    def __str__(self):
        return f"{self.secret} ({self.form}) in {self.where}"


def sweep(pid, needles):
    """(hits, bytes looked at) in the live memory of `pid`."""
    hits, size = {}, 0
    for region, start, data in pieces(pid):
        size += len(data)
        for secret, form, at in needles.find(data):
            hits[start + at, secret, form] = Hit(secret, form, f"{region} at {start + at:#x}", region)
    return list(hits.values()), size


def status(pid, key):
    """A number of `/proc/PID/status`."""
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(rf"^{key}:\s+(\d+)", text, re.MULTILINE)[1])


def processes(uid, environment):
    """The living processes of a user that were started with these bytes in their environment."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        try:
            if not entry.name.isdigit() or status(entry.name, "Uid") != uid or not is_alive(int(entry.name)):
                continue
            if environment in (entry / "environ").read_bytes():
                found.append(int(entry.name))
        except (OSError, TypeError):
            continue  # it went, or is none
    return found


def is_alive(pid):
    """Whether there is such a process and it has memory; a zombie has none."""
    try:
        return "\nVmRSS:" in pathlib.Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


def core(pid, path, excluded=False):
    """A core file of `pid` by gdb's gcore; `excluded`: with what MADV_DONTDUMP would keep out."""
    mode = "on" if excluded else "off"
    done = subprocess.run(
        ["gdb", "--readnever", "-nx", "-batch", "-iex", "set auto-solib-add off", "-p", str(pid),
         "-ex", f"set dump-excluded-mappings {mode}", "-ex", f"gcore {path}"],
        capture_output=True, text=True, timeout=300, env={"PATH": os.environ["PATH"], "HOME": "/nonexistent"})
    if not pathlib.Path(path).exists():
        raise RuntimeError(f"gcore made no core file of {pid}:\n{done.stdout[-800:]}{done.stderr[-800:]}")
    return pathlib.Path(path)
