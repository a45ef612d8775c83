# SPDX-License-Identifier: Apache-2.0
"""Where the person's secrets could be left: agent, watch, core files, folders, what was printed."""

import os
import pathlib
import pty
import re
import socket
import subprocess

import files
import memory
from life import TEXTS, mark
from needles import Needles
from stage import OPERATOR, PERSON, PYTHON, Failed, cores_allowed, crash, no_locking, wait_for


class PersonPlaces:
    def __init__(self, stage, report):
        self.stage = stage
        self.report = report

    def unlocked(self, life):
        report, stage = self.report, self.stage
        watch, log = life.a.watch()
        life.b.run("write", "--title", life.words["title"] + " on B", "--password-file", "-",
                   text=life.lines["password"] + life.words["text"])  # fmt: skip
        before = log.stat().st_size
        life.b.run("sync", "--no-progress", "--password-file", "-", text=life.lines["password"])
        wait_for("the watch takes what came", lambda: log.stat().st_size > before)
        self.editor(life)
        agent = self.agent()
        life.learn("first", life.words["password"])

        report.begin("the agent, unlocked")
        self.keys_in_locked_memory("the agent", agent, life)
        others = life.not_names.without("first vault key")
        report.absent("the agent's memory", memory.sweep, agent, others, stage.control, "in its environment")
        self.closed("the agent", agent)
        self.cores("the agent", agent, life)

        report.begin("journal watch, unlocked")
        self.keys_in_locked_memory("the watch", watch.pid, life)
        # What it shows and the token it sends are in use; passwords, kits and the keys of single blobs are not.
        others = life.not_names.without("first vault key", "first session token", *TEXTS)
        report.absent("the watch's memory", memory.sweep, watch.pid, others, stage.control, "in its environment")
        self.closed("the watch", watch.pid)
        self.cores("the watch", watch.pid, life)

        report.begin("cmdline and environ of all of the person's processes")
        decoy = stage.decoy(b"", env=stage.environment(MARKER=life.words["password"]))
        paths = [pathlib.Path(f"/proc/{pid}/{name}") for pid in self.stage.of_the_person() for name in ("cmdline", "environ")]
        mine = [path for path in paths if f"/{decoy.pid}/" not in str(path)]
        found, _ = files.sweep(paths, life.needles.only("password"))
        report.check("a password in an environment is found (control)", bool(found), control=True)
        report.absent("cmdline and environ", files.sweep, mine, life.needles, stage.control, "in their environment")
        stage.end(decoy)
        return agent, watch

    def agent(self):
        """The one agent that runs."""
        def agents():
            return [pid for pid in self.stage.of_the_person() if b"\0agent\0" in pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()]

        found = agents()
        if len(found) != 1:
            raise Failed(f"{len(found)} agents run")
        return found[0]

    def keys_in_locked_memory(self, who, pid, life):
        report = self.report
        hits, size = memory.sweep(pid, life.needles.only("first vault key"))
        report.check(f"{who} holds the vault key, and the search finds it (control)", bool(hits), size=size, control=True)
        loose = [str(hit) for hit in hits if not hit.region.is_locked]
        report.check(f"{who} holds it in pages that are locked (lo) and not dumped (dd) alone", hits and not loose, "\n".join(loose))
        locked = memory.status(pid, "VmLck")
        report.check(f"{who} has {locked} KiB locked against swapping (VmLck)", locked > 0)

    def closed(self, who, pid):
        """Not dumpable: not even the same user reads it."""
        report, stage = self.report, self.stage
        decoy = stage.decoy(b"open")
        code = "import sys; open(f'/proc/{sys.argv[1]}/mem', 'rb').read(0)"

        def readable(target):
            done = subprocess.run(
                [PYTHON, "-I", "-c", code, str(target)], user=PERSON, group=PERSON, extra_groups=[], capture_output=True)
            return done.returncode == 0

        report.check("another process of the same user can open a decoy's memory (control)", readable(decoy.pid), control=True)
        report.check(f"but not the memory of {who}", not readable(pid))
        limits = pathlib.Path(f"/proc/{pid}/limits").read_text()
        none = re.search(r"Max core file size +0 +0 ", limits)
        report.check(f"{who} is started with unlimited core files and has set their limit to 0", none, limits)
        stage.end(decoy)

    def cores(self, who, pid, life):
        """gcore, which root alone can: the key's pages are left out of it."""
        report = self.report
        path = self.stage.folder / "core"
        core = memory.core(pid, path, excluded=True)
        hits, _ = files.sweep([core], life.needles.only("first vault key"))
        report.check(f"a core of {who} made against its wish holds the key (control)", bool(hits), control=True)
        core.unlink()
        core = memory.core(pid, path)
        others = life.not_names if who == "the agent" else life.not_names.without("first session token", *TEXTS)
        report.absent(f"a core of {who} by gcore", files.sweep, [core], others, self.stage.control, "in its environment")
        core.unlink()

    def editor(self, life):
        """An entry written in an editor that looks around."""
        report, stage, draft = self.report, self.stage, life.words["draft"]
        report.begin("the editor's file")
        script, seen = stage.elsewhere / "editor", stage.elsewhere / "seen"
        script.write_text(f'#!/bin/sh\nprintf %s "{draft}" >"$1"\nstat -c "%a %n" "$1" >"{seen}"\nsleep 1\n')
        script.chmod(0o755)
        person, terminal = pty.openpty()
        writer = stage.start([stage.bin / "journal", "write"], env={**life.a.environment, "EDITOR": str(script)},
                             stdin=terminal, stdout=terminal, stderr=terminal)  # fmt: skip
        os.close(terminal)
        wait_for("the editor", lambda: seen.exists() and seen.stat().st_size)
        hits, _ = files.sweep(files.below(stage.runtime), life.needles.only("draft"))
        report.check("while the editor is open its file is found (control)", bool(hits), control=True)
        report.check("and is private to its owner", seen.read_text().startswith("600 "), seen.read_text())
        writer.wait(timeout=60)
        report.check("the entry was written", writer.returncode == 0)
        for path in (script, seen):
            path.unlink()
        os.close(person)

    def locked(self, life, agent, watch):
        report, stage = self.report, self.stage
        report.begin("after journal lock")
        life.a.run("lock")
        report.check("the agent's memory is gone when the command returns", not memory.is_alive(agent))
        report.check("journal watch's memory is gone when the command returns", not memory.is_alive(watch.pid))
        decoy = stage.decoy(life.key)
        private = life.not_names
        hits, _ = memory.sweep(decoy.pid, private.only("first vault key"))
        report.check("the key in a decoy process is found (control)", bool(hits), control=True)
        mine = [pid for pid in self.stage.of_the_person() if pid != decoy.pid]
        for pid in mine:
            name = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()[:60]
            report.absent(f"process {name}", memory.sweep, pid, private, stage.control, "in its environment")
        report.check(f"no process of the person's is left ({len(mine)})", not mine)
        stage.end(decoy)
        stage.end(watch)

    def start_agent(self, life, name, before):
        """An agent of this program's own, so that the way it ends is seen; it holds the vault key."""
        stage = self.stage
        mine, its = socket.socketpair()
        folder = stage.own(name, PERSON)
        agent = stage.start(
            [stage.bin / "journal", "agent", "--folder", folder, "--name", "s", "--idle", "60"], stdin=its,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=before)  # fmt: skip
        its.close()
        mine.sendall(b"\0\0\0\x24" + life.epoch.to_bytes(4, "big") + life.key)
        if mine.recv(4) != b"\0\0\0\1":
            raise Failed("the agent does not start")
        mine.close()
        needles = Needles()
        needles.add_key("vault key", life.key)
        hits, _ = memory.sweep(agent.pid, needles)
        return agent, hits

    def crash(self, life):
        report, stage = self.report, self.stage
        report.begin("real crashes")
        decoy = stage.decoy(life.key)
        report.check("a decoy that crashes leaves a core (control)", crash(decoy, stage.elsewhere) == "a core", control=True)
        agent, held = self.start_agent(life, "crash", cores_allowed)
        report.check("an agent that holds the key (control)", bool(held), control=True)
        wrong = crash(agent)
        report.check("ends when it crashes, and leaves no core", not wrong, wrong)
        agent, held = self.start_agent(life, "unlocked", no_locking)
        loose = [hit for hit in held if not hit.region.is_locked]
        report.check("an agent that may lock no memory is told from one that did (control)", bool(loose), control=True)
        stage.end(agent)
        life.a.run("unlock", "--password-file", "-", text=life.lines["new password"])
        watch, log = life.a.watch()
        size = log.stat().st_size
        wrong = crash(watch, stage.elsewhere)
        report.check("journal watch ends when it crashes, and leaves no core", not wrong, wrong)
        report.check("and prints nothing of its memory", log.stat().st_size == size, log.read_text()[size : size + 500])
        life.a.run("lock")

    def person_files(self, life):
        report, stage = self.report, self.stage
        report.begin("the person's files")
        homes = [life.a.home, life.b.home]
        private = life.needles.without("account name")
        for name, folders in (
            ("the home folders", homes),
            ("temporary and runtime folders", [stage.temporary, stage.runtime, stage.elsewhere]),
        ):
            control = mark("planted")
            (folders[0] / "planted").write_text(control)
            report.absent(name, files.sweep, list(files.below(*folders)), private, control, "in a file")
            (folders[0] / "planted").unlink()
        shared = pathlib.Path("/dev/shm/canary-planted")
        control = mark("planted")
        shared.write_text(control)
        recent = [
            path for folder in ("/dev/shm", "/var/tmp", "/tmp") for path in pathlib.Path(folder).glob("*")
            if path.is_file() and (path == shared or path.stat().st_uid in (PERSON, OPERATOR))
        ]  # fmt: skip
        report.absent("files of both users in /dev/shm, /var/tmp, /tmp", files.sweep, recent, private, control, "in /dev/shm")
        shared.unlink()

    def printed(self, life):
        report, stage = self.report, self.stage
        report.begin("what was printed")
        life.b.run("list", "--password-file", "-", text=life.lines["new password"])
        hits, _ = files.sweep([stage.output], life.needles.only("title"))
        report.check("standard output has the titles that were asked for (control)", bool(hits), control=True)
        hits, size = files.sweep([stage.output], life.needles.without("account name", *TEXTS))
        report.check("standard output has no password, kit, key or token", not hits, hits, size)
        with open(stage.errors, "a") as errors:
            errors.write(stage.control + "\n")
        logs = [stage.errors, *stage.folder.glob("watch-*")]
        report.absent("standard error", files.sweep, logs, life.needles.without("account name"), stage.control, "in its last line")
