#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The canary sweep (ATTACKS C6, C7): marked secrets go through whole life cycles on real programs, then every
place where they could be left is looked through, in every form. Each look also has to find a control that
was put into the same place, so that none can hold by not looking.

    sudo python3 scripts/canary/sweep.py --bin FOLDER [--keep]

Exit status 0 only if every check held.
"""

import argparse
import pathlib
import secrets
import signal
import sqlite3
import subprocess
import sys

from life import Life, mark
from needles import Needles, key_forms, text_forms
from person import PersonPlaces
from report import Report
from server_places import ServerPlaces
from stage import Failed, Stage

ROOT = pathlib.Path(__file__).resolve().parents[2]


def search_itself(report):
    report.begin("the search itself")
    text, key = mark("needle"), secrets.token_bytes(32)
    needles = Needles()
    needles.add_text("text", text)
    needles.add_key("key", key)
    hay = secrets.token_bytes(1 << 20)
    report.check("random bytes hold nothing", not needles.find(hay))
    missed = [
        f"{name}: {form}"
        for name, forms in (("text", text_forms(text)), ("key", key_forms(key)))
        for form, data in forms.items()
        for planted in {data, data[:16], data[-16:]}
        if len(planted) >= 16 and not any(hit[0] == name for hit in needles.find(hay[:5000] + planted + hay[5000:9000]))
    ]
    count = len(text_forms(text)) + len(key_forms(key))
    report.check(f"each of {count} forms is found, whole, and its first and last 16 bytes", not missed, "\n".join(missed), control=True)


def on_sqlite(stage, report):
    person, server = PersonPlaces(stage, report), ServerPlaces(stage, report)
    life = Life(stage, "sqlite")
    life.begin()
    agent, watch = person.unlocked(life)
    person.locked(life, agent, watch)
    life.change()
    person.crash(life)
    server.memory(life, "after logins, commits and a password change")

    def plant(control):
        with sqlite3.connect(life.server.data / "vault.sqlite") as database:
            database.execute("CREATE TABLE IF NOT EXISTS planted (text TEXT)")
            database.execute("INSERT INTO planted VALUES (?)", (control,))
        database.close()

    server.files(life, "SQLite and its log of changes", [life.server.data], plant)
    life.a.run("cloud", "delete", "--yes", "--no-progress", "--password-file", "-", text=life.lines["new password"])
    server.memory(life, "after a deletion")
    server.files(life, "SQLite after a deletion", [life.server.data], plant)
    server.traffic(life)
    person.person_files(life)
    person.printed(life)
    server.crash(life)


def on_postgres(stage, report):
    server = ServerPlaces(stage, report)
    folder = stage.folder / "postgres"
    postgres = ROOT / "scripts" / "postgres.sh"
    url = subprocess.run([postgres, "start", folder], check=True, capture_output=True, text=True).stdout.strip()
    try:
        life = Life(stage, "postgres", url)
        life.begin()
        life.a.run("lock")
        life.learn("first", life.words["password"])
        life.change()
        life.a.run("cloud", "delete", "--yes", "--no-progress", "--password-file", "-", text=life.lines["new password"])
        server.memory(life, "on PostgreSQL, after all of it")

        def plant(control):
            subprocess.run(["psql", url, "-qc", f"CREATE TABLE planted AS SELECT '{control}'::text AS text"], check=True)
            stage.end(life.server.process)
            subprocess.run([postgres, "stop", folder], check=True, capture_output=True)

        server.traffic(life)
        server.files(life, "PostgreSQL and its write-ahead log", [folder, life.server.data], plant)
    finally:
        subprocess.run([postgres, "stop", folder], capture_output=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", required=True, help="the folder of journal and vaultd")
    parser.add_argument("--keep", action="store_true", help="leave the stage's folder behind")
    options = parser.parse_args()
    report, stage, status = Report(), None, 1
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        stage = Stage(options.bin)
        search_itself(report)
        on_sqlite(stage, report)
        on_postgres(stage, report)
        report.table()
        status = 1 if report.failed else 0
    except Failed as failure:
        print(f"canary: error: {failure}", file=sys.stderr)
    finally:
        if stage and not options.keep:
            stage.close()
    return status


if __name__ == "__main__":
    sys.exit(main())
