# SPDX-License-Identifier: Apache-2.0
"""The sweep's stage: a folder, two users without names, the programs that run as them."""

import os
import pathlib
import resource
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

import memory

PERSON, OPERATOR = 64001, 64002
PYTHON = "/usr/bin/python3"  # one that every user can run
UNLIMITED = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)


class Failed(Exception):
    """The stage cannot be set: nothing was checked by that."""


def wait_for(what, holds, seconds=60):
    end = time.monotonic() + seconds
    while not (result := holds()):
        if time.monotonic() > end:
            raise Failed(f"{what}: not within {seconds} s")
        time.sleep(0.05)
    return result


def cores_allowed():
    """Whoever is started with this may leave a core file: only the program itself prevents it."""
    resource.setrlimit(resource.RLIMIT_CORE, UNLIMITED)


def no_locking():
    """Whoever is started with this can lock no memory, as on a system that allows none."""
    resource.setrlimit(resource.RLIMIT_MEMLOCK, (0, 0))


def crash(process, folder=None):
    """What is wrong with the way it ends by a crash: nothing, or it lingers, or leaves a core file."""
    process.send_signal(signal.SIGSEGV)
    end = time.monotonic() + 30
    while (ended := os.waitpid(process.pid, os.WNOHANG)) == (0, 0):
        if time.monotonic() > end:
            return "it does not end"
        time.sleep(0.05)
    process.returncode = ended[1]
    cores = [path for path in (folder.iterdir() if folder else ()) if path.name.startswith("core")]
    for path in cores:
        path.unlink()
    return "a core" if os.WCOREDUMP(ended[1]) or cores else ""


class Stage:
    def __init__(self, bin_folder):
        if os.geteuid() != 0:
            raise Failed("reading the memory of programs that forbid it takes root")
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="canary-"))
        self.folder.chmod(0o755)
        self.control = "control-" + secrets.token_hex(12)
        self.processes = []
        self.bin = self.programs(pathlib.Path(bin_folder).resolve())
        self.temporary = self.own("tmp", PERSON)
        self.runtime = self.own("run", PERSON)
        self.elsewhere = self.own("elsewhere", PERSON)  # where a core file could be left
        self.output, self.errors = self.folder / "stdout", self.folder / "stderr"

    def own(self, name, user):
        """A private folder of a user."""
        path = self.folder / name
        path.mkdir(mode=0o700)
        os.chown(path, user, user)
        return path

    def programs(self, folder):
        """Where both users can run them from: a copy, where they cannot reach the build."""
        def runs(path):
            done = subprocess.run([path, "--version"], user=PERSON, group=PERSON, extra_groups=[], capture_output=True)
            return done.returncode == 0

        try:
            if runs(folder / "journal"):
                return folder
        except PermissionError:
            pass
        copy = self.folder / "bin"
        copy.mkdir()
        for program in ("journal", "vaultd"):
            shutil.copy(folder / program, copy)
        if not runs(copy / "journal"):
            raise Failed(f"{copy}/journal does not run as another user")
        return copy

    def environment(self, **more):
        return {
            "PATH": os.environ["PATH"], "HOME": str(self.elsewhere), "LANG": "C.UTF-8", "TZ": "UTC",
            "TMPDIR": str(self.temporary), "XDG_RUNTIME_DIR": str(self.runtime),
            "CANARY_CONTROL": self.control, **more,
        }  # fmt: skip

    def start(self, arguments, user=PERSON, **more):
        more.setdefault("env", self.environment())
        more.setdefault("cwd", self.elsewhere)
        more.setdefault("preexec_fn", cores_allowed)
        process = subprocess.Popen(
            [str(argument) for argument in arguments], user=user, group=user, extra_groups=[], **more)
        self.processes.append(process)
        return process

    def decoy(self, secret, user=PERSON, **more):
        """A process that holds `secret` in ordinary memory, as ours must not."""
        code = "import sys, time; held = sys.stdin.buffer.read(); print(flush=True); time.sleep(3600)"
        process = self.start([PYTHON, "-I", "-c", code], user, stdin=subprocess.PIPE, stdout=subprocess.PIPE, **more)
        process.stdin.write(secret)
        process.stdin.close()
        process.stdout.readline()
        return process

    def end(self, process, how=signal.SIGTERM):
        """The wait status."""
        if process.poll() is None:
            process.send_signal(how)
            try:
                process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        return process.returncode

    def of_the_person(self):
        """The processes of the person that this stage led to, agents too."""
        return memory.processes(PERSON, self.control.encode())

    def close(self):
        for process in self.processes:
            self.end(process, signal.SIGKILL)
        for pid in self.of_the_person():
            os.kill(pid, signal.SIGKILL)
        shutil.rmtree(self.folder, ignore_errors=True)


class Device:
    """A journal of the person."""

    def __init__(self, stage, name):
        self.stage = stage
        self.home = stage.own(name, PERSON)

    @property
    def environment(self):
        return self.stage.environment(JOURNAL_HOME=str(self.home))

    def run(self, *arguments, text="", expect=0, **variables):
        """What `journal` printed; all of it is kept to be looked through."""
        done = subprocess.run(
            [self.stage.bin / "journal", *map(str, arguments)], input=text, capture_output=True, text=True, timeout=600,
            user=PERSON, group=PERSON, extra_groups=[], cwd=self.stage.elsewhere, start_new_session=True,
            env={**self.environment, **variables}, preexec_fn=cores_allowed)  # fmt: skip
        for path, printed in ((self.stage.output, done.stdout), (self.stage.errors, done.stderr)):
            with open(path, "a") as file:
                file.write(printed)
        if expect is not None and done.returncode != expect:
            raise Failed(f"journal {' '.join(map(str, arguments))}: exit code {done.returncode}\n{done.stderr}")
        return done.stdout

    def watch(self):
        """A `journal watch` that has synced once."""
        log = self.stage.folder / f"watch-{self.home.name}"
        with open(log, "wb") as out:
            process = self.stage.start(
                [self.stage.bin / "journal", "watch"], env=self.environment, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        wait_for("the first sync of journal watch", lambda: log.stat().st_size or process.poll() is not None)
        if process.poll() is not None:
            raise Failed(f"journal watch ended: {log.read_text()}")
        return process, log


class Server:
    """`vaultd` of the operator, as talkative as it can be."""

    def __init__(self, stage, name, database=None):
        self.stage = stage
        self.data = stage.own(f"server-{name}", OPERATOR)
        self.core_folder = stage.own(f"server-{name}-cwd", OPERATOR)
        self.log = stage.folder / f"server-{name}.log"
        self.database = ["--database", database] if database else []
        self.process = None

    def start(self, *more):
        with open(self.log, "ab") as log:
            self.process = self.stage.start(
                [self.stage.bin / "vaultd", "serve", "--data", self.data, "--listen", "127.0.0.1:0",
                 "--log-level", "trace", *self.database, *more],
                OPERATOR, stdout=subprocess.PIPE, stderr=log, stdin=subprocess.DEVNULL, cwd=self.core_folder,
                env=self.stage.environment(TMPDIR=str(self.data)))  # fmt: skip
        ready = self.process.stdout.readline().decode()
        if not ready.startswith("vaultd ready "):
            raise Failed(f"vaultd did not start: {self.log.read_text()[-2000:]}")
        self.port = int(ready.rsplit(":", 1)[1])
        threading.Thread(target=self.drain, args=(self.process.stdout,), daemon=True).start()

    def drain(self, pipe):
        with open(self.log, "ab") as log:
            for line in pipe:
                log.write(line)
                log.flush()


class Wire:
    """A proxy on loopback; keeps every byte of both ways."""

    def __init__(self, target, record):
        self.target = target
        self.record = open(record, "wb", buffering=0)
        self.path = record
        self.lock = threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            client, _ = self.listener.accept()
            try:
                server = socket.create_connection(("127.0.0.1", self.target), timeout=5)
            except OSError:
                client.close()
                continue
            server.settimeout(None)
            for source, drain in ((client, server), (server, client)):
                threading.Thread(target=self.pass_on, args=(source, drain), daemon=True).start()

    def pass_on(self, source, drain):
        try:
            while data := source.recv(1 << 16):
                with self.lock:
                    self.record.write(data)
                drain.sendall(data)
        except OSError:
            pass
        for end in (source, drain):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
