#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The main job, end to end, on real programs: every claim is checked, and the first that does not
hold ends the demo with exit code 1.

    python3 demo/demo.py --bin FOLDER [--journal FILE.json] [--keep]
"""

import argparse
import hashlib
import json
import pathlib
import shutil
import sqlite3
import sys

import search
import tamper
from stage import Failed, Stage, Story, Wire, make_password

HERE = pathlib.Path(__file__).resolve().parent
USER = "samuel"


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    options.add_argument("--bin", required=True, help="the folder of journal and vaultd")
    options.add_argument("--journal", default=HERE / "journal.json", help="a JSON array of entries")
    options.add_argument("--keep", action="store_true", help="leave the demo's folder behind")
    options = options.parse_args()

    story = Story()
    stage = Stage(options.bin)
    holds = False
    try:
        Play(story, stage, pathlib.Path(options.journal)).run()
        holds = True
    except Failed as failure:
        print(f"\n  ✗ {failure}", file=sys.stderr)
        print(f"\nThe demo FAILED after {story.checks} checks; its folder is {stage.folder}", file=sys.stderr)
    finally:
        stage.close(keep=options.keep or not holds)
    if holds:
        story.act(f"Done: {story.checks} checks, all of them held, in {story.seconds():.0f} s")
    return 0 if holds else 1


class Play:
    """The acts, in order; each leaves what the next needs."""

    def __init__(self, story, stage, journal):
        self.story = story
        self.stage = stage
        self.source = journal
        self.entries = json.loads(journal.read_text())
        if isinstance(self.entries, dict):
            self.entries = self.entries["entries"]
        self.a = stage.device("a")
        self.b = stage.device("b")
        self.server = stage.server
        self.password = make_password()
        self.password_file = stage.secret_file("password", self.password)
        self.kit_file = stage.folder / "recovery-kit.txt"
        self.markers = search.markers(self.entries)

    def run(self):
        self.alone()
        self.server.start()
        self.wire = Wire(self.server.port, self.stage.folder / "wire.bin")
        self.url = f"http://127.0.0.1:{self.wire.port}"
        self.encryption_on()
        self.second_device()
        self.edits_on_both()
        self.what_the_server_holds()
        self.no_word_leaks()
        self.a_lying_server()
        self.delete_cloud_data()

    # Act 1

    def alone(self):
        self.story.act("Device A writes a journal: no account, no server, no network")
        done = self.a.run("import", self.source, "--json", "--no-progress").json()
        self.story.check(f"{done['added']} entries imported from {self.source.name}",
                         done["added"] == len(self.entries) and not done["problems"], done)
        again = self.a.run("import", self.source, "--json", "--no-progress").json()
        self.story.check("importing the same file again changes nothing", again["added"] == 0
                         and again["unchanged"] == len(self.entries), again)
        self.written = self.a.run(
            "write", "--title", "The first of my own", "--tag", "demo",
            "Wrote a line at the blackboard: zwölf Boxkämpfer jagen Viktor.").output.strip()
        self.markers += ["Boxkämpfer", "blackboard"]
        listed = self.a.run("list", "--json", "--all").json()["entries"]
        self.story.check(f"{len(listed)} entries listed", len(listed) == len(self.entries) + 1)
        self.story.show(self.a.run("list", "-n", "6").output)
        self.no_word_in(self.home_files(self.a), "device A's own files, which are sealed from the first entry on")

    # Act 2

    def encryption_on(self):
        self.story.act("A turns encryption on and syncs")
        self.a.run("encryption", "on", "--server", self.url, "--user", USER, "--no-progress",
                   "--password-file", self.password_file, "--recovery-kit-file", self.kit_file)
        self.story.check("the recovery kit is in a file only its owner reads",
                         self.kit_file.stat().st_mode & 0o777 == 0o600)
        self.a.run("lock")
        locked = self.a.run("list", expect=None)
        self.story.check("once locked, without the password nothing is listed (exit code 11)", locked.status == 11, locked)
        wrong = self.stage.secret_file("wrong", "not-the-password")
        refused = self.a.run("unlock", "--password-file", wrong, expect=None)
        self.story.check("a wrong password is refused (exit code 12)", refused.status == 12, refused)
        self.a.run("unlock", "--password-file", self.password_file)
        self.sync(self.a)
        status = self.status(self.a)
        self.story.check("nothing waits to be sent", status["waiting"] == 0, status)
        self.story.show(self.a.run("status").output)

    # Act 3

    def second_device(self):
        self.story.act("Device B joins with name and password alone")
        self.b.run("join", "--server", self.url, "--user", USER, "--no-progress",
                   "--password-file", self.password_file)
        self.agree("B has every entry, byte for byte")
        mine, theirs = self.status(self.a), self.status(self.b)
        self.story.check(f"both show the fingerprint {mine['fingerprint']}",
                         mine["fingerprint"] == theirs["fingerprint"], (mine, theirs))
        found = self.b.run("search", "blackboard", "--json").json()["entries"]
        self.story.check("B finds a word that A wrote", [hit["id"] for hit in found] == [self.written], found)
        self.story.show(self.b.run("search", "blackboard").output)

    # Act 4

    def edits_on_both(self):
        self.story.act("The server is away; both devices go on writing")
        self.server.stop()
        ids = [entry["id"] for entry in self.a.run("list", "--json", "--all").json()["entries"]]
        first, second, third = ids[0], ids[1], ids[2]
        offline = self.a.run("sync", expect=None)
        self.story.check("a sync says that the server cannot be reached (exit code 13)", offline.status == 13, offline)
        self.story.show(offline.errors)
        new_a = self.a.run("write", "--title", "Offline on A", "The harbour cranes stand still.").output.strip()
        self.a.run("edit", first, "--title", "Retitled on A")
        self.b.run("edit", second, "--text", "Rewritten on B by candlelight.\n\nAnd a second paragraph.")
        new_b = self.b.run("write", "--title", "Offline on B", "Gulls on the breakwater.").output.strip()
        self.markers += ["candlelight", "breakwater", "Retitled"]
        # The same entry on both, in places that do not touch.
        text = self.entry(self.a, third)["content"]
        self.a.run("edit", third, "--text", "A line put before it by A.\n\n" + text)
        self.b.run("edit", third, "--text", text + "\n\nA line put after it by B.")

        self.server.start()
        self.sync(self.a)
        self.sync(self.b)
        self.sync(self.a)
        self.agree("after A, B and A synced, both hold the same bytes")
        merged = self.entry(self.a, third)["content"]
        self.story.check("the entry that both changed has both changes",
                         merged == f"A line put before it by A.\n\n{text}\n\nA line put after it by B.", merged)
        self.story.check("what each wrote alone is on the other",
                         self.entry(self.b, new_a)["title"] == "Offline on A"
                         and self.entry(self.a, new_b)["title"] == "Offline on B"
                         and self.entry(self.b, first)["title"] == "Retitled on A")
        self.a.run("delete", new_a, "--yes")
        self.sync(self.a)
        self.sync(self.b)
        gone = self.b.run("show", new_a, expect=None)
        self.story.check("an entry deleted on A is gone on B", gone.status == 1, gone)
        self.agree("and both agree again")

    # Act 5

    def what_the_server_holds(self):
        self.story.act("What the server holds: ids, sizes, hashes")
        database = self.read_only(self.server.database)
        rows = database.execute(
            "SELECT lower(hex(record_id)), revision, seq, length(blob), lower(hex(blob_hash)), blob"
            " FROM records ORDER BY seq, record_id").fetchall()
        tables = database.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'").fetchall()
        counts = {name: database.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for (name,) in tables}
        database.close()
        self.story.show("record                            revision  commit   bytes  hash")
        for record, revision, seq, size, digest, _ in rows[:8]:
            self.story.show(f"{record}  {revision:8}  {seq:6}  {size:6}  {digest[:16]}…")
        if len(rows) > 8:
            self.story.show(f"… and {len(rows) - 8} more")
        self.story.tell("rows a table: " + ", ".join(f"{name} {count}" for name, count in sorted(counts.items())))
        self.story.check(f"each of the {len(rows)} blobs has the hash that its row states",
                         all(hashlib.sha512(blob).hexdigest()[:64] == digest for *_, digest, blob in rows))
        self.story.check("the server's blobs are, byte for byte, those in A's and in B's own files",
                         tamper.local_blobs(self.a) >= {row[5] for row in rows} <= tamper.local_blobs(self.b))
        sizes = sorted({row[3] for row in rows})
        self.story.tell(f"{len(rows)} blobs of {', '.join(map(str, sizes[:8]))}{' …' if len(sizes) > 8 else ''} bytes: lengths are rounded up")

    # Act 6

    def no_word_leaks(self):
        self.story.act("Looking for the journal's words wherever the server could have them")
        self.wire.flush()
        self.markers.append(self.password)
        self.markers += self.password.split("-")[-1:]
        files = [path for path in self.server.data.rglob("*") if path.is_file()]
        files += [self.server.log, self.stage.folder / "wire.bin"]
        size = sum(path.stat().st_size for path in files)
        forms = sum(len(search.dresses(word)) for word in self.markers)
        self.story.tell(f"{len(self.markers)} words of titles and texts and the password, in {forms} forms (UTF-8, UTF-16,"
                        f" hex, base64 at every alignment), in {len(files)} files of {size:,} bytes:")
        for path in files:
            self.story.tell(f"  {path.name}, {path.stat().st_size:,} bytes")
        self.no_word_in(files, "the server's files, log and traffic")
        planted = self.stage.folder / "planted.bin"
        secret = "xy" + self.markers[0] + "z"
        import base64
        for name, data in {"plain": secret.encode(), "base64": base64.b64encode(secret.encode()),
                           "hex": secret.encode().hex().encode(), "UTF-16": secret.encode("utf-16-le")}.items():
            planted.write_bytes(files[0].read_bytes()[:4096] + data + b"\0" * 512)
            self.story.check(f"the search does find a word planted as {name}", search.find(self.markers[:1], [planted]))

    # Act 7

    def a_lying_server(self):
        self.story.act("The server lies")
        for lie in tamper.LIES:
            if lie.news:
                self.a.run("edit", self.written, "--title", "Changed while B was away")
                self.sync(self.a)
            self.server.stop()
            kept = self.copy_database()
            what, records = lie.tell(self.server.database)
            self.server.start()
            device = self.stage.device(lie.device)
            before = None if lie.device == "c" else self.export(device)
            if lie.device == "c":
                result = device.run("join", "--server", self.url, "--user", USER, "--no-progress",
                                    "--password-file", self.password_file, expect=None)
            else:
                result = device.run("sync", expect=None)
            named = (any(word in result.errors for word in lie.words)
                     and all(record.hex() in result.errors for record in records))
            self.story.check(f"{what}: {lie.verdict} (exit code {result.status})",
                             result.status == lie.status and named, result)
            self.story.show(result.errors)
            if lie.device == "c":
                shown = len(device.run("list", "--json", "--password-file", self.password_file).json()["entries"])
                truth = len(self.a.run("list", "--json").json()["entries"])
                self.story.check(f"it shows {shown} of {truth} entries: none but what it could verify",
                                 shown == (truth - 1 if lie.status == 16 else 0), result)
            else:
                self.story.check("nothing on the device was changed by it", self.export(device) == before)
            self.server.stop()
            self.put_back(kept)
            self.server.start()
            if lie.device == "c":
                device.erase()
        self.sync(self.b)
        self.agree("with the honest data back, all is well again")

    # Act 8

    def delete_cloud_data(self):
        self.story.act("A deletes the cloud data; B learns it, believes it, keeps its journal")
        before = self.export(self.b)
        done = self.a.run("cloud", "delete", "--yes", "--json", "--password-file", self.password_file).json()
        receipt = done["receipt"]
        self.story.check(f"the server signed for {receipt['records']} records and {receipt['bytes']:,} bytes deleted",
                         receipt["records"] > 0 and done["verified"], done)
        self.story.show(json.dumps(receipt, indent=2))
        database = self.read_only(self.server.database)
        left = {name: database.execute(f"SELECT count(*) FROM {name}").fetchone()[0]
                for name in ("records", "revisions", "commits", "keyrings", "vaults")}
        database.close()
        self.story.check("the server's tables of records, revisions, commits and keys are empty",
                         not any(left.values()), left)
        told = self.b.run("sync", expect=None)
        self.story.check("B is told so, with the owner's certificate (exit code 17)", told.status == 17, told)
        self.story.show(told.errors)
        self.story.check("B keeps every entry", self.export(self.b) == before)
        new = self.b.run("write", "Life goes on.").output.strip()
        self.story.check("and goes on writing", self.entry(self.b, new)["content"] == "Life goes on.")

    # What the acts share

    def sync(self, device):
        report = device.run("sync", "--json", "--no-progress").json()
        self.story.tell(f"{device.name.upper()} syncs: {report['received']} came, {report['sent']} went"
                        + (f", {report['deleted']} deleted" if report["deleted"] else ""))
        return report

    def status(self, device):
        return device.run("status", "--json").json()

    def entry(self, device, entry):
        return device.run("show", entry, "--json").json()

    def export(self, device):
        """The whole journal as the device would hand it to another program, less the time of day."""
        file = self.stage.folder / "export.json"
        file.unlink(missing_ok=True)
        device.run("export", file, "--no-progress")
        document = json.loads(file.read_text())
        file.unlink()
        return json.dumps(document["entries"], sort_keys=True)

    def agree(self, claim):
        mine, theirs = self.export(self.a), self.export(self.b)
        self.story.check(f"{claim} (SHA-256 {hashlib.sha256(mine.encode()).hexdigest()[:16]}…)", mine == theirs,
                         f"A: {mine[:500]}\nB: {theirs[:500]}")

    def home_files(self, device):
        return [path for path in device.home.rglob("*") if path.is_file()]

    def no_word_in(self, files, place):
        found = search.find(self.markers, files)
        self.story.check(f"no word found in {place}", not found, found[:5])

    def read_only(self, path):
        return sqlite3.connect(f"file:{path}?mode=ro", uri=True)

    def copy_database(self):
        kept = self.stage.folder / "honest"
        shutil.rmtree(kept, ignore_errors=True)
        shutil.copytree(self.server.data, kept)
        return kept

    def put_back(self, kept):
        shutil.rmtree(self.server.data)
        shutil.copytree(kept, self.server.data)


if __name__ == "__main__":
    sys.exit(main())
