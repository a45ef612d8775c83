# SPDX-License-Identifier: Apache-2.0
"""The product's OPAQUE against other implementations, in both directions, and what each refuses.

Every test runs with the product as the client and another as the server, and the other way round.
"""

import pytest

import ristretto as group
from play import Line, RefusedAt, agree, login, refused_at, register
from primitives import Refused
from sides import Model, Swift, Terms, some_text
from wheels import WHEELS

OTHERS = [*WHEELS, "model"]


class Pair:
    """A client and a server who speak to each other, one of them the product's."""

    def __init__(self, helper, ours_is, other, terms=None, our_terms=None):
        self.terms = terms or Terms()
        self.helper, self.client_is_ours = helper, ours_is == "our client"
        self.other = WHEELS[other]() if other in WHEELS else Model(self.terms)
        self.ours = Swift(helper, our_terms or self.terms)
        sides = (self.ours, self.other)
        self.client, self.server = sides if self.client_is_ours else sides[::-1]


@pytest.fixture(params=OTHERS)
def other(request):
    return request.param


@pytest.fixture
def pair(helper, direction, other, rng):
    return Pair(helper, direction, other, some_terms(rng, other))


def some_terms(rng, other):
    """Any for the model; those of the wheels are compiled in."""
    if other in WHEELS:
        return Terms()
    party = lambda: rng.choice([None, rng.randbytes(rng.choice([0, 1, 20, 300]))])
    context = rng.randbytes(rng.choice([0, 1, 40, 300]))
    return Terms(context, party(), party(), rng.randint(8, 40), rng.randint(1, 3))


# Who agrees.


@pytest.mark.parametrize("round_", range(2))
def test_both_sides_agree(pair, rng, round_):
    password, name = some_text(rng), some_text(rng)
    record, export = register(pair.client, pair.server, password, name)
    one, two = (
        agree(login(pair.client, pair.server, record, password, name), [export]) for _ in "12"
    )
    assert one != two


def test_the_extremes_of_a_password_agree(pair, rng):
    for password in (b"", b"\0", b"x" * 65_535):
        record, export = register(pair.client, pair.server, password, b"name")
        agree(login(pair.client, pair.server, record, password, b"name"), [export])


def test_the_other_client_logs_in_with_the_record_of_the_first(pair, rng, helper):
    password, name = some_text(rng), some_text(rng)
    ours = Swift(helper, pair.terms, pair.other.keys)
    record, export = register(pair.other, ours, password, name)
    agree(login(ours, pair.other, record, password, name), [export])
    record, export = register(ours, pair.other, password, name)
    agree(login(pair.other, ours, record, password, name), [export])


def test_the_same_secrets_evaluate_to_the_same_bytes(pair, rng, helper):
    ours = Swift(helper, pair.terms, pair.other.keys)
    for _ in range(5):
        request, name = group.encode(some_point(rng)), some_text(rng)
        assert ours.respond_registration(request, name) == pair.other.respond_registration(
            request, name
        )


# Known-bad controls: with one term different the same runs must fail.


CHANGES = {
    "context": {"context": b"another"}, "client": {"client": b"another"},
    "server": {"server": b"another"}, "memory": {"memoryKiB": 19_457}, "passes": {"passes": 3},
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_control_no_agreement_on_different_terms(helper, direction, other, rng, change):
    terms = Terms() if other in WHEELS else Terms(b"one", b"client", b"server", 16, 2)
    pair = Pair(helper, direction, other, terms, terms.but(**CHANGES[change]))
    password, name = some_text(rng), some_text(rng)
    first = second = pair.client
    server = pair.server
    if change in ("memory", "passes"):
        # The server stretches nothing: two clients differ.
        first = pair.other if pair.client is pair.ours else pair.ours
        server = Swift(helper, terms)
    record, _ = register(first, server, password, name)
    assert refused_at(login, second, server, record, password, name) == "ke2"


# Who is refused.


def test_a_wrong_password_is_refused_by_the_client(pair, rng):
    password, name = some_text(rng), some_text(rng)
    record, _ = register(pair.client, pair.server, password, name)
    shorter = password.decode()[:-1].encode()
    for wrong in (b"", shorter, password + b"x", password + b"\0", some_text(rng) + b"y"):
        assert refused_at(login, pair.client, pair.server, record, wrong, name) == "ke2"


def test_a_swapped_record_is_refused_by_the_client(pair, rng):
    a, b = some_text(rng) + b"a", some_text(rng) + b"b"
    record, _ = register(pair.client, pair.server, b"of both", a)
    other, _ = register(pair.client, pair.server, b"of both", b)
    assert refused_at(login, pair.client, pair.server, other, b"of both", a) == "ke2"
    assert refused_at(login, pair.client, pair.server, record, b"of both", b) == "ke2"
    agree(login(pair.client, pair.server, record, b"of both", a), [])


def test_messages_of_another_login_are_refused(pair, rng):
    password, name = some_text(rng), some_text(rng)
    record, _ = register(pair.client, pair.server, password, name)
    seen = {}
    for message in ("ke1", "ke2", "ke3"):
        keep = lambda data: seen.setdefault(message, data)  # noqa: B023
        agree(login(pair.client, pair.server, record, password, name, Line(message, keep)), [])
    for message, at in (("ke1", "ke2"), ("ke2", "ke2"), ("ke3", "ke3")):
        line = Line(message, lambda data: seen[message])  # noqa: B023
        assert refused_at(login, pair.client, pair.server, record, password, name, line) == at


# Bad bytes. Each message is altered on its way, so that each implementation receives each.

LENGTHS = {"request": 32, "response": 64, "record": 192, "ke1": 96, "ke2": 320, "ke3": 64}
POINTS = [
    ("request", 0), ("response", 0), ("response", 32), ("record", 0), ("ke1", 0), ("ke1", 64),
    ("ke2", 0), ("ke2", 224),
]  # fmt: skip


@pytest.fixture
def outcome(pair, rng):
    """Where a registration and a login are refused when one message is altered."""
    password, name = some_text(rng), some_text(rng)
    record, _ = register(pair.client, pair.server, password, name)

    def outcome(message, alter):
        line = Line(message, alter)
        made = record
        if message in ("request", "response"):
            try:
                made, _ = register(pair.client, pair.server, password, name, line)
            except RefusedAt as refusal:
                return refusal.message
        return refused_at(login, pair.client, pair.server, made, password, name, line)

    assert outcome(None, None) is None
    return outcome


def some_point(rng):
    return group.multiply(rng.randrange(1, group.L), group.BASE)


def bad_points(rng):
    good = group.encode(some_point(rng))
    yield "identity", bytes(32)
    yield "bit 255", good[:31] + bytes([good[31] | 0x80])
    yield "bit 255 of the identity", bytes(31) + b"\x80"
    yield "negative", (group.P - int.from_bytes(good, "little")).to_bytes(32, "little")
    yield "the field's order", group.P.to_bytes(32, "little")
    yield "above the field", (group.P + rng.randint(1, 18)).to_bytes(32, "little")
    yield "all ones", b"\xff" * 32
    for _ in range(2):
        yield "random bytes", not_a_point(rng)


def not_a_point(rng):
    while True:
        data = rng.randbytes(32)
        try:
            group.decode(data)
        except Refused:
            return data


def placed(point, offset):
    return lambda data: data[:offset] + point + data[offset + 32 :]


def test_bad_points_are_refused_by_who_receives_them(outcome, rng):
    for message, offset in POINTS:
        for name, point in bad_points(rng):
            at = outcome(message, placed(point, offset))
            assert at == message, f"{name} at {offset} of {message}: refused at {at}"


def test_control_another_good_point_is_taken_and_ends_without_agreement(outcome, rng):
    for message, offset in POINTS:
        at = outcome(message, placed(group.encode(some_point(rng)), offset))
        assert at == "ke2", f"{offset} of {message}: refused at {at}"


def test_wrong_lengths_are_refused_by_who_receives_them(pair, outcome, rng):
    """But for what the wheels are known not to refuse: the product and the model refuse it."""
    for message, length in LENGTHS.items():
        receiver = pair.client if message in ("response", "ke2") else pair.server
        longer_is_taken = message in getattr(receiver, "ignores_trailing", ())
        lengths = {0, 1, rng.randrange(length), length - 1, length + 1, 2 * length}
        for count in lengths | {length + rng.randint(2, 400)}:
            tail = rng.randbytes(count)
            at = outcome(message, lambda data: (data + tail)[:count])  # noqa: B023
            expected = None if longer_is_taken and count > length else message
            assert at == expected, f"{message} of {count} bytes: refused at {at}"


def test_flipped_bits_are_refused_at_the_same_message(outcome, rng):
    """Outside of points, where a flipped bit makes a good encoding or a bad one."""
    ranges = [
        ("record", 32, 96, "ke2"), ("record", 96, 192, "ke2"), ("ke1", 32, 64, "ke2"),
        ("ke2", 32, 64, "ke2"), ("ke2", 64, 192, "ke2"), ("ke2", 192, 224, "ke2"),
        ("ke2", 256, 320, "ke2"), ("ke3", 0, 64, "ke3"),
    ]  # fmt: skip
    for message, start, end, expected in ranges:
        index, bit = rng.randrange(start, end), 1 << rng.randrange(8)
        at = outcome(
            message, lambda d: d[:index] + bytes([d[index] ^ bit]) + d[index + 1 :]  # noqa: B023
        )
        assert at == expected, f"bit {bit:#x} of byte {index} of {message}: refused at {at}"
