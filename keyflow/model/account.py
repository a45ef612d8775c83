# SPDX-License-Identifier: Apache-2.0
"""What people type and what proves an account: password input, kit, proofs, token, receipt."""

import re
import unicodedata

from forms import ALPHABET, Reader, crockford, grouped
from primitives import (
    ed25519_sign, ed25519_verify, hash32, kdf, lp16, require, sha512, u8, u32, u64,
)  # fmt: skip

# RFC 8265's "non-ASCII spaces": general category Zs but for U+0020. A fixed list, so that
# the answer cannot move with a Unicode version.
SPACES = {
    *range(0x2000, 0x200B), 0x00A0, 0x1680, 0x202F, 0x205F, 0x3000,
}  # fmt: skip
MAX_PASSWORD = 1024


def opaque_string(raw):
    """OpaqueString: UTF-8 in, spaces mapped, NFC, UTF-8 out, 1 to 1,024 bytes."""
    try:
        text = raw.decode("utf-8", "strict")
    except UnicodeDecodeError:
        require(False, "encoding")
    text = "".join(" " if ord(c) in SPACES else c for c in text)
    out = unicodedata.normalize("NFC", text).encode()
    require(1 <= len(out) <= MAX_PASSWORD, "length")
    return out


def check_name(name):
    require(re.fullmatch(rb"[a-z0-9._-]{3,64}", name), "name")
    return name


def check_server(name):
    require(re.fullmatch(rb"[a-z0-9._:-]{1,255}", name), "server")
    return name


def password_input(server, name, password, account_code=b""):
    """The bytes that OPAQUE and the local slot stretch."""
    return (
        b"KF1-PW" + lp16(check_server(server)) + lp16(check_name(name))
        + lp16(opaque_string(password)) + lp16(account_code)
    )  # fmt: skip


def passphrase_input(passphrase):
    """The bytes that an export's slot stretches."""
    return b"KF1-XP" + lp16(opaque_string(passphrase))


def credential_identifier(name):
    return hash32(b"KF1-cid", lp16(check_name(name)))


def decode_crockford(text):
    """Characters of Crockford's base32 to their canonical form: O is 0, I and L are 1."""
    canonical = re.sub(r"[ \t\r\n-]", "", text).upper()
    canonical = canonical.translate(str.maketrans("OIL", "011"))
    require(all(c in ALPHABET for c in canonical), "alphabet")
    return canonical


def canonical_account_code(text):
    """An account code is 25 characters, 125 bits; its ASCII characters are what is stretched."""
    canonical = decode_crockford(text)
    require(len(canonical) == 25, "length")
    return canonical.encode()


# Recovery kit and recovery key.


def kit_check(code):
    return crockford(sha512(b"KF1-kit", code), 4)


def encode_kit(code):
    """32 characters of the code and 4 of check, in nine groups of four."""
    return grouped(crockford(code, 32) + kit_check(code), 4)


def decode_kit(text):
    canonical = decode_crockford(text)
    require(len(canonical) == 36, "length")
    value = 0
    for c in canonical[:32]:
        value = value << 5 | ALPHABET.index(c)
    code = value.to_bytes(20, "big")
    require(kit_check(code) == canonical[32:], "check")
    return code


def recovery_seed(uid, code):
    """The Ed25519 seed whose public key the server keeps."""
    return kdf(uid, code, "recovery-auth", b"", 32)


def proof_message(action, server, uid, nonce, *rest):
    return b"KF1-recovery" + lp16(action) + lp16(server) + uid + nonce + b"".join(rest)


def open_message(server, uid, nonce, element):
    return proof_message(b"open", server, uid, nonce, sha512(element))


def replace_message(server, uid, nonce2, keyring_etag, request_hash):
    return proof_message(b"replace", server, uid, nonce2, keyring_etag, request_hash)


def delete_message(server, uid, nonce2, generation, seq, certificate_hash):
    return proof_message(
        b"delete", server, uid, nonce2, u32(generation), u64(seq), certificate_hash
    )


# Session token.


def session_token(session_key, session_id):
    return kdf(b"", session_key, "session-token", u64(session_id), 32)


def token_hash(token):
    return hash32(token)


# Deletion receipt.

# Current records, older revisions kept beside them, commits, keyring rows, sessions reduced to
# fetching the certificate, bytes of all blobs.
COUNTS = ("records", "revisions", "commits", "keyrings", "sessions", "bytes")


def receipt_message(server, uid, generation, last_seq, account, counts, time, certificate_hash):
    """What the receipt key signs; `account`: whether the account went too."""
    return (
        b"KF1-receipt" + lp16(server) + uid + u32(generation) + u64(last_seq)
        + u8(1 if account else 0) + b"".join(u64(counts[name]) for name in COUNTS)
        + u64(time) + certificate_hash
    )  # fmt: skip


def make_receipt(seed, message):
    return message + ed25519_sign(seed, message)


def read_receipt(public, receipt, server, uid, generation, last_seq, certificate_hash):
    """Verifies a receipt and that it speaks of this deletion; gives its counts and time."""
    require(len(receipt) == 11 + 2 + len(server) + 16 + 4 + 8 + 1 + 48 + 8 + 32 + 64, "length")
    message, signature = receipt[:-64], receipt[-64:]
    ed25519_verify(public, message, signature)
    r = Reader(message)
    require(r.take(11) == b"KF1-receipt", "label")
    require(r.take(r.number(2)) == server, "server")
    require(r.take(16) == uid, "uid")
    require(r.number(4) == generation, "generation")
    require(r.number(8) == last_seq, "seq")
    account = r.number(1)
    require(account <= 1, "account")
    counts = {name: r.number(8) for name in COUNTS}
    time = r.number(8)
    require(r.take(32) == certificate_hash, "certificate")
    r.end()
    return counts, time, account == 1
