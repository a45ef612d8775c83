# SPDX-License-Identifier: Apache-2.0
"""Makes a blob whose bare AEAD opens under two keys (attack A6): why the commitment is there.

XChaCha20-Poly1305 does not commit to its key. With both keys known, one 16-byte block of the
ciphertext is enough to make the two tags equal (Len, Grubbs, Ristenpart 2021).
"""

import blob as b
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms
from primitives import hchacha20

P = 2**130 - 5


def _one_time_key(key, nonce24):
    """Poly1305's r and s for an XChaCha20-Poly1305 key and nonce."""
    counter_and_nonce = bytes(4) + bytes(4) + nonce24[16:]
    chacha = Cipher(algorithms.ChaCha20(hchacha20(key, nonce24[:16]), counter_and_nonce), None)
    block = chacha.encryptor().update(bytes(32))
    clamp = 0x0FFFFFFC0FFFFFFC0FFFFFFC0FFFFFFF
    return int.from_bytes(block[:16], "little") & clamp, int.from_bytes(block[16:], "little")


def _blocks(aad, ciphertext):
    def padded(data):
        return data + bytes(-len(data) % 16)

    lengths = len(aad).to_bytes(8, "little") + len(ciphertext).to_bytes(8, "little")
    data = padded(aad) + padded(ciphertext) + lengths
    return [int.from_bytes(data[i : i + 16], "little") + 2**128 for i in range(0, len(data), 16)]


def _poly(blocks, r):
    total = 0
    for block in blocks:
        total = (total + block) * r % P
    return total


def two_key_blob(key_a, key_b, kind, epoch, revision, uid, object_id, salt, filler):
    """A valid blob under `key_a` whose ciphertext and tag `key_b`'s AEAD key accepts as well.

    `filler` (508 bytes) is the plaintext but for one solved block and a counter byte.
    """
    head20 = b.header(kind, epoch, revision)
    commitment, key1, nonce1 = b.derive(key_a, salt, head20, uid, object_id)
    _, key2, nonce2 = b.derive(key_b, salt, head20, uid, object_id)
    (r1, s1), (r2, s2) = _one_time_key(key1, nonce1), _one_time_key(key2, nonce2)
    front = head20 + salt + commitment
    aad = front + uid + object_id
    at = 256  # the solved block's offset in the ciphertext
    for attempt in range(256):
        padded = b.pad(bytes([attempt]) + filler[1:])
        ciphertext = b.aead_seal(key1, nonce1, padded, aad)[:-16]
        blocks = _blocks(aad, ciphertext)
        index = (len(aad) + 15) // 16 + at // 16
        blocks[index] = 0
        power = len(blocks) - index
        slope = pow(pow(r1, power, P) - pow(r2, power, P), -1, P)
        for carry in range(-4, 5):
            gap = _poly(blocks, r2) - _poly(blocks, r1) + s2 - s1 + carry * 2**128
            solved = gap * slope % P
            if not 2**128 <= solved < 2**129:
                continue
            blocks[index] = solved
            tag1 = (_poly(blocks, r1) + s1) % 2**128
            if tag1 == (_poly(blocks, r2) + s2) % 2**128:
                block = (solved - 2**128).to_bytes(16, "little")
                body = ciphertext[:at] + block + ciphertext[at + 16 :]
                return front + body + tag1.to_bytes(16, "little")
            blocks[index] = 0
    raise AssertionError("no solution in 256 attempts")
