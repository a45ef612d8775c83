# SPDX-License-Identifier: Apache-2.0
"""The demo's stage: what it says, the programs it runs, the wire it listens to."""

import json
import os
import pathlib
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

COLOUR = sys.stdout.isatty() and "NO_COLOR" not in os.environ


def paint(code, text):
    return f"\033[{code}m{text}\033[0m" if COLOUR else text


class Failed(Exception):
    """A step that did not hold."""


class Story:
    """Says what happens, and counts what was checked."""

    def __init__(self):
        self.checks = 0
        self.begun = time.monotonic()

    def seconds(self):
        return time.monotonic() - self.begun

    def act(self, text):
        print("\n" + paint("1;36", "▌ " + text), flush=True)

    def tell(self, text):
        print(paint("2", "  " + text), flush=True)

    def show(self, text):
        for line in text.rstrip("\n").split("\n"):
            print("    " + line, flush=True)

    def check(self, claim, holds, otherwise=""):
        if not holds:
            raise Failed(f"{claim}\n{otherwise}".rstrip())
        self.checks += 1
        print("  " + paint("32", "✓ ") + claim, flush=True)


class Result:
    """What a command printed, and how it ended."""

    def __init__(self, arguments, done):
        self.arguments = arguments
        self.output = done.stdout
        self.errors = done.stderr
        self.status = done.returncode

    def json(self):
        return json.loads(self.output)

    def __str__(self):
        command = "journal " + " ".join(self.arguments)
        return f"{command}\nexit code {self.status}\n{self.output}{self.errors}"


class Device:
    """One device: a journal in a folder of its own."""

    def __init__(self, stage, name):
        self.name = name
        self.stage = stage
        self.home = stage.folder / f"device-{name}"

    def run(self, *arguments, expect=0, text=None):
        """Runs `journal`; any other exit code than expected fails the demo."""
        arguments = [str(argument) for argument in arguments]
        done = subprocess.run(
            [self.stage.bin / "journal", *arguments],
            input=text or "", capture_output=True, text=True, timeout=600,
            env={**self.stage.environment, "JOURNAL_HOME": str(self.home)},
            start_new_session=True)  # no terminal to ask on
        result = Result(arguments, done)
        if expect is not None and result.status != expect:
            raise Failed(f"device {self.name}, instead of exit code {expect}: {result}")
        return result

    def erase(self):
        """The device is gone, and its agent with it."""
        if self.home.exists():
            self.run("lock", expect=None)
            shutil.rmtree(self.home)


class Wire:
    """A proxy on loopback between the devices and the server; keeps every byte of both ways."""

    def __init__(self, target, record):
        self.target = target
        self.record = open(record, "wb")
        self.lock = threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
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

    def flush(self):
        with self.lock:
            self.record.flush()


class Server:
    """`vaultd` on SQLite, stopped and started as the story needs it."""

    def __init__(self, stage):
        self.stage = stage
        self.data = stage.folder / "server"
        self.log = stage.folder / "server.log"
        self.port = free_port()
        self.process = None

    @property
    def database(self):
        found = [p for p in self.data.iterdir() if p.suffix in (".sqlite", ".db")]
        assert len(found) == 1, found
        return found[0]

    def start(self):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [self.stage.bin / "vaultd", "serve", "--data", self.data,
                 "--listen", f"127.0.0.1:{self.port}"],
                stdout=subprocess.PIPE, stderr=log, env=self.stage.environment)
        ready = self.process.stdout.readline()
        if str(self.port).encode() not in ready:
            raise Failed(f"vaultd did not start; {self.log} says:\n{self.log.read_text()[-2000:]}")
        threading.Thread(target=self.drain, args=(self.process.stdout,), daemon=True).start()

    def drain(self, pipe):
        with open(self.log, "ab") as log:
            for line in pipe:
                log.write(line)

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process = None


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


class Stage:
    """A folder for all of it, gone at the end unless the demo fails."""

    def __init__(self, bin_folder):
        self.bin = pathlib.Path(bin_folder).resolve()
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="journal-demo-"))
        self.environment = {
            "PATH": os.environ["PATH"], "HOME": str(self.folder), "LANG": "C.UTF-8",
            "TZ": os.environ.get("TZ", "UTC")}
        self.server = Server(self)
        self.devices = {}

    def device(self, name):
        return self.devices.setdefault(name, Device(self, name))

    def secret_file(self, name, secret):
        path = self.folder / name
        path.touch(mode=0o600)
        path.write_text(secret + "\n")
        return path

    def close(self, keep):
        self.server.stop()
        for device in self.devices.values():
            if device.home.exists():
                device.run("lock", expect=None)
        if not keep:
            shutil.rmtree(self.folder)


def make_password():
    """A password that is also a marker: it stands nowhere else."""
    words = "otter quartz lantern maple harbour violet thimble sparrow".split()
    return "-".join(secrets.choice(words) for _ in range(4)) + "-" + secrets.token_hex(3)
