# SPDX-License-Identifier: Apache-2.0
"""ristretto255 (RFC 9496) and expand_message_xmd (RFC 9380), in plain integers.

Not constant time and slow (some milliseconds a multiplication): it is a reference, not a library
for secrets of living people.
"""

from primitives import require, sha512, u8, u16

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
SQRT_M1 = pow(2, (P - 1) // 4, P)


def _negative(x):
    return x % P & 1 == 1


def _abs(x):
    return -x % P if _negative(x) else x % P


def sqrt_ratio_m1(u, v):
    """(was u/v a square, its non-negative root or that of SQRT_M1 * u/v), RFC 9496 4.2."""
    r = u * pow(v, 3, P) * pow(u * pow(v, 7, P), (P - 5) // 8, P) % P
    check = v * r * r % P
    correct = check == u % P
    flipped = check == -u % P
    flipped_i = check == -u * SQRT_M1 % P
    if flipped or flipped_i:
        r = r * SQRT_M1 % P
    return correct or flipped, _abs(r)


INVSQRT_A_MINUS_D = sqrt_ratio_m1(1, (-1 - D) % P)[1]
# The root RFC 9496 writes down is the odd one.
SQRT_AD_MINUS_ONE = -sqrt_ratio_m1((-D - 1) % P, 1)[1] % P
ONE_MINUS_D_SQ = (1 - D * D) % P
D_MINUS_ONE_SQ = (D - 1) ** 2 % P

IDENTITY = (0, 1, 1, 0)


def decode(data):
    """A group element from 32 bytes; refuses what is not canonical, the identity included."""
    require(len(data) == 32, "length")
    s = int.from_bytes(data, "little")
    require(s < P and not _negative(s), "encoding")
    require(s != 0, "identity")
    ss = s * s % P
    u1, u2 = (1 - ss) % P, (1 + ss) % P
    u2_sqr = u2 * u2 % P
    v = (-(D * u1 * u1) - u2_sqr) % P
    square, invsqrt = sqrt_ratio_m1(1, v * u2_sqr % P)
    den_x = invsqrt * u2 % P
    den_y = invsqrt * den_x * v % P
    x = _abs(2 * s * den_x)
    y = u1 * den_y % P
    t = x * y % P
    require(square and not _negative(t) and y != 0, "encoding")
    return x, y, 1, t


def encode(point):
    x0, y0, z0, t0 = point
    u1, u2 = (z0 + y0) * (z0 - y0) % P, x0 * y0 % P
    _, invsqrt = sqrt_ratio_m1(1, u1 * u2 * u2 % P)
    den1, den2 = invsqrt * u1 % P, invsqrt * u2 % P
    z_inv = den1 * den2 * t0 % P
    if _negative(t0 * z_inv):
        x, y, den_inv = y0 * SQRT_M1 % P, x0 * SQRT_M1 % P, den1 * INVSQRT_A_MINUS_D % P
    else:
        x, y, den_inv = x0, y0, den2
    if _negative(x * z_inv):
        y = -y % P
    return _abs(den_inv * (z0 - y)).to_bytes(32, "little")


def add(p, q):
    """Unified addition on the twisted Edwards curve, extended coordinates."""
    a = (p[1] - p[0]) * (q[1] - q[0]) % P
    b = (p[1] + p[0]) * (q[1] + q[0]) % P
    c = 2 * p[3] * q[3] * D % P
    d = 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def multiply(scalar, point):
    result = IDENTITY
    for bit in bin(scalar % L)[2:]:
        result = add(result, result)
        if bit == "1":
            result = add(result, point)
    return result


_Y = 4 * pow(5, -1, P) % P
_X = _abs(sqrt_ratio_m1((_Y * _Y - 1) % P, (D * _Y * _Y + 1) % P)[1])
BASE = (_X, _Y, 1, _X * _Y % P)


def _map(t):
    """The MAP function of RFC 9496, section 4.3.4."""
    r = SQRT_M1 * t * t % P
    u = (r + 1) * ONE_MINUS_D_SQ % P
    v = (-1 - r * D) * (r + D) % P
    square, s = sqrt_ratio_m1(u, v)
    c = -1 % P
    if not square:
        s, c = -_abs(s * t) % P, r
    n = (c * (r - 1) * D_MINUS_ONE_SQ - v) % P
    w0, w1 = 2 * s * v % P, n * SQRT_AD_MINUS_ONE % P
    w2, w3 = (1 - s * s) % P, (1 + s * s) % P
    return w0 * w3 % P, w2 * w1 % P, w1 * w3 % P, w0 * w2 % P


def from_uniform(data):
    """One-way map from 64 uniform bytes."""
    require(len(data) == 64, "length")
    halves = [int.from_bytes(data[i : i + 32], "little") % 2**255 for i in (0, 32)]
    return add(_map(halves[0] % P), _map(halves[1] % P))


def decode_scalar(data):
    require(len(data) == 32, "length")
    value = int.from_bytes(data, "little")
    require(0 < value < L, "scalar")
    return value


def encode_scalar(value):
    return (value % L).to_bytes(32, "little")


def expand_message_xmd(message, dst, length):
    """RFC 9380, section 5.3.1, with SHA-512 (blocks of 128 bytes)."""
    assert len(dst) <= 255 and length <= 255 * 64
    suffix = dst + u8(len(dst))
    b0 = sha512(bytes(128), message, u16(length), b"\0", suffix)
    block = sha512(b0, b"\1", suffix)
    out = block
    for i in range(2, (length + 63) // 64 + 1):
        block = sha512(bytes(x ^ y for x, y in zip(b0, block)), u8(i), suffix)
        out += block
    return out[:length]
