# SPDX-License-Identifier: Apache-2.0
"""Runs keyflow/vectors/rfc: values that others published, transcribed and never rewritten."""

import json

import opaque
import primitives as p
import ristretto as group
from vectors import FOLDER


def cases(name):
    """The cases of one file with every hex field turned into bytes."""
    document = json.loads((FOLDER / "rfc" / f"{name}.json").read_text("utf-8"))
    return [
        {k: bytes.fromhex(v) if isinstance(v, str) and k not in ("name", "error") else v
         for k, v in case.items()}
        for case in document["cases"]
    ]  # fmt: skip


def _scalar(data):
    return int.from_bytes(data, "little")


def hkdf_sha512(c):
    prk = p.hkdf_extract(c["salt"], c["ikm"])
    return prk == c["prk"] and p.hkdf_expand(prk, c["info"], c["length"]) == c["output"]


def ed25519(c):
    p.ed25519_verify(c["publicKey"], c["message"], c["signature"])
    made = p.ed25519_sign(c["seed"], c["message"])
    return p.ed25519_public(c["seed"]) == c["publicKey"] and made == c["signature"]


def ristretto_multiples(c):
    made = group.encode(group.multiply(c["multiple"], group.BASE))
    again = c["multiple"] == 0 or group.encode(group.decode(c["output"])) == c["output"]
    return made == c["output"] and again


def ristretto_invalid(c):
    try:
        group.decode(c["encoding"])
    except p.Refused as refusal:
        return refusal.reason == c["error"]
    return False


def ristretto_uniform(c):
    return group.encode(group.from_uniform(c["uniform"])) == c["output"]


def oprf(c):
    secret, blind = _scalar(c["secretKey"]), _scalar(c["blind"])
    return (
        opaque.derive_key_pair(c["seed"], c["keyInfo"])[0] == secret
        and c["groupDst"] == b"HashToGroup-" + opaque.SUITE
        and opaque.blind(c["input"], blind) == c["blindedElement"]
        and opaque.evaluate(secret, c["blindedElement"]) == c["evaluationElement"]
        and opaque.finalize(c["input"], blind, c["evaluationElement"]) == c["output"]
    )


def opaque_login(c):
    setting = opaque.Setting(c["context"], c.get("clientIdentity"), c.get("serverIdentity"))
    seed, cid, server = c["oprfSeed"], c["credentialIdentifier"], c["serverPublicKey"]

    def ke2(record):
        return opaque.make_ke2(
            setting, _scalar(c["serverPrivateKey"]), server, record, seed, cid, c["ke1"],
            c["maskingNonce"], c["serverNonce"], c["serverKeyshareSeed"],
        )  # fmt: skip

    if c["fake"]:
        return ke2(c["clientPublicKey"] + c["maskingKey"] + bytes(96))[0] == c["ke2"]
    password, blind = c["password"], _scalar(c["blindRegistration"])
    request = opaque.blind(password, blind)
    response = opaque.registration_response(seed, cid, server, request)
    record, export = opaque.finish_registration(
        setting, password, blind, response, c["envelopeNonce"]
    )
    blind = _scalar(c["blindLogin"])
    secret, ke1 = opaque.make_ke1(password, blind, c["clientNonce"], c["clientKeyshareSeed"])
    made, expected, session = ke2(record)
    ke3, client_session, client_export = opaque.make_ke3(
        setting, password, blind, secret, ke1, made
    )
    opaque.finish_login(expected, ke3)
    return (
        request == c["registrationRequest"]
        and response == c["registrationResponse"]
        and record == c["registrationUpload"]
        and (ke1, made, ke3) == (c["ke1"], c["ke2"], c["ke3"])
        and session == client_session == c["sessionKey"]
        and export == client_export == c["exportKey"]
    )


RUNS = {
    "hkdf-sha512": hkdf_sha512,
    "ed25519": ed25519,
    "ristretto-multiples": ristretto_multiples,
    "ristretto-invalid": ristretto_invalid,
    "ristretto-uniform": ristretto_uniform,
    "oprf": oprf,
    "opaque": opaque_login,
}


def faults():
    """Every case that this implementation does not reproduce."""
    return [
        f"rfc/{name}.json: {case['name']}: not reproduced"
        for name, run in RUNS.items()
        for case in cases(name)
        if not run(case)
    ]
