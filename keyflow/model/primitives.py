# SPDX-License-Identifier: Apache-2.0
"""Primitives of KF1: SHA-512, HMAC, HKDF, XChaCha20-Poly1305, Argon2id, Ed25519.

None of it is libsodium: hashlib and hmac are CPython's, ChaCha20-Poly1305, Argon2id and Ed25519
are OpenSSL's (through `cryptography`), HChaCha20 is written out below.
"""

import functools
import hashlib
import hmac
import struct

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id


class Refused(Exception):
    """A form was refused; `reason` is the error's name in the vectors."""

    def __init__(self, reason):
        super().__init__(reason)
        self.reason = reason


def require(condition, reason):
    """Refuses with `reason` unless `condition` holds."""
    if not condition:
        raise Refused(reason)


# Notation: big-endian numbers and length-prefixed bytes.


def u8(n):
    return struct.pack(">B", n)


def u16(n):
    return struct.pack(">H", n)


def u32(n):
    return struct.pack(">I", n)


def u64(n):
    return struct.pack(">Q", n)


def lp16(data):
    return u16(len(data)) + data


def lp32(data):
    return u32(len(data)) + data


# Hashes and key derivation.


def sha512(*parts):
    return hashlib.sha512(b"".join(parts)).digest()


def hash32(*parts):
    """SHA-512, first 32 bytes."""
    return sha512(*parts)[:32]


def hmac512(key, *parts):
    return hmac.new(key, b"".join(parts), hashlib.sha512).digest()


def hkdf_extract(salt, ikm):
    return hmac512(salt or bytes(64), ikm)


def hkdf_expand(prk, info, length):
    require(length <= 255 * 64, "length")
    okm, block, counter = b"", b"", 1
    while len(okm) < length:
        block = hmac512(prk, block, info, u8(counter))
        okm += block
        counter += 1
    return okm[:length]


def hkdf(salt, ikm, info, length):
    return hkdf_expand(hkdf_extract(salt, ikm), info, length)


LABELS = (
    "seal",
    "slot-password",
    "slot-recovery",
    "slot-local",
    "slot-export",
    "recovery-auth",
    "session-token",
    "key-id",
)


def info(label, context):
    """Info(label, ctx) = "KF1" || u8 len(label) || label || u16 len(ctx) || ctx."""
    assert label in LABELS
    return b"KF1" + u8(len(label)) + label.encode() + lp16(context)


def kdf(salt, ikm, label, context, length):
    return hkdf(salt, ikm, info(label, context), length)


# XChaCha20-Poly1305.


def _quarter(s, a, b, c, d):
    for x, y, z, r in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
        s[x] = (s[x] + s[y]) & 0xFFFFFFFF
        v = s[z] ^ s[x]
        s[z] = ((v << r) | (v >> (32 - r))) & 0xFFFFFFFF


def hchacha20(key, nonce16):
    """HChaCha20 of draft-irtf-cfrg-xchacha-03, section 2.2."""
    s = list(struct.unpack("<16I", b"expand 32-byte k" + key + nonce16))
    for _ in range(10):
        for q in ((0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15)):
            _quarter(s, *q)
        for q in ((0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14)):
            _quarter(s, *q)
    return struct.pack("<8I", *(s[:4] + s[12:]))


def _xchacha(key, nonce24):
    return ChaCha20Poly1305(hchacha20(key, nonce24[:16])), bytes(4) + nonce24[16:]


def aead_seal(key, nonce24, plaintext, aad):
    cipher, nonce = _xchacha(key, nonce24)
    return cipher.encrypt(nonce, plaintext, aad)


def aead_open(key, nonce24, ciphertext, aad):
    cipher, nonce = _xchacha(key, nonce24)
    try:
        return cipher.decrypt(nonce, ciphertext, aad)
    except InvalidTag:
        raise Refused("aead") from None


# Argon2id, by profile id only: (KiB, passes). One lane, version 0x13, 64 bytes out.

PROFILES = {1: (65_536, 3), 2: (262_144, 3), 3: (1_048_576, 4)}


def argon2id(password, salt16, memory_kib, passes, length):
    return Argon2id(
        salt=salt16, length=length, iterations=passes, lanes=1, memory_cost=memory_kib
    ).derive(password)


@functools.cache
def stretch(password, salt16, profile):
    """Cached, since the vectors ask for the same few results again and again."""
    require(profile in PROFILES, "profile")
    assert len(salt16) == 16
    return argon2id(password, salt16, *PROFILES[profile], 64)


# Ed25519 (RFC 8032, pure).


def ed25519_public(seed):
    key = Ed25519PrivateKey.from_private_bytes(seed).public_key()
    return key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)


def ed25519_sign(seed, message):
    return Ed25519PrivateKey.from_private_bytes(seed).sign(message)


def ed25519_verify(public, message, signature):
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        raise Refused("signature") from None
