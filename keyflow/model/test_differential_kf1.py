# SPDX-License-Identifier: Apache-2.0
"""The KF1 profile as programs call it, against the model, in both directions."""

import pytest

import forms
import opaque
from account import credential_identifier
from play import Line, agree, login, refused_at, register
from sides import KF1, ModelKF1, SwiftKF1, random_keys, some_text

NAME = "abcdefghijklmnopqrstuvwxyz0123456789._-"
# The 32-byte parts that are points, where a flipped bit may or may not be malformed.
POINTS = {("ke1", 0), ("ke1", 2), ("ke2", 0), ("ke2", 7), ("record", 0)}


def some_name(rng, longest):
    return "".join(rng.choices(NAME, k=rng.randint(3, longest))).encode()


@pytest.fixture(params=[False, True], ids=["no code", "code"])
def terms(request, rng):
    """A server and an account code, or none; Argon2id with 64 MiB, the cheapest there is."""
    code = "".join(rng.choices(forms.ALPHABET, k=25)).encode() if request.param else b""
    return KF1(some_name(rng, 255), code)


@pytest.fixture
def password(rng):
    """With what OpaqueString changes: a space that is not ASCII, an accent apart from its letter."""
    return some_text(rng) + "\u3000e\u0301".encode()


@pytest.fixture
def sides(helper, direction):
    """Makes (client, server) for terms, one of them the product's."""

    def make(client_terms, server_terms, account, keys=None):
        keys = keys or random_keys()
        if direction == "our client":
            return (
                SwiftKF1(helper, client_terms, account), ModelKF1(server_terms, account, keys)
            )  # fmt: skip
        return ModelKF1(client_terms, account), SwiftKF1(helper, server_terms, account, keys)

    return make


def test_both_sides_agree(sides, terms, password, rng):
    name = some_name(rng, 64)
    client, server = sides(terms, terms, name)
    record, export = register(client, server, password, name)
    agree(login(client, server, record, password, name), [export])


def test_the_other_client_logs_in_with_the_record_of_the_first(
    helper, direction, terms, password, rng
):
    """What is stretched is the same: names, code, and the password's form, which differs here."""
    name = some_name(rng, 64)
    clients = [SwiftKF1(helper, terms, name), ModelKF1(terms, name)]
    first, second = clients if direction == "our client" else clients[::-1]
    server = clients[0]
    record, export = register(first, server, password, name)
    composed = password.replace("\u3000e\u0301".encode(), " \u00e9".encode())
    assert composed != password
    agree(login(second, server, record, composed, name), [export])


def test_the_default_profile_agrees(sides, rng):
    terms, name = KF1(b"vault.example", profile=2), some_name(rng, 64)
    client, server = sides(terms, terms, name)
    record, export = register(client, server, b"correct horse", name)
    agree(login(client, server, record, b"correct horse", name), [export])


def test_our_client_finds_the_profile_that_fits(helper, rng):
    terms, name = KF1(b"vault.example"), some_name(rng, 64)
    client, server = SwiftKF1(helper, terms, name), ModelKF1(terms, name)
    record, export = register(client, server, b"correct horse", name)
    client.trying = [2, 1]
    agree(login(client, server, record, b"correct horse", name), [export])


def test_who_has_not_all_secrets_is_refused(sides, password, rng):
    terms, name, other = KF1(b"vault.example"), some_name(rng, 64), some_name(rng, 60) + b"-2"
    client, server = sides(terms, terms, name)
    record, _ = register(client, server, password, name)

    def tried(client, server, record=record, password=password, asked=name):
        return refused_at(login, client, server, record, password, asked)

    assert tried(client, server, password=password + b".") == "ke2"
    # The server's answer for another name, and for one that it does not know.
    assert tried(client, server, asked=other) == "ke2"
    assert tried(client, server, record=None) == "ke2"
    # Controls: another server's name, another account, a code too many, another profile.
    for wrong, account in (
        (KF1(b"vault.exampl"), name), (terms, other), (KF1(terms.server, b"0" * 25), name),
        (KF1(terms.server, profile=2), name),
    ):  # fmt: skip
        unlike, _ = sides(wrong, terms, account)
        assert tried(unlike, server) == "ke2"
    # Another server name or profile on the server: what it binds into the transcript.
    for wrong in (KF1(b"vault.exampl"), KF1(terms.server, profile=2)):
        _, unlike = sides(terms, wrong, name, server.keys)
        assert tried(client, unlike) == "ke2"
    assert tried(client, server) is None


def test_an_unknown_name_is_answered_like_the_model(helper, rng):
    """To the byte, but for what is drawn: opened with the masking key of the model's record."""
    name, terms = some_name(rng, 64), KF1(b"vault.example")
    ours = SwiftKF1(helper, terms, name)
    model = ModelKF1(terms, name, ours.keys)
    _, ke1 = model.start_login(b"any")
    fake = opaque.fake_record(model.seed, credential_identifier(name))
    for side in (ours, model):
        _, ke2 = side.respond_login(None, ke1, name)
        pad = opaque._pad(fake[32:96], ke2[32:64])
        assert opaque._xor(pad, ke2[64:192]) == model.public + fake[96:]


def test_altered_bytes_are_refused(sides, rng):
    terms, name = KF1(b"vault.example"), some_name(rng, 64)
    client, server = sides(terms, terms, name)
    record, _ = register(client, server, b"pass", name)
    for message, length in (("ke1", 96), ("ke2", 320), ("ke3", 64), ("record", 192)):
        for size in (0, length - 1, length + 1):
            line = Line(message, lambda data: (data + b"\0")[:size])  # noqa: B023
            assert refused_at(login, client, server, record, b"pass", name, line) == message
        at = rng.choice([i for i in range(length) if (message, i // 32) not in POINTS])
        line = Line(message, lambda d: d[:at] + bytes([d[at] ^ 1]) + d[at + 1 :])  # noqa: B023
        refused = refused_at(login, client, server, record, b"pass", name, line)
        assert refused == ("ke3" if message == "ke3" else "ke2")
