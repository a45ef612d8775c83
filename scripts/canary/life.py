# SPDX-License-Identifier: Apache-2.0
"""One journal's life on two devices with one server, and what is secret in it."""

import re
import secrets

import known
from needles import Needles
from stage import Device, Server, Wire

TEXTS = ("title", "text", "tag", "search word", "draft")


def mark(word):
    """A marker that stands nowhere else."""
    return f"{word}-{secrets.token_hex(10)}"


class Life:
    """One journal's life on two devices with one server, and what is secret in it."""

    def __init__(self, stage, name, database=None):
        self.stage = stage
        self.user = mark("user")
        self.words = {
            "password": mark("correct-horse"), "new password": mark("battery-staple"), "passphrase": mark("passphrase"),
            "title": mark("Title"), "text": mark("Dear diary"), "tag": mark("tag"), "search word": mark("search"),
            "draft": mark("draft"),
        }  # fmt: skip
        self.needles = Needles()
        for word, marker in self.words.items():
            self.needles.add_text(word, marker)
        self.needles.add_text("account name", self.user)
        self.server = Server(stage, name, database)
        self.server.start()
        self.server_secrets = known.add_server(self.needles, self.server.data / "server.secrets")
        self.wire = Wire(self.server.port, stage.folder / f"wire-{name}")
        self.url = f"http://127.0.0.1:{self.wire.port}"
        self.a, self.b = Device(stage, f"a-{name}"), Device(stage, f"b-{name}")
        self.kit = None

    @property
    def lines(self):
        return {word: marker + "\n" for word, marker in self.words.items()}

    def begin(self):
        """Encryption on, an agent, entries by every way of writing, a second device."""
        w, a = self.words, self.a
        a.run("write", "--title", w["title"], "--tag", w["tag"], text=w["text"])
        kit_file = self.stage.elsewhere / "kit"
        a.run("encryption", "on", "--server", self.url, "--user", self.user, "--recovery-kit-file", kit_file,
              "--no-progress", "--password-file", "-", text=self.lines["password"])  # fmt: skip
        self.kit = re.search(r"code\s+([0-9A-Z-]{44})", kit_file.read_text())[1]
        kit_file.unlink()  # its owner was told to print it, then to delete it
        self.needles.add_text("recovery kit", self.kit)
        self.needles.add_text("recovery kit without hyphens", self.kit.replace("-", ""))
        a.run("unlock", "--for", "1h", "--password-file", "-", text=self.lines["password"])
        a.run("write", "--title", w["title"] + " again", "--tag", w["tag"], text=w["text"])
        a.run("search", w["search word"], expect=None)
        a.run("sync", "--no-progress")
        self.b.run("join", "--server", self.url, "--user", self.user, "--no-progress", "--password-file", "-",
                   text=self.lines["password"])  # fmt: skip
        self.b.run("lock")

    def change(self):
        """A new password, another login, the end of the cloud copy."""
        a = self.a
        a.run("password", "change", "--no-progress", "--password-file", "-", "--new-password-file", "-",
              text=self.lines["password"] + self.lines["new password"])  # fmt: skip
        self.learn("second", self.words["new password"])
        self.b.run("unlock", "--password-file", "-", text=self.lines["new password"])
        self.b.run("sync", "--no-progress")
        self.b.run("lock")
        export = a.home / "export.kfx"
        a.run("export", export, "--no-progress", "--passphrase-file", "-", "--password-file", "-",
              text=self.lines["new password"] + self.lines["passphrase"])  # fmt: skip

    def learn(self, name, password):
        """The real keys behind `password`, from now on among what is looked for."""
        self.key, self.epoch = known.add_account(
            self.needles, name, self.a.home, self.server.port, self.user.encode(), password.encode(), self.kit)

    @property
    def not_names(self):
        """What nobody but the person may have. The account's name is known to server and wire."""
        return self.needles.without("account name", *self.server_secrets)
