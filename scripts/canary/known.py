# SPDX-License-Identifier: Apache-2.0
"""The real keys of a journal, learnt from its files and its server by keyflow's second implementation."""

import http.client
import pathlib
import secrets
import sqlite3
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "keyflow" / "model"))

import account  # noqa: E402
import blob  # noqa: E402
import forms  # noqa: E402
import opaque  # noqa: E402
import primitives  # noqa: E402
import ristretto  # noqa: E402

PROFILE = 2


class Wire:
    """As much of protobuf as login needs: length-delimited fields, varints."""

    @staticmethod
    def encode(fields):
        return b"".join(
            Wire.varint(number << 3 | 2) + Wire.varint(len(data)) + data if isinstance(data, bytes)
            else Wire.varint(number << 3) + Wire.varint(data)
            for number, data in fields)  # fmt: skip

    @staticmethod
    def varint(number):
        out = b""
        while number > 0x7F:
            out += bytes([number & 0x7F | 0x80])
            number >>= 7
        return out + bytes([number])

    @staticmethod
    def decode(data):
        """{field: last value}."""
        found, at = {}, 0

        def number():
            nonlocal at
            value = shift = 0
            while True:
                byte = data[at]
                at += 1
                value |= (byte & 0x7F) << shift
                shift += 7
                if byte < 0x80:
                    return value

        while at < len(data):
            tag = number()
            if tag & 7 == 0:
                found[tag >> 3] = number()
            else:
                assert tag & 7 == 2, tag
                count = number()
                found[tag >> 3] = data[at : at + count]
                at += count
        return found


class Client:
    """A few requests to vaultd, past every part of the product."""

    def __init__(self, port, headers=None):
        self.http = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.headers = {"Content-Type": "application/protobuf", "Accept": "application/protobuf", **(headers or {})}

    def send(self, method, path, fields=None, headers=None):
        """(status, fields)"""
        body = None if fields is None else Wire.encode(fields)
        self.http.request(method, path, body, {**self.headers, **(headers or {})})
        answer = self.http.getresponse()
        data = answer.read()
        return answer.status, Wire.decode(data) if answer.status < 300 else data


def scalar():
    return secrets.randbelow(ristretto.L - 1) + 1


def log_in(port, server, name, password):
    """(export key, session key, token, uid) of a login with KF1's OPAQUE."""
    client = Client(port)
    typed = account.password_input(server, name, password)
    blinding = scalar()
    secret, ke1 = opaque.make_ke1(typed, blinding, secrets.token_bytes(32), secrets.token_bytes(32))
    status, answer = client.send("POST", "/v1/login", [(1, name), (2, ke1)])
    assert status == 200, answer
    setting = opaque.kf1(PROFILE, name, server)
    ke3, session, exported = opaque.make_ke3(setting, typed, blinding, secret, ke1, answer[1])
    status, created = client.send("POST", "/v1/sessions", [(1, answer[2]), (2, ke3)])
    assert status == 201, created
    return exported, session, account.session_token(session, created[1]), created[2]


def add_account(needles, mark, home, port, name, password, kit):
    """Adds every key that this device, password and kit lead to; gives the vault key and its epoch."""
    database = sqlite3.connect(f"file:{home}/journal.sqlite?mode=ro", uri=True)
    server = database.execute("SELECT server_name FROM journal").fetchone()[0].encode()
    slot_file = pathlib.Path(home, "vault.slot").read_bytes()
    typed = account.password_input(server, name, password)
    uid, device, slot = forms.open_local_file(typed, slot_file)
    salt = slot_file[38:54]
    needles.add_key(f"{mark} vault key", slot.key)
    needles.add_key(f"{mark} stretched password", primitives.stretch(typed, salt, PROFILE)[:32])
    needles.add_key(f"{mark} local slot's key", forms.local_key(typed, PROFILE, uid, device, salt))
    exported, session, token, _ = log_in(port, server, name, password)
    needles.add_key(f"{mark} export key", exported)
    needles.add_key(f"{mark} password slot's key", forms.password_key(uid, exported))
    needles.add_key(f"{mark} session key", session)
    needles.add_key(f"{mark} login's token", token)
    if kit:
        code = account.decode_kit(kit)
        needles.add_key(f"{mark} recovery code", code)
        needles.add_key(f"{mark} recovery slot's key", forms.recovery_key(uid, code))
        needles.add_key(f"{mark} recovery seed", account.recovery_seed(uid, code))
    oid, sealed = database.execute("SELECT oid, blob FROM items WHERE name = 'session'").fetchone()
    item = blob.open_blob({slot.epoch: slot.key}, sealed, blob.LOCAL_ITEM, uid, oid)
    needles.add_key(f"{mark} session token", item[8:40])
    rows = database.execute("SELECT record_id, blob FROM revisions ORDER BY id DESC LIMIT 2").fetchall()
    for number, (record, sealed) in enumerate(rows):
        _, key, _ = blob.derive(slot.key, sealed[20:52], sealed[:20], uid, record)
        needles.add_key(f"{mark} record {number}'s key", key)
    database.close()
    return slot.key, slot.epoch


def add_server(needles, file):
    """Adds the server's own secrets, by the form of `server.secrets`."""
    data = pathlib.Path(file).read_bytes()
    at = 6 + int.from_bytes(data[4:6], "big")
    assert data[:4] == b"JVS1" and len(data) == at + 224
    names = ("OPRF seed", "OPAQUE key", "receipt seed", "name key", "login-state key", "invitation key")
    for name, size in zip(names, (64, 32, 32, 32, 32, 32)):
        needles.add_key(f"server's {name}", data[at : at + size])
        at += size
    return [f"server's {name}" for name in names]
