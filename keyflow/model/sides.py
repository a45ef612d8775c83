# SPDX-License-Identifier: Apache-2.0
"""Implementations of OPAQUE behind one interface, each able to play the client and the server.

The product's own runs in a process, `Tests/OPAQUEHelper`; the model runs here; the others are
in `wheels`.

A client: start_registration, finish_registration, start_login, finish_login. A server:
respond_registration, respond_login, confirm, and its `keys`, OPRF seed || private key. What
comes between is a `state`, or bytes of a message. Who refuses raises `Refused`.
"""

import json
import os
import pathlib
import subprocess
from dataclasses import dataclass, replace

import opaque
import ristretto as group
from account import credential_identifier, password_input
from primitives import Refused

HELPER = pathlib.Path(__file__).resolve().parents[2] / ".build" / "debug" / "OPAQUEHelper"


@dataclass(frozen=True)
class Terms:
    """What both sides must agree on; as it stands here, what the wheels are compiled with."""

    context: bytes = b""
    client: bytes | None = None
    server: bytes | None = None
    memoryKiB: int = 19_456
    passes: int = 2

    def but(self, **changes):
        return replace(self, **changes)

    def setting(self):
        ksf = opaque.argon2id_ksf(self.memoryKiB, self.passes)
        return opaque.Setting(self.context, self.client, self.server, ksf)


def some_text(rng):
    """A password or a name in UTF-8: not empty, of any characters."""
    alphabet = "abcXYZ 019-_.äß€漢🗝"
    return "".join(rng.choices(alphabet, k=rng.choice((1, 7, 20, 200)))).encode()


def random_scalar():
    return int.from_bytes(os.urandom(64), "little") % group.L


def random_keys():
    return os.urandom(64) + group.encode_scalar(random_scalar())


# The product.


class Helper:
    """The process; it must live as long as the tests, whatever it is sent."""

    def __init__(self):
        path = os.environ.get("VAULT_OPAQUE_HELPER", HELPER)
        assert os.access(path, os.X_OK), (
            f"{path} is not built: swift build --explicit-target-dependency-import-check error"
            " --product journal-vaultPackageTests"
        )
        self.process = subprocess.Popen(
            [path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def ask(self, verb, **fields):
        line = json.dumps({verb: fields}, default=bytes.hex)
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        assert answer, f"the helper died of {line}"
        answer = json.loads(answer)
        if "error" in answer:
            assert answer["error"] in ("malformed", "refused"), answer
            raise Refused(answer["error"])
        return Answer(answer)

    def close(self):
        self.process.stdin.close()
        return self.process.wait()


class Answer(dict):
    """Hexadecimal, but for numbers."""

    def bytes(self, *names):
        return tuple(bytes.fromhex(self[name]) for name in names)

    def number(self, name):
        return int(self[name])


class Swift:
    """`OPAQUE` in Sources/KeyExchange, under any terms."""

    def __init__(self, helper, terms=Terms(), keys=None):
        self.ask, self.keys = helper.ask, keys or random_keys()
        self.server = helper.ask("serve", keys=self.keys).number("state")
        self.setting = vars(terms)

    def start_registration(self, password):
        answer = self.ask("register", password=password)
        return answer.number("state"), *answer.bytes("request")

    def finish_registration(self, state, response):
        answer = self.ask("registered", state=state, response=response, setting=self.setting)
        return answer.bytes("record", "exportKey")

    def start_login(self, password):
        answer = self.ask("login", password=password)
        return answer.number("state"), *answer.bytes("ke1")

    def finish_login(self, state, ke2):
        answer = self.ask("loggedIn", state=state, ke2=ke2, setting=self.setting)
        return answer.bytes("ke3", "sessionKey", "exportKey")

    def respond_registration(self, request, identifier):
        answer = self.ask("respond", state=self.server, request=request, identifier=identifier)
        return answer.bytes("response")[0]

    def respond_login(self, record, ke1, identifier):
        return self.ask(
            "answer", state=self.server, ke1=ke1, record=record, identifier=identifier,
            setting=self.setting,
        ).bytes("login", "ke2")  # fmt: skip

    def confirm(self, state, ke3):
        return self.ask("confirm", login=state, ke3=ke3).bytes("sessionKey")[0]


@dataclass
class KF1:
    """Who logs in where, as a person types it; `identifier` is the account's name."""

    server: bytes
    code: bytes = b""
    profile: int = 1


class SwiftKF1(Swift):
    """The KF1 profile as programs call it: ClientRegistration, ClientLogin, KeyExchangeServer."""

    def __init__(self, helper, terms, account, keys=None):
        super().__init__(helper, keys=keys)
        self.terms, self.account, self.trying = terms, account, [terms.profile]
        name = terms.server.decode()
        self.server = self.ask("serveKF1", keys=self.keys, name=name).number("state")

    def person(self, password):
        code = self.terms.code.decode() or None
        return {
            "account": self.account.decode(), "server": self.terms.server.decode(),
            "password": password, "code": code,
        }  # fmt: skip

    def start_registration(self, password):
        answer = self.ask("registerKF1", person=self.person(password))
        return answer.number("state"), *answer.bytes("request")

    def finish_registration(self, state, response):
        answer = self.ask(
            "registeredKF1", state=state, response=response, profile=self.terms.profile
        )
        return answer.bytes("record", "exportKey")

    def start_login(self, password):
        answer = self.ask("loginKF1", person=self.person(password))
        return answer.number("state"), *answer.bytes("ke1")

    def finish_login(self, state, ke2):
        answer = self.ask("loggedInKF1", state=state, ke2=ke2, profiles=self.trying)
        return answer.bytes("ke3", "sessionKey", "exportKey")

    def respond_registration(self, request, identifier):
        return self.ask(
            "respondKF1", state=self.server, request=request, account=identifier.decode()
        ).bytes("response")[0]

    def respond_login(self, record, ke1, identifier):
        return self.ask(
            "answerKF1", state=self.server, ke1=ke1, account=identifier.decode(), record=record,
            profile=self.terms.profile,
        ).bytes("login", "ke2")  # fmt: skip


# The model.


class Model:
    """`opaque.py`, under any terms."""

    def __init__(self, terms=Terms(), keys=None):
        self.keys = keys or random_keys()
        self.setting = terms.setting()
        self.seed, self.secret = self.keys[:64], group.decode_scalar(self.keys[64:])
        self.public = group.encode(group.multiply(self.secret, group.BASE))

    def start_registration(self, password):
        scalar = random_scalar()
        return (password, scalar), opaque.blind(password, scalar)

    def finish_registration(self, state, response):
        return opaque.finish_registration(self.setting, *state, response, os.urandom(32))

    def start_login(self, password):
        scalar = random_scalar()
        secret, ke1 = opaque.make_ke1(password, scalar, os.urandom(32), os.urandom(32))
        return (password, scalar, secret, ke1), ke1

    def finish_login(self, state, ke2):
        return opaque.make_ke3(self.setting, *state, ke2)

    def respond_registration(self, request, identifier):
        return opaque.registration_response(self.seed, identifier, self.public, request)

    def respond_login(self, record, ke1, identifier):
        ke2, expected, session = opaque.make_ke2(
            self.setting, self.secret, self.public, record, self.seed, identifier, ke1,
            os.urandom(32), os.urandom(32), os.urandom(32),
        )  # fmt: skip
        return (expected, session), ke2

    def confirm(self, state, ke3):
        opaque.finish_login(state[0], ke3)
        return state[1]


class ModelKF1(Model):
    """The KF1 profile of SPEC section 4."""

    def __init__(self, terms, account, keys=None):
        super().__init__(keys=keys)
        self.terms, self.account = terms, account
        self.setting = self.setting_of(account)

    def setting_of(self, account):
        return opaque.kf1(self.terms.profile, account, self.terms.server)

    def input(self, password):
        return password_input(self.terms.server, self.account, password, self.terms.code)

    def start_registration(self, password):
        return super().start_registration(self.input(password))

    def start_login(self, password):
        return super().start_login(self.input(password))

    def respond_registration(self, request, identifier):
        return super().respond_registration(request, credential_identifier(identifier))

    def respond_login(self, record, ke1, identifier):
        self.setting = self.setting_of(identifier)
        identifier = credential_identifier(identifier)
        record = opaque.fake_record(self.seed, identifier) if record is None else record
        return super().respond_login(record, ke1, identifier)
