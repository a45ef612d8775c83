# SPDX-License-Identifier: Apache-2.0
"""OPRF (RFC 9497, base mode, ristretto255-SHA512) and OPAQUE-3DH (RFC 9807), both sides.

Context, identities and key stretching are arguments, so that the RFC's vectors, outside peers and
the KF1 profile run through the same code. Everything random is an argument too.
"""

import hmac
from dataclasses import dataclass

import ristretto as group
from primitives import (
    argon2id, hkdf_expand, hkdf_extract, hmac512, lp16, require, sha512, stretch, u8, u16,
)  # fmt: skip

SUITE = b"OPRFV1-\0-ristretto255-SHA512"


def hash_to_group(data):
    uniform = group.expand_message_xmd(data, b"HashToGroup-" + SUITE, 64)
    return group.from_uniform(uniform)


def hash_to_scalar(data, dst):
    return int.from_bytes(group.expand_message_xmd(data, dst, 64), "little") % group.L


def derive_key_pair(seed, context):
    """RFC 9497, 3.2.1: (secret scalar, its public element)."""
    derive_input = seed + lp16(context)
    for counter in range(256):
        secret = hash_to_scalar(derive_input + u8(counter), b"DeriveKeyPair" + SUITE)
        if secret:
            return secret, group.encode(group.multiply(secret, group.BASE))
    require(False, "derive")


def derive_dh_key_pair(seed):
    return derive_key_pair(seed, b"OPAQUE-DeriveDiffieHellmanKeyPair")


def blind(data, scalar):
    element = hash_to_group(data)
    require(group.encode(element) != bytes(32), "input")
    return group.encode(group.multiply(scalar, element))


def evaluate(key, blinded):
    return group.encode(group.multiply(key, group.decode(blinded)))


def finalize(data, scalar, evaluated):
    inverse = pow(scalar, -1, group.L)
    element = group.encode(group.multiply(inverse, group.decode(evaluated)))
    return sha512(lp16(data), lp16(element), b"Finalize")


def dh(secret, public):
    return group.encode(group.multiply(secret, group.decode(public)))


# Key stretching functions.


def identity_ksf(data):
    return data


def profile_ksf(profile):
    """KF1: Argon2id of the profile, salt 16 zero bytes, 64 bytes out."""
    return lambda data: stretch(data, bytes(16), profile)


def argon2id_ksf(memory_kib, passes):
    return lambda data: argon2id(data, bytes(16), memory_kib, passes, 64)


@dataclass
class Setting:
    """What both sides must agree on before a byte is sent."""

    context: bytes
    client_identity: bytes | None = None
    server_identity: bytes | None = None
    ksf: object = identity_ksf

    def identities(self, client_public, server_public):
        client = client_public if self.client_identity is None else self.client_identity
        server = server_public if self.server_identity is None else self.server_identity
        return client, server


def kf1(profile, name, server):
    """The KF1 profile of SPEC section 4."""
    return Setting(b"KF1-OPAQUE-1" + u8(profile), name, server, profile_ksf(profile))


# Envelope.


def _randomized_password(data, scalar, evaluated, ksf):
    output = finalize(data, scalar, evaluated)
    return hkdf_extract(b"", output + ksf(output))


def _envelope_keys(randomized, nonce):
    auth = hkdf_expand(randomized, nonce + b"AuthKey", 64)
    export = hkdf_expand(randomized, nonce + b"ExportKey", 64)
    secret, public = derive_dh_key_pair(hkdf_expand(randomized, nonce + b"PrivateKey", 32))
    return auth, export, secret, public


def _auth_tag(auth_key, nonce, server_public, identities):
    client, server = identities
    return hmac512(auth_key, nonce, server_public, lp16(server), lp16(client))


# Registration.


def registration_response(oprf_seed, credential_id, server_public, request):
    return evaluate(oprf_key(oprf_seed, credential_id), request) + server_public


def oprf_key(oprf_seed, credential_id):
    seed = hkdf_expand(oprf_seed, credential_id + b"OprfKey", 32)
    return derive_key_pair(seed, b"OPAQUE-DeriveKeyPair")[0]


def finish_registration(setting, password, scalar, response, nonce):
    """Gives (record 192, export key 64)."""
    require(len(response) == 64, "length")
    evaluated, server_public = response[:32], response[32:]
    group.decode(server_public)
    randomized = _randomized_password(password, scalar, evaluated, setting.ksf)
    auth, export, _, public = _envelope_keys(randomized, nonce)
    masking = hkdf_expand(randomized, b"MaskingKey", 64)
    tag = _auth_tag(auth, nonce, server_public, setting.identities(public, server_public))
    return public + masking + nonce + tag, export


# Login.


def make_ke1(password, scalar, nonce, keyshare_seed):
    secret, public = derive_dh_key_pair(keyshare_seed)
    return secret, blind(password, scalar) + nonce + public


def _expand_label(secret, label, context, length):
    label = b"OPAQUE-" + label
    info = u16(length) + u8(len(label)) + label + u8(len(context)) + context
    return hkdf_expand(secret, info, length)


def _schedule(ikm, preamble):
    """(server MAC key, client MAC key, session key, handshake secret)."""
    prk, transcript = hkdf_extract(b"", ikm), sha512(preamble)
    handshake = _expand_label(prk, b"HandshakeSecret", transcript, 64)
    session = _expand_label(prk, b"SessionKey", transcript, 64)
    km2 = _expand_label(handshake, b"ServerMAC", b"", 64)
    km3 = _expand_label(handshake, b"ClientMAC", b"", 64)
    return km2, km3, session, handshake


def _preamble(setting, identities, ke1, ke2_front):
    """`ke2_front`: credential response, server nonce and key share, KE2 without its MAC."""
    client, server = identities
    return (
        b"OPAQUEv1-" + lp16(setting.context) + lp16(client) + ke1 + lp16(server) + ke2_front
    )  # fmt: skip


def _pad(masking_key, masking_nonce):
    return hkdf_expand(masking_key, masking_nonce + b"CredentialResponsePad", 32 + 96)


def _xor(a, b):
    return bytes(x ^ y for x, y in zip(a, b))


def make_ke2(
    setting, server_secret, server_public, record, oprf_seed, credential_id, ke1,
    masking_nonce, server_nonce, keyshare_seed,
):  # fmt: skip
    """Gives (KE2 320, expected client MAC 64, session key 64)."""
    require(len(ke1) == 96 and len(record) == 192, "length")
    client_public, masking_key, envelope = record[:32], record[32:96], record[96:]
    evaluated = evaluate(oprf_key(oprf_seed, credential_id), ke1[:32])
    masked = _xor(_pad(masking_key, masking_nonce), server_public + envelope)
    secret, public = derive_dh_key_pair(keyshare_seed)
    front = evaluated + masking_nonce + masked + server_nonce + public
    identities = setting.identities(client_public, server_public)
    preamble = _preamble(setting, identities, ke1, front)
    client_share = ke1[64:]
    ikm = dh(secret, client_share) + dh(server_secret, client_share) + dh(secret, client_public)
    km2, km3, session, _ = _schedule(ikm, preamble)
    server_mac = hmac512(km2, sha512(preamble))
    expected = hmac512(km3, sha512(preamble + server_mac))
    return front + server_mac, expected, session


def make_ke3(setting, password, scalar, client_secret, ke1, ke2):
    """Gives (KE3 64, session key 64, export key 64); refuses before anything leaves."""
    require(len(ke2) == 320, "length")
    evaluated, masking_nonce, masked = ke2[:32], ke2[32:64], ke2[64:192]
    server_share, server_mac = ke2[224:256], ke2[256:]
    randomized = _randomized_password(password, scalar, evaluated, setting.ksf)
    masking_key = hkdf_expand(randomized, b"MaskingKey", 64)
    plain = _xor(_pad(masking_key, masking_nonce), masked)
    server_public, nonce, tag = plain[:32], plain[32:64], plain[64:]
    auth, export, secret, public = _envelope_keys(randomized, nonce)
    identities = setting.identities(public, server_public)
    expected = _auth_tag(auth, nonce, server_public, identities)
    require(hmac.compare_digest(expected, tag), "envelope")
    ikm = dh(client_secret, server_share) + dh(client_secret, server_public)
    ikm += dh(secret, server_share)
    preamble = _preamble(setting, identities, ke1, ke2[:256])
    km2, km3, session, _ = _schedule(ikm, preamble)
    require(hmac.compare_digest(hmac512(km2, sha512(preamble)), server_mac), "server-mac")
    return hmac512(km3, sha512(preamble + server_mac)), session, export


def finish_login(expected, ke3):
    require(len(ke3) == 64, "length")
    require(hmac.compare_digest(expected, ke3), "client-mac")


# What the KF1 server answers for a name that it does not know.


def fake_record(oprf_seed, credential_id):
    """Constant for each name; an envelope of zeros never opens."""
    seed = hmac512(oprf_seed, b"KF1-fake-key", credential_id)[:32]
    masking = hmac512(oprf_seed, b"KF1-fake-mask", credential_id)
    return derive_dh_key_pair(seed)[1] + masking + bytes(96)


def fake_uid(oprf_seed, credential_id):
    return hmac512(oprf_seed, b"KF1-fake-uid", credential_id)[:16]
