#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures what people feel, in whole processes, beside the machine's own limit in the same run.

    make bench            everything            python3 Benchmarks/run.py --bin DIR [--only local]

`--bin` holds release builds of journal and vaultd; `--crypto` the CryptoBenchmark. Rows are those of
docs/performance.md. Each figure is the median of at least five runs after a warm-up, with min and
max; a limit or a peer is measured just before or after it. jrnl, restic: measured where they are on
PATH, else left out and said so. Prints a table and, with --json FILE, the numbers.
"""

import argparse
import ctypes
import ctypes.util
import json
import os
import random
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WORDS = (
    "morning rain garden letter walked river office candle supper music window quarrel market "
    "friend horse bridge church kitchen silver winter summer voyage doctor paper evening quiet"
).split()
PASSWORD = "a bench password, long enough"


class Bench:
    def __init__(self, binaries, work):
        self.bin, self.work, self.rows = Path(binaries), Path(work), []
        self.password = self.work / "password"
        self.password.write_text(PASSWORD + "\n")

    def journal(self, home, *words, stdin=""):
        command = [self.bin / "journal", *words, "--home", home]
        done = subprocess.run(command, input=stdin, capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"{' '.join(map(str, command))}: {done.returncode}\n{done.stderr}")
        return done.stdout

    def times(self, runs, action, before=None):
        """Seconds of `runs` runs of `action`, after one that does not count."""
        seconds = []
        for _ in range(runs + 1):
            if before:
                before()
            start = time.perf_counter()
            action()
            seconds.append(time.perf_counter() - start)
        return seconds[1:]

    def row(self, name, ours, limit=None, limit_name="", target=""):
        """Prints and keeps one row; `ours` and `limit` are lists of seconds."""
        mid = statistics.median(ours)
        text = f"{name:58} {mid * 1000:9.2f} ms  [{min(ours) * 1000:.2f} … {max(ours) * 1000:.2f}]"
        entry = dict(row=name, ms=mid * 1000, min=min(ours) * 1000, max=max(ours) * 1000)
        if limit:
            beside = statistics.median(limit)
            text += f"  {mid / beside:6.2f} × {limit_name} ({beside * 1000:.2f} ms)"
            entry.update(limit=limit_name, limit_ms=beside * 1000, ratio=mid / beside)
        if target:
            text += f"  target: {target}"
            entry["target"] = target
        print(text, flush=True)
        self.rows.append(entry)

    def beside(self, command):
        """Rows of a program that measures itself beside a bare library: one JSON object a line."""
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as program:
            for line in program.stdout:
                found = json.loads(line)
                self.rows.append(found)
                print(
                    f"{found['row']:58} {found['ms']:9.3f} ms  {found['ratio']:6.2f} × beside"
                    f" ({found['limit_ms']:.3f} ms) [{found['ratio_min']:.2f} …"
                    f" {found['ratio_max']:.2f}]  target: {found['target']}", flush=True
                )  # fmt: skip
        if program.returncode != 0:
            sys.exit(f"{command[0]}: {program.returncode}")


def entries(count, seed):
    """`count` entries of about 2 KB, the same for the same seed."""
    rng = random.Random(seed)
    made = []
    for index in range(count):
        text = " ".join(rng.choices(WORDS, k=330))[:2000]
        day = f"20{10 + index % 15:02}-{1 + index % 12:02}-{1 + index % 28:02}T08:00:00Z"
        made.append(
            dict(
                id=f"{seed}-{index}", title=f"Day {index}", content=text, createdAt=day,
                updatedAt=day,
            )  # fmt: skip
        )
    return made


def write_entries(path, count, seed):
    path.write_text(json.dumps(entries(count, seed)))
    return path


def sqlite_commit(folder, rows, size, full=True):
    """Seconds of one durable SQLite transaction of `rows` rows of `size` bytes, five times."""
    path = folder / "bare.sqlite"
    path.unlink(missing_ok=True)
    base = sqlite3.connect(path, isolation_level=None)
    base.execute("PRAGMA journal_mode=WAL")
    base.execute(f"PRAGMA synchronous={'FULL' if full else 'NORMAL'}")
    base.execute("CREATE TABLE t (a BLOB, b BLOB, PRIMARY KEY (a)) WITHOUT ROWID")
    seconds = []
    for _ in range(6):
        batch = [(os.urandom(16), os.urandom(size)) for _ in range(rows)]
        start = time.perf_counter()
        base.execute("BEGIN IMMEDIATE")
        base.executemany("INSERT INTO t VALUES (?, ?)", batch)
        base.execute("COMMIT")
        seconds.append(time.perf_counter() - start)
    base.close()
    return seconds[1:]


def local(bench):
    """Rows 2 to 5: list, write, search, import; whole processes, encryption off (no agent)."""
    start = bench.times(15, lambda: bench.journal(bench.work / "none", "--version"))
    bench.row("0 process start (journal --version)", start)
    for count in (1_000, 10_000):
        home = bench.work / f"local{count}"
        bench.journal(home, "import", write_entries(bench.work / "e.json", count, 7))
        listed = bench.times(15, lambda: bench.journal(home, "list", "-n", "20"))
        bench.row(
            f"2 list -n 20 of {count:,}", listed, start, "process start",
            "15 ms" if count == 1_000 else "30 ms",
        )  # fmt: skip
        commit = sqlite_commit(bench.work, 1, 2_700)
        wrote = bench.times(15, lambda: bench.journal(home, "write", "A line for the bench."))
        bench.row(f"3 write one, {count:,} there", wrote, commit, "bare SQLite commit", "8 ms")
    searched = bench.times(9, lambda: bench.journal(home, "search", "voyage quarrel zebra"))
    bench.row("4 search 10,000 (20 MB)", searched, start, "process start", "60 ms")
    diary = ROOT.parent / "shared" / "data" / "pepys-diary.json"
    if not diary.exists():
        print("5 left out: the diary is not on this machine")
        return
    homes = iter(range(100))
    took = bench.times(
        5, lambda: bench.journal(bench.work / f"diary{next(homes)}", "import", diary)
    )
    batch = sqlite_commit(bench.work, 3_415, 2_500)
    bench.row("5 import the diary (3,415 entries)", took, batch, "bare SQLite batch", "300 ms")


def peers(bench):
    """jrnl on the same entries, where it is installed."""
    if not shutil.which("jrnl"):
        print("jrnl left out: not on PATH (pip install jrnl)")
        return
    config = bench.work / "jrnl.yaml"
    text = bench.work / "jrnl.txt"
    config.write_text(
        f"version: v4.2\njournals:\n  default:\n    journal: {text}\n"
        "editor: ''\nencrypt: false\ndefault_hour: 9\ndefault_minute: 0\n"
        "timeformat: '%F %r'\ntagsymbols: '#@'\nhighlight: false\nlinewrap: 79\n"
        "indent_character: '|'\ntemplate: false\ncolors: {body: none, date: none, tags: none, title: none}\n"
    )
    text.write_text(
        "".join(f"[2024-01-{1 + i % 28:02} 08:00:00 AM] {e['title']}\n{e['content']}\n\n"
                for i, e in enumerate(entries(1_000, 7)))  # fmt: skip
    )
    base = ["jrnl", "--config-file", str(config)]
    run = lambda *words: subprocess.run(  # noqa: E731
        [*base, *words], capture_output=True, text=True, stdin=subprocess.DEVNULL
    )
    home = bench.work / "local1000"
    for name, theirs, ours in (
        ("list", ("-n", "20", "--short"), ("list", "-n", "20")),
        ("write", ("today: A line for the bench.",), ("write", "A line for the bench.")),
        ("search", ("-contains", "zebra"), ("search", "zebra")),
    ):
        peer = bench.times(5, lambda: run(*theirs))
        mine = bench.times(5, lambda: bench.journal(home, *ours))
        bench.row(f"peer: {name} at 1,000, jrnl (unencrypted) beside", mine, peer, "jrnl")


class Server:
    """A vaultd of this run, on a port of the kernel's choice."""

    def __init__(self, bench, name, database):
        command = [bench.bin / "vaultd", "serve", "--data", bench.work / name]
        command += ["--listen", "127.0.0.1:0", "--database", database]
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=open(bench.work / f"{name}.log", "w"), text=True
        )
        first = self.process.stdout.readline()
        self.url = first.split()[-1]

    def rss(self):
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(next(x for x in status.splitlines() if x.startswith("VmRSS")).split()[1]) // 1024

    def stop(self):
        self.process.terminate()
        self.process.wait()


def argon2id():
    """Seconds of libsodium's Argon2id alone at the cost of a slot, 256 MiB and 3 passes."""
    sodium = ctypes.CDLL(ctypes.util.find_library("sodium"))
    out, salt = ctypes.create_string_buffer(32), bytes(16)
    start = time.perf_counter()
    if sodium.crypto_pwhash(
        out, ctypes.c_ulonglong(32), PASSWORD.encode(), ctypes.c_ulonglong(len(PASSWORD)), salt,
        ctypes.c_ulonglong(3), ctypes.c_size_t(256 << 20), 2,
    ):  # fmt: skip
        sys.exit("Argon2id did not run")
    return time.perf_counter() - start


def synced(bench, name, database, batch, tools):
    """Rows 6 to 9, 13 and 15: push, pull, an edit, an empty sync, memory, unlock, on one driver."""
    server = Server(bench, name, database)
    a, b = bench.work / f"{name}-a", bench.work / f"{name}-b"
    secret = ("--password-file", bench.password, "--no-progress")
    print(f"  {name}: server memory at rest {server.rss()} MB (target 40)")
    bench.journal(a, "write", "The first line.")
    bench.journal(
        a, "encryption", "on", "--server", server.url, "--user", "bench", *secret,
        "--recovery-kit-file", bench.work / f"{name}.kit",
    )  # fmt: skip
    bench.journal(b, "join", "--server", server.url, "--user", "bench", *secret)
    for home in (a, b):
        bench.journal(home, "unlock", *secret[:2])
    pushed, pulled = [], []
    for turn in range(3):
        bench.journal(a, "import", write_entries(bench.work / "e.json", 10_000, 100 + turn))
        start = time.perf_counter()
        bench.journal(a, "sync", "--no-progress")
        pushed.append(time.perf_counter() - start)
        start = time.perf_counter()
        bench.journal(b, "sync", "--no-progress")
        pulled.append(time.perf_counter() - start)
    bench.row(f"6 push 10,000 entries, {name}", pushed, batch(), "its own batches", "1.6 ×")
    bench.row(f"7 pull, verify, keep 10,000, {name}", pulled, target="500 ms")
    print(f"  {name}: server memory after the transfers {server.rss()} MB (target 60)")
    empty = bench.times(9, lambda: bench.journal(a, "sync", "--no-progress"))
    bench.row(f"9 nothing-changed sync, whole process, {name}", empty)

    def edit():
        bench.journal(a, "write", "One edit.")
        bench.journal(a, "sync", "--no-progress")
        bench.journal(b, "sync", "--no-progress")

    bench.row(f"8 write, sync A, sync B: three processes, {name}", bench.times(7, edit))
    for home in (a, b):
        bench.journal(home, "lock")
    if tools:
        bench.beside([tools / "ClientBenchmark", name, a, b, bench.password])
    unlocks = bench.times(
        5, lambda: bench.journal(a, "unlock", *secret[:2]), lambda: bench.journal(a, "lock")
    )
    bare = [argon2id() for _ in range(6)][1:]
    bench.row(f"15 unlock, Argon2id in it, {name}", unlocks, bare, "Argon2id alone", "+ 15 ms")
    bench.journal(a, "lock")
    server.stop()


def sqlite_row17(bench):
    """Row 17: what 30,000 entries of 2 KB take on the server's SQLite."""
    files = list((bench.work / "sqlite").glob("*.sqlite*"))
    total = sum(path.stat().st_size for path in files)
    per = total / 30_000
    print(f"17 SQLite bytes per 2 KB entry, indexes, commits and heads in: {per:.0f} "
          f"({per / 2048:.2f} ×; target 1.6)")  # fmt: skip
    bench.rows.append(dict(row="17 SQLite bytes per entry", bytes=per, ratio=per / 2048))


def postgres_row17(bench, url):
    """Row 17 on PostgreSQL: the whole database's tables and indexes, by its own count."""
    query = "SELECT sum(pg_total_relation_size(oid)) FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname <> 'bare'"
    total = int(subprocess.check_output(["psql", "-qAtX", url, "-c", query], text=True))
    per = total / 30_000
    print(f"17 PostgreSQL bytes per 2 KB entry, indexes, commits and heads in: {per:.0f} "
          f"({per / 2048:.2f} ×; target 1.6)")  # fmt: skip
    bench.rows.append(dict(row="17 PostgreSQL bytes per entry", bytes=per, ratio=per / 2048))


def postgres_batches(url):
    """Seconds of 10,000 rows of 2.7 KB by COPY in transactions of 1,000, durable, thrice."""
    lines = "".join(
        f"\\\\x{os.urandom(16).hex()}\t\\\\x{os.urandom(2_400).hex()}\n" for _ in range(1_000)
    )
    psql = ["psql", "-qX", url]
    table = (
        "DROP TABLE IF EXISTS bare; CREATE TABLE bare (a bytea, b bytea);"
        " ALTER TABLE bare ALTER b SET STORAGE MAIN"
    )
    subprocess.run([*psql, "-c", table], check=True, capture_output=True)
    script = "COPY bare FROM STDIN;\n" + lines + "\\.\n"
    seconds = []
    for _ in range(4):
        start = time.perf_counter()
        subprocess.run(psql, input=script * 10, text=True, check=True, capture_output=True)
        seconds.append(time.perf_counter() - start)
    return seconds[1:]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bin", required=True)
    parser.add_argument("--tools", help="the folder of CryptoBenchmark and StoreBenchmark")
    parser.add_argument("--only", choices=["local", "server"])
    parser.add_argument("--json")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="journal-bench.") as work:
        os.chmod(work, 0o755)  # PostgreSQL runs as another user where we are root
        bench = Bench(options.bin, work)
        tools = Path(options.tools) if options.tools else None
        if tools and options.only != "server":
            bench.beside([tools / "CryptoBenchmark"])
        if options.only != "server":
            local(bench)
            peers(bench)
        if options.only != "local":
            batch = lambda: [10 * s for s in sqlite_commit(bench.work, 1_000, 2_700)]  # noqa: E731
            synced(bench, "sqlite", f"sqlite:{bench.work}/sqlite/vault.sqlite", batch, tools)
            sqlite_row17(bench)
            if tools:
                (bench.work / "stores").mkdir()
                bench.beside([tools / "StoreBenchmark", "sqlite", bench.work / "stores"])
            script, folder = ROOT / "scripts" / "postgres.sh", Path(work) / "postgres"
            subprocess.run([script, "start", folder], check=True, stdout=subprocess.DEVNULL)
            url = subprocess.check_output([script, "url", folder], text=True).strip()
            try:
                synced(bench, "postgres", url, lambda: postgres_batches(url), tools)
                postgres_row17(bench, url)
                if tools:
                    bench.beside([tools / "StoreBenchmark", "postgres", url])
            finally:
                subprocess.run([script, "stop", folder], check=True, stdout=subprocess.DEVNULL)
        if options.json:
            Path(options.json).write_text(json.dumps(bench.rows, indent=1))


if __name__ == "__main__":
    main()
