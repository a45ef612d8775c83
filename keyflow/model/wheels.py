# SPDX-License-Identifier: Apache-2.0
"""Other people's implementations, from PyPI, behind the interface of `sides`.

All three bind one Rust crate, opaque-ke, each in another of its versions: 4.0.1, 3.0.0 and
4.1.0-pre.1. Terms are compiled in: no context, identities that are the public keys, Argon2id
with 19,456 KiB and 2 passes.
"""

import base64
from contextlib import contextmanager

import opaque_ke_py
import opaque_snake
from opaquepy import lib as opaquepy

from primitives import Refused

# opaque-ke 4 reads its messages from the front and does not look for what follows; 3 did so in one.
EVERY_MESSAGE = ("request", "response", "record", "ke1", "ke2", "ke3")


@contextmanager
def refusing(error):
    """`error` is how the wheel refuses; anything else is a fault of the test's or the wheel's."""
    try:
        yield
    except error as refusal:
        raise Refused(str(refusal)) from refusal


class OpaqueKePy:
    """opaque-ke-py."""

    ignores_trailing = EVERY_MESSAGE

    def __init__(self):
        self.setup = opaque_ke_py.server_setup()
        self.keys = bytes(self.setup.to_bytes())[:96]

    def start_registration(self, password):
        start = opaque_ke_py.client_registration_start(password)
        return (password, bytes(start.get_state())), bytes(start.get_message())

    def finish_registration(self, state, response):
        with refusing(ValueError):
            done = opaque_ke_py.client_registration_finish(*state, response)
        return bytes(done.get_message()), bytes(done.get_export_key())

    def start_login(self, password):
        start = opaque_ke_py.client_login_start(password)
        return (password, bytes(start.get_state())), bytes(start.get_message())

    def finish_login(self, state, ke2):
        with refusing(ValueError):
            done = opaque_ke_py.client_login_finish(*state, ke2)
        return tuple(
            bytes(part)
            for part in (done.get_message(), done.get_session_key(), done.get_export_key())
        )

    def respond_registration(self, request, identifier):
        with refusing(ValueError):
            answer = opaque_ke_py.server_registration_start(self.setup, request, identifier)
        return bytes(answer.get_message())

    def respond_login(self, record, ke1, identifier):
        with refusing(ValueError):
            file = opaque_ke_py.server_registration_finish(record).get_password_file()
            answer = opaque_ke_py.server_login_start(self.setup, bytes(file), ke1, identifier)
        return bytes(answer.get_state()), bytes(answer.get_message())

    def confirm(self, state, ke3):
        with refusing(ValueError):
            return bytes(opaque_ke_py.server_login_finish(state, ke3).get_session_key())


def text(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def untext(data):
    return base64.urlsafe_b64decode(data + "=" * (-len(data) % 4))


class OpaquePy:
    """opaquepy, which speaks base64url and keeps the export key to itself."""

    ignores_trailing = ("request",)

    def __init__(self):
        self.setup = opaquepy.create_setup()
        self.keys = untext(self.setup)[:96]

    def start_registration(self, password):
        request, state = opaquepy.register_client(password.decode())
        return (state, password.decode()), untext(request)

    def finish_registration(self, state, response):
        with refusing(ValueError):
            return untext(opaquepy.register_client_finish(*state, text(response))), None

    def start_login(self, password):
        ke1, state = opaquepy.login_client(password.decode())
        return (state, password.decode()), untext(ke1)

    def finish_login(self, state, ke2):
        with refusing(ValueError):
            ke3, session = opaquepy.login_client_finish(*state, text(ke2))
        return untext(ke3), untext(session), None

    def respond_registration(self, request, identifier):
        with refusing(ValueError):
            return untext(opaquepy.register(self.setup, text(request), identifier.decode()))

    def respond_login(self, record, ke1, identifier):
        with refusing(ValueError):
            file = opaquepy.register_finish(text(record))
            ke2, state = opaquepy.login(self.setup, file, text(ke1), identifier.decode())
        return state, untext(ke2)

    def confirm(self, state, ke3):
        with refusing(ValueError):
            return untext(opaquepy.login_finish(text(ke3), state))


class OpaqueSnake:
    """opaque-snake."""

    ignores_trailing = EVERY_MESSAGE

    def __init__(self):
        self.server, self.client = opaque_snake.OpaqueServer(), opaque_snake.OpaqueClient()
        self.keys = bytes(self.server.export_setup())[:96]

    def start_registration(self, password):
        request, state = self.client.start_registration(password.decode())
        return (state, password.decode()), bytes(request.to_bytes())

    def finish_registration(self, state, response):
        with refusing(opaque_snake.OpaqueError):
            response = opaque_snake.RegistrationResponse.from_bytes(response)
            done = self.client.finish_registration(response, *state)
        return bytes(done.upload.to_bytes()), bytes(done.export_key)

    def start_login(self, password):
        ke1, state = self.client.start_login(password.decode())
        return (state, password.decode()), bytes(ke1.to_bytes())

    def finish_login(self, state, ke2):
        with refusing(opaque_snake.OpaqueError):
            done = self.client.finish_login(
                opaque_snake.CredentialResponse.from_bytes(ke2), *state
            )
        keys = done.session_keys
        ke3 = bytes(done.finalization.to_bytes())
        return ke3, bytes(keys.session_key), bytes(keys.export_key)

    def respond_registration(self, request, identifier):
        with refusing(opaque_snake.OpaqueError):
            request = opaque_snake.RegistrationRequest.from_bytes(request)
            answer = self.server.create_registration_response(request, identifier.decode())
        return bytes(answer.to_bytes())

    def respond_login(self, record, ke1, identifier):
        with refusing(opaque_snake.OpaqueError):
            upload = opaque_snake.RegistrationUpload.from_bytes(record)
            answer, state = self.server.create_credential_response(
                opaque_snake.CredentialRequest.from_bytes(ke1), identifier.decode(),
                self.server.finish_registration(upload),
            )  # fmt: skip
        return state, bytes(answer.to_bytes())

    def confirm(self, state, ke3):
        with refusing(opaque_snake.OpaqueError):
            ke3 = opaque_snake.CredentialFinalization.from_bytes(ke3)
            return bytes(self.server.finish_login(ke3, state).session_key)


WHEELS = {"opaque-ke-py": OpaqueKePy, "opaquepy": OpaquePy, "opaque-snake": OpaqueSnake}
