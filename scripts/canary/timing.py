#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Whether vaultd's answer to the first step of a login tells if an account exists: by its bytes, or by the
time it takes. What is compared is interleaved in random order; the same numbers with a small delay added to one
side must be told apart, and so must a real difference.

    python3 scripts/canary/timing.py --bin FOLDER [--compare TimingCheck]

Exit status 0 only if every check held.
"""

import argparse
import math
import pathlib
import random
import secrets
import socket
import statistics
import subprocess
import sys
import tempfile
import time

import known
from known import Wire, opaque, ristretto
from report import Report

NAMES = 120  # of each kind; a name's rate limit allows ten tries
TRIES = 8
LIMIT = 4.5  # standard errors; one in 150,000 by chance
ROUNDS = 3


class Connection:
    """One kept connection, and the time from the last byte sent to the last byte received."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.addresses = 0

    def request(self, path, body):
        # An address of its own for each: behind a proxy of ours the limit of one address is not in the way.
        self.addresses += 1
        address = ".".join(str(self.addresses >> shift & 255) for shift in (24, 16, 8, 0))
        return (
            f"POST {path} HTTP/1.1\r\nHost: vault\r\nContent-Type: application/protobuf\r\nAccept: application/protobuf\r\n"
            f"X-Forwarded-For: {address}\r\nContent-Length: {len(body)}\r\n\r\n"
        ).encode() + body

    def send(self, path, body):
        """(seconds, status line, header lines, body)"""
        request = self.request(path, body)
        begun = time.perf_counter_ns()
        self.socket.sendall(request)
        data = b""
        while b"\r\n\r\n" not in data:
            data += self.socket.recv(1 << 16)
        head, body = data.split(b"\r\n\r\n", 1)
        lines = head.split(b"\r\n")
        fields = dict(line.lower().split(b": ", 1) for line in lines[1:])
        size = int(fields.get(b"content-length", 0))
        while len(body) < size:
            body += self.socket.recv(1 << 16)
        took = (time.perf_counter_ns() - begun) / 1e9
        return took, lines[0], lines[1:], body


def blob(kind, epoch=1, revision=1):
    """Bytes of a blob's form; what is in it is nothing to a server."""
    return known.blob.header(kind, epoch, revision) + secrets.token_bytes(592)


def register(connection, name):
    record = ristretto_point() + secrets.token_bytes(160)
    slots = Wire.encode([
        (1, blob(known.blob.SLOT)), (2, blob(known.blob.SLOT)), (3, known.primitives.ed25519_public(secrets.token_bytes(32))),
        (4, blob(known.blob.KEYRING)),
    ])  # fmt: skip
    commit = Wire.encode([(1, secrets.token_bytes(16)), (3, 1), (4, 1), (6, blob(known.blob.HEAD))])
    body = Wire.encode([
        (1, name.encode()), (2, secrets.token_bytes(16)), (3, record), (4, 2), (5, slots), (6, 1), (7, 1), (8, commit)])  # fmt: skip
    _, status, _, answer = connection.send("/v1/accounts", body)
    if b" 201" not in status:
        raise SystemExit(f"timing: error: no account was made: {status} {answer}")


def ristretto_point():
    return ristretto.encode(ristretto.multiply(known.scalar(), ristretto.BASE))


def measure(connection, kinds):
    """{kind: [seconds]}: all requests of all kinds, in random order."""
    plan = [(kind, request) for kind, requests in kinds.items() for request in requests]
    random.shuffle(plan)
    times = {kind: [] for kind in kinds}
    for kind, (path, body) in plan:
        took, status, _, _ = connection.send(path, body)
        if b" 200" in status:
            times[kind].append(took)
        elif b" 429" not in status:
            raise SystemExit(f"timing: error: {path}: {status}")
    # Names share the buckets of the rate limit by their hash, so that a few are refused.
    for kind, requests in kinds.items():
        if len(times[kind]) < len(requests) * 0.9:
            raise SystemExit(f"timing: error: only {len(times[kind])} of {len(requests)} {kind} were answered")
    return times


def welch(a, b):
    """|t| of two samples without their slowest fifth."""
    a, b = (sorted(values)[: len(values) * 4 // 5] for values in (a, b))
    error = math.sqrt(statistics.variance(a) / len(a) + statistics.variance(b) / len(b))
    return abs(statistics.mean(a) - statistics.mean(b)) / error


def mann_whitney(a, b):
    """|z| of the rank sum of two samples."""
    ranked = sorted([(value, 0) for value in a] + [(value, 1) for value in b])
    ranks = sum(rank for rank, (_, which) in enumerate(ranked, 1) if which == 0)
    n, m = len(a), len(b)
    return abs(ranks - n * (n + m + 1) / 2) / math.sqrt(n * m * (n + m + 1) / 12)


def apart(a, b):
    """How surely two samples differ: what both tests grant."""
    return min(welch(a, b), mann_whitney(a, b))


class Names:
    """Accounts that there are and accounts that there are not, asked for alike."""

    def __init__(self, report, connection, secrets_file):
        self.report = report
        self.connection = connection
        self.secrets_file = secrets_file
        _, self.ke1 = opaque.make_ke1(b"x", known.scalar(), secrets.token_bytes(32), secrets.token_bytes(32))

    def login(self, name):
        return "/v1/login", Wire.encode([(1, name.encode()), (2, self.ke1)])

    def recovery(self, name):
        return "/v1/recovery", Wire.encode([(1, name.encode())])

    def fresh(self, count):
        return [f"user-{secrets.token_hex(8)}" for _ in range(count)]

    def accounts(self, count):
        names = self.fresh(count)
        for name in names:
            register(self.connection, name)
        return names

    def bytes_alike(self):
        report = self.report
        report.begin("bytes of the answer to a login's first step")
        seen = {"known": [], "unknown": []}
        for kind, names in (("known", self.accounts(3)), ("unknown", self.fresh(3))):
            for name in names:
                seen[kind].append([self.connection.send(*self.login(name))[1:] for _ in range(3)])

        def shapes(kind):
            shape = set()
            for answers in seen[kind]:
                for status, headers, body in answers:
                    fields = {field: len(data) for field, data in Wire.decode(body).items()}
                    plain = tuple(line for line in headers if not line.lower().startswith((b"date:", b"x-request-id:")))
                    shape.add((status, plain, tuple(sorted(fields.items()))))
            return shape

        report.check("status, headers and sizes are the same for known and unknown names, always",
                     shapes("known") == shapes("unknown") and len(shapes("known")) == 1, shapes("known") ^ shapes("unknown"))  # fmt: skip
        for kind in seen:
            elements = [[Wire.decode(body)[1][:32] for _, _, body in answers] for answers in seen[kind]]
            report.check(f"the OPRF element of a name, {kind}, stays the same, and is another for another name",
                         all(len(set(of)) == 1 for of in elements) and len({of[0] for of in elements}) == len(elements))  # fmt: skip
            rest = [Wire.decode(body)[1][32:] for answers in seen[kind] for _, _, body in answers]
            report.check(f"the rest of an answer for a name, {kind}, never repeats", len(set(rest)) == len(rest))
        bad = self.connection.send("/v1/login", Wire.encode([(1, b"no such name, by its form"), (2, self.ke1)]))
        good = seen["known"][0][0]
        report.check("an answer of another kind is told apart (control)", (bad[1], len(bad[3])) != (good[0], len(good[2])), control=True)

    def fake_record(self):
        """With the server's secrets in hand: what is masked for an unknown name."""
        data = pathlib.Path(self.secrets_file).read_bytes()
        at = 6 + int.from_bytes(data[4:6], "big")
        seed = data[at : at + 64]
        name = self.fresh(1)[0].encode()
        record = opaque.fake_record(seed, known.account.credential_identifier(name))
        plain = []
        for _ in range(2):
            ke2 = Wire.decode(self.connection.send(*self.login(name.decode()))[3])[1]
            plain.append(opaque._xor(opaque._pad(record[32:96], ke2[32:64]), ke2[64:192])[32:])
        self.report.check("an unknown name's record is SPEC 4.3's, constant, with an envelope of zeros", plain == [bytes(96)] * 2)

    def time_alike(self, what, ask):
        report = self.report
        report.begin(f"time of the answer to a {what}'s first step")
        rounds = []
        for _ in range(ROUNDS):
            known_names, unknown_names = self.accounts(NAMES), self.fresh(NAMES)
            element = ristretto_point()
            kinds = {
                "known": [ask(name) for name in known_names for _ in range(TRIES)],
                "unknown": [ask(name) for name in unknown_names for _ in range(TRIES)],
                "other": [("/v1/registration", Wire.encode([(1, name.encode()), (2, element)])) for name in self.fresh(NAMES)],
            }  # fmt: skip
            times = measure(self.connection, kinds)
            sure = apart(times["known"], times["unknown"])
            rounds.append(sure)
            median = {kind: statistics.median(values) * 1e6 for kind, values in times.items()}
            report.note(
                f"medians of {len(times['known'])} and {len(times['unknown'])}: known {median['known']:.0f} us, unknown {median['unknown']:.0f} us; "
                f"apart by {sure:.1f} standard errors")
            other = apart(times["known"], times["other"])
            report.check(f"another request, {median['other']:.0f} us, is told apart (control, {other:.1f})", other > LIMIT, control=True)
            seen = next(step for step in range(1, 1000) if apart(times["known"], [t + step * 1e-6 for t in times["known"]]) > LIMIT)
            report.check(f"{seen} us more on one side would be told apart (control)", seen < median["known"] / 10, control=True)
        # A leak shows every time; a disturbance of the machine does not.
        report.check("known and unknown names are not told apart", not all(sure > LIMIT for sure in rounds), rounds)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", required=True, help="the folder of vaultd")
    parser.add_argument("--compare", help="the program TimingCheck")
    options = parser.parse_args()
    report = Report()
    with tempfile.TemporaryDirectory(prefix="timing-") as folder:
        server = subprocess.Popen(
            [pathlib.Path(options.bin) / "vaultd", "serve", "--data", folder, "--listen", "127.0.0.1:0", "--behind-proxy",
             "--log-level", "error"], stdout=subprocess.PIPE)  # fmt: skip
        try:
            port = int(server.stdout.readline().rsplit(b":", 1)[1])
            names = Names(report, Connection(port), pathlib.Path(folder, "server.secrets"))
            names.bytes_alike()
            names.fake_record()
            names.time_alike("login", names.login)
            names.time_alike("recovery", names.recovery)
        finally:
            server.terminate()
            server.wait()
    if options.compare:
        report.begin("comparisons of secrets")
        done = subprocess.run([options.compare], capture_output=True, text=True)
        print(done.stdout, end="")
        report.check("every comparison as it must be", done.returncode == 0, done.stderr)
    report.table()
    return 1 if report.failed else 0


if __name__ == "__main__":
    sys.exit(main())
