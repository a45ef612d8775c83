# SPDX-License-Identifier: Apache-2.0
"""Vectors of the group's refusals and of OPAQUE in the KF1 profile, client and server."""

import account
import opaque as o
import ristretto as group
from vectors import NAME, SERVER, Subject, flip

IDENTITY = bytes(32)
BIT_255 = flip(group.encode(group.BASE), 31, 0x80)
ODD = b"\1" + bytes(31)
BAD_POINTS = (
    ("the identity", "identity", IDENTITY),
    ("bit 255 set", "encoding", BIT_255),
    ("a negative encoding", "encoding", ODD),
    ("above the field", "encoding", b"\xed" + b"\xff" * 30 + b"\x7f"),
)


def subjects():
    login = Login()
    return [points(), scalars(), login.subject(), client(login), server(login), unknown(login)]


def points():
    s = Subject("points", "encoding is refused as a public element; RFC 9496 A.2 is in rfc/.")
    for name, error, encoding in BAD_POINTS:
        s.refused(name, error, lambda: group.decode(encoding), encoding=encoding)
    for name, encoding in (("31 bytes", bytes(31)), ("33 bytes", bytes(33))):
        s.refused(name, "length", lambda: group.decode(encoding), encoding=encoding)
    generator = group.encode(group.BASE)
    s.case("the generator is accepted", encoding=generator)
    return s


def scalars():
    s = Subject("scalars", "encoding is refused as a secret scalar: zero or not reduced.")
    order = group.L.to_bytes(32, "little")
    for name, encoding in (
        ("zero", bytes(32)), ("the group's order", order), ("order + 1", flip(order, 0, 0xED ^ 0xEE)),
        ("all ones", b"\xff" * 32),
    ):  # fmt: skip
        s.refused(name, "scalar", lambda: group.decode_scalar(encoding), encoding=encoding)
    last = (group.L - 1).to_bytes(32, "little")
    assert group.decode_scalar(last) == group.L - 1
    s.case("order - 1 is accepted", encoding=last)
    return s


class Login:
    """One registration and login in the KF1 profile, with everything random fixed."""

    def __init__(self):
        self.s = Subject(
            "opaque-kf1",
            "Registration and login; names as in rfc/opaque.json. password is the password input.",
        )
        draw = self.s.stream.bytes
        self.oprf_seed = draw("oprf seed", 64)
        self.server_secret, self.server_public = o.derive_dh_key_pair(draw("server key", 32))
        self.password = account.password_input(SERVER, NAME, b"correct horse battery staple")
        self.cid = account.credential_identifier(NAME)
        self.blind = int.from_bytes(draw("blind login", 64), "little") % group.L
        self.client_nonce, self.client_seed = draw("client nonce", 32), draw("client share", 32)
        self.random2 = (draw("masking", 32), draw("server nonce", 32), draw("server share", 32))
        self.secret, self.ke1 = o.make_ke1(
            self.password, self.blind, self.client_nonce, self.client_seed
        )
        self.records, self.ke2 = {}, {}
        for profile in (1, 2):
            self.run(profile)

    def setting(self, profile):
        return o.kf1(profile, NAME, SERVER)

    def answer(self, profile, record, seed=None, ke1=None, setting=None):
        return o.make_ke2(
            setting or self.setting(profile), self.server_secret, self.server_public, record,
            seed or self.oprf_seed, self.cid, ke1 or self.ke1, *self.random2,
        )  # fmt: skip

    def run(self, profile):
        s, setting = self.s, self.setting(profile)
        blind = int.from_bytes(s.stream.bytes("blind registration", 64), "little") % group.L
        nonce = s.stream.bytes("envelope nonce", 32)
        request = o.blind(self.password, blind)
        response = o.registration_response(self.oprf_seed, self.cid, self.server_public, request)
        record, export = o.finish_registration(setting, self.password, blind, response, nonce)
        ke2, expected, session = self.answer(profile, record)
        ke3, session2, export2 = o.make_ke3(
            setting, self.password, self.blind, self.secret, self.ke1, ke2
        )
        o.finish_login(expected, ke3)
        assert session == session2 and export == export2
        self.records[profile], self.ke2[profile] = record, ke2
        masking, server_nonce, share = self.random2
        s.case(
            f"profile {profile}", profile=profile, fake=False, context=setting.context,
            clientIdentity=NAME, serverIdentity=SERVER, credentialIdentifier=self.cid,
            oprfSeed=self.oprf_seed, serverPrivateKey=group.encode_scalar(self.server_secret),
            serverPublicKey=self.server_public, password=self.password,
            blindRegistration=group.encode_scalar(blind), envelopeNonce=nonce,
            blindLogin=group.encode_scalar(self.blind), clientNonce=self.client_nonce,
            clientKeyshareSeed=self.client_seed, maskingNonce=masking, serverNonce=server_nonce,
            serverKeyshareSeed=share, registrationRequest=request, registrationResponse=response,
            registrationUpload=record, ke1=self.ke1, ke2=ke2, ke3=ke3, exportKey=export,
            sessionKey=session,
        )  # fmt: skip

    def subject(self):
        return self.s


def client(login):
    s = Subject(
        "opaque-client",
        "The client of opaque-kf1.json (profile 1, its blind, nonce and key share) refuses ke2, or"
        " at registration the response; nothing may leave it.",
    )

    def refuse(name, error, ke2, password=login.password, profile=1):
        setting = login.setting(profile)
        s.refused(
            name, error,
            lambda: o.make_ke3(setting, password, login.blind, login.secret, login.ke1, ke2),
            profile=profile, password=password, ke2=ke2,
        )  # fmt: skip

    good, record = login.ke2[1], login.records[1]
    refuse("one byte short", "length", good[:-1])
    refuse("one byte more", "length", good + b"\0")
    for name, error, point in BAD_POINTS:
        refuse(f"evaluated element: {name}", error, point + good[32:])
        refuse(f"server key share: {name}", error, good[:224] + point + good[256:])
    refuse("evaluated element: another", "envelope", group.encode(group.BASE) + good[32:])
    refuse("masking nonce", "envelope", flip(good, 32))
    refuse("masked server key", "envelope", flip(good, 64))
    refuse("masked envelope nonce", "envelope", flip(good, 96))
    refuse("masked envelope tag", "envelope", flip(good, 191))
    refuse("server nonce", "server-mac", flip(good, 192))
    refuse("server key share: another", "server-mac",
           good[:224] + group.encode(group.BASE) + good[256:])  # fmt: skip
    refuse("server MAC", "server-mac", flip(good, -1))
    refuse("the client takes another profile", "envelope", good, profile=2)
    for profile in (0, 2, 3, 255):
        setting = login.setting(profile)
        ke2 = login.answer(1, record, setting=setting)[0]
        refuse(f"the server's transcript has profile {profile}", "server-mac", ke2)
    for name, identities in (
        ("another account name", (b"samuek", SERVER)), ("another server name", (NAME, b"elsewhere")),
    ):  # fmt: skip
        ke2 = login.answer(1, record, setting=o.kf1(1, *identities))[0]
        refuse(f"the server's transcript has {name}", "server-mac", ke2)
    other_seed = s.stream.bytes("other oprf seed", 64)
    refuse("another OPRF key", "envelope", login.answer(1, record, seed=other_seed)[0])
    fake = o.fake_record(login.oprf_seed, login.cid)
    refuse("the fake record", "envelope", login.answer(2, fake)[0], profile=2)
    wrong = account.password_input(SERVER, NAME, b"Correct horse battery staple")
    refuse("wrong password", "envelope", good, password=wrong)
    for name, error, point in BAD_POINTS:
        for part in ("evaluated element", "server public key"):
            valid = group.encode(group.BASE)
            response = point + valid if part == "evaluated element" else valid + point
            s.refused(
                f"registration response, {part}: {name}", error,
                lambda: o.finish_registration(
                    o.Setting(b"", ksf=o.identity_ksf), login.password, login.blind, response,
                    bytes(32),
                ),
                profile=1, password=login.password, registrationResponse=response,
            )  # fmt: skip
    return s


def server(login):
    s = Subject(
        "opaque-server",
        "The server of opaque-kf1.json (profile 1) refuses a registration request, ke1 or ke3.",
    )
    record, ke1 = login.records[1], login.ke1
    for name, error, point in BAD_POINTS:
        s.refused(
            f"registration request: {name}", error,
            lambda: o.registration_response(
                login.oprf_seed, login.cid, login.server_public, point
            ),
            registrationRequest=point,
        )  # fmt: skip
        for part, wrong in (("blinded", point + ke1[32:]), ("key share", ke1[:64] + point)):
            s.refused(
                f"ke1, {part}: {name}", error, lambda: login.answer(1, record, ke1=wrong), ke1=wrong
            )
    for name, wrong in (("one byte short", ke1[:-1]), ("one byte more", ke1 + b"\0")):
        s.refused(
            f"ke1: {name}", "length",
            lambda: o.make_ke2(
                login.setting(1), login.server_secret, login.server_public, record,
                login.oprf_seed, login.cid, wrong, *login.random2,
            ),
            ke1=wrong,
        )  # fmt: skip
    _, expected, _ = login.answer(1, record)
    ke3 = expected
    for name, error, wrong in (
        ("first byte", "client-mac", flip(ke3, 0)), ("last byte", "client-mac", flip(ke3, 63)),
        ("zeros", "client-mac", bytes(64)), ("one byte short", "length", ke3[:-1]),
        ("one byte more", "length", ke3 + b"\0"),
    ):  # fmt: skip
        s.refused(f"ke3: {name}", error, lambda: o.finish_login(expected, wrong), ke3=wrong)
    return s


def unknown(login):
    s = Subject(
        "opaque-unknown",
        "What the server answers for a name that it does not know: fake record, fake uid, KE2 of"
        " profile 2 with the random values of opaque-kf1.json.",
    )
    for name in (b"nobody", b"no-one"):
        cid = account.credential_identifier(name)
        record = o.fake_record(login.oprf_seed, cid)
        ke2, _, _ = o.make_ke2(
            o.kf1(2, name, SERVER), login.server_secret, login.server_public, record,
            login.oprf_seed, cid, login.ke1, *login.random2,
        )  # fmt: skip
        s.case(
            name.decode(), accountName=name, credentialIdentifier=cid, oprfSeed=login.oprf_seed,
            record=record, uid=o.fake_uid(login.oprf_seed, cid), ke1=login.ke1, ke2=ke2,
        )  # fmt: skip
    return s
