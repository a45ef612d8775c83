# SPDX-License-Identifier: Apache-2.0
"""Vectors of what people type and of what proves an account."""

import account as a
import forms
import primitives as p
from vectors import NAME, SERVER, UID, Stream, Subject, flip


def subjects():
    return [
        opaque_string(), password_input(), argon2id(), account_code(), recovery_kit(),
        recovery_key(), recovery_proofs(), request_hash(), session_token(), receipt(),
    ]  # fmt: skip


def opaque_string():
    s = Subject(
        "opaque-string",
        "input and output are UTF-8 bytes: spaces mapped, NFC, 1 to 1,024 bytes.",
    )
    texts = {
        "ASCII": "correct horse battery staple",
        "case is kept": "Correct Horse",
        "spaces at both ends are kept": "  a b  ",
        "no-break space": "a\u00a0b",
        "ideographic space": "\u3000",
        "every non-ASCII space": "".join(map(chr, sorted(a.SPACES))),
        "zero width space is not a space": "a\u200bb",
        "mongolian vowel separator is not a space": "a\u180eb",
        "composed": "\u00e9",
        "decomposed": "e\u0301",
        "two marks out of order": "a\u0323\u0302 a\u0302\u0323",
        "angstrom sign": "\u212b",
        "conjoining jamo": "\u1112\u1161\u11ab",
        "ligature is kept": "\ufb01",
        "full width is kept": "\uff41",
        "composition exclusion": "\u0958",
        "emoji sequence": "\U0001f469\u200d\U0001f4bb",
        "an embedded zero is kept": "a\0b",
        "newline is kept": "a\n",
        "1,024 bytes": "x" * 1024,
        "1,025 bytes that become 1,024": "x" * 1022 + "e\u0301",
    }
    for name, text in texts.items():
        s.case(name, input=text.encode(), output=a.opaque_string(text.encode()))
    for name, error, raw in (
        ("nothing", "length", b""),
        ("1,025 bytes", "length", b"x" * 1025),
        ("1,023 bytes that become 1,026", "length", b"x" * 1020 + "\u0958".encode()),
        ("1,024 bytes that differ only past the limit", "length", b"x" * 1024 + b"y"),
        ("not UTF-8", "encoding", b"a\xff"),
        ("overlong", "encoding", b"\xc0\xaf"),
        ("a surrogate", "encoding", b"\xed\xa0\x80"),
        ("cut short", "encoding", "é".encode()[:1]),
    ):  # fmt: skip
        s.refused(name, error, lambda: a.opaque_string(raw), input=raw)
    return s


def password_input():
    s = Subject(
        "password-input",
        "passwordInput is what OPAQUE and the local slot stretch, credentialIdentifier the"
        " server's for this name, passphraseInput what an export would stretch.",
    )
    code = a.canonical_account_code("7k3mz-0oil1-abcde-fghjk-mnpqr")

    def fields(server, name, password, code):
        return dict(server=server, accountName=name, password=password, accountCode=code)

    for title, server, name, password, account_code in (
        ("plain", SERVER, NAME, b"correct horse battery staple", b""),
        ("with an account code", SERVER, NAME, b"correct horse battery staple", code),
        ("decomposed password", SERVER, NAME, "cafe\u0301".encode(), b""),
        ("shortest name and server", b"v", b"a-b", b"x", b""),
        ("every sign that names may have", b"my_vault-1.example:8484", b"s.a_m-1", b"x", b""),
        ("longest name and server", b"s" * 255, b"n" * 64, b"x" * 1024, b""),
    ):  # fmt: skip
        s.case(
            title, **fields(server, name, password, account_code),
            passwordInput=a.password_input(server, name, password, account_code),
            credentialIdentifier=a.credential_identifier(name),
            passphraseInput=a.passphrase_input(password),
        )  # fmt: skip
    for title, error, server, name in (
        ("a name of two", "name", SERVER, b"ab"), ("a name of 65", "name", SERVER, b"a" * 65),
        ("upper case", "name", SERVER, b"Samuel"), ("a space", "name", SERVER, b"sam uel"),
        ("a newline at the end", "name", SERVER, b"samuel\n"),
        ("not ASCII", "name", SERVER, "saméul".encode()),
        ("no server name", "server", b"", NAME), ("a server name of 256", "server", b"s" * 256, NAME),
        ("upper-case server name", "server", b"Vault.example", NAME),
        ("a slash in the server name", "server", b"vault/example", NAME),
        ("a space in the server name", "server", b"vault example", NAME),
        ("a newline at the server name's end", "server", b"vault.example\n", NAME),
    ):  # fmt: skip
        s.refused(
            title, error, lambda: a.password_input(server, name, b"pw"),
            **fields(server, name, b"pw", b""),
        )  # fmt: skip
    return s


def argon2id():
    s = Subject("argon2id", "Argon2id 0x13, one lane, 64 bytes out, by profile.")
    for profile, (memory, passes) in p.PROFILES.items():
        password, salt = s.stream.bytes(f"{profile} password", 40), bytes(16)
        if profile == 1:
            salt = s.stream.bytes("salt", 16)
        s.case(
            f"profile {profile}", profile=profile, memoryKiB=memory, passes=passes,
            password=password, salt=salt, output=p.stretch(password, salt, profile),
        )  # fmt: skip
    for profile in (0, 4, 255):
        s.refused(
            f"profile {profile}", "profile", lambda: p.stretch(b"x", bytes(16), profile),
            profile=profile, password=b"x", salt=bytes(16),
        )  # fmt: skip
    return s


def account_code():
    s = Subject("account-code", "text as typed; output is the 25 ASCII characters that count.")
    for name, text in (
        ("in groups", "7K3MZ-0011A-BCDEF-GHJKM-NPQRS"),
        ("lower case, look-alikes and spaces", " 7k3mz oOiLa bcdef ghjkm npqrs "),
    ):
        s.case(name, text=text, output=a.canonical_account_code(text))
    for name, error, text in (
        ("24 characters", "length", "7K3MZ0011ABCDEFGHJKMNPQR"),
        ("26 characters", "length", "7K3MZ0011ABCDEFGHJKMNPQRST"),
        ("U is no character", "alphabet", "7K3MZ-0011A-BCDEF-GHJKM-NPQRU"),
    ):
        s.refused(name, error, lambda: a.canonical_account_code(text), text=text)
    return s


def recovery_kit():
    s = Subject("recovery-kit", "code: 20 bytes; text: 32 characters and 4 of check, as shown.")
    for name, code in (
        ("a code", s.stream.bytes("code", 20)), ("zeros", bytes(20)), ("ones", b"\xff" * 20),
    ):  # fmt: skip
        assert a.decode_kit(a.encode_kit(code)) == code
        s.case(name, code=code, text=a.encode_kit(code))
    code = s.stream.bytes("code", 20)
    text = a.encode_kit(code)

    def typed(name, text):
        assert a.decode_kit(text) == code
        s.case(name, code=code, typed=text, text=a.encode_kit(code))

    typed("typed in lower case without hyphens", text.replace("-", "").lower())
    typed("typed with spaces and a line end", text.replace("-", " ") + "\n")
    zeros = a.encode_kit(bytes(20)).replace("0", "o")
    assert a.decode_kit(zeros) == bytes(20)
    s.case("typed with O for 0", code=bytes(20), typed=zeros, text=a.encode_kit(bytes(20)))
    other = "0" if text[0] != "0" else "1"
    swapped = text[1] + text[0] + text[2:]
    for name, error, wrong in (
        ("nothing", "length", ""), ("one character short", "length", text[:-1]),
        ("one character more", "length", text + "0"),
        ("a wrong character", "check", other + text[1:]),
        ("two neighbours exchanged", "check", swapped),
        ("a wrong check character", "check", text[:-1] + ("0" if text[-1] != "0" else "1")),
        ("U is no character", "alphabet", "U" + text[1:]),
        ("not ASCII", "alphabet", "é" + text[1:]),
    ):  # fmt: skip
        s.refused(name, error, lambda: a.decode_kit(wrong), typed=wrong)
    return s


CODE = Stream("common").bytes("recovery code", 20)


def recovery_key():
    s = Subject("recovery-key", "The Ed25519 seed from the recovery code, and its public key.")
    for name, uid, code in (
        ("an account", UID, CODE), ("the same code elsewhere", s.stream.bytes("uid", 16), CODE),
    ):  # fmt: skip
        seed = a.recovery_seed(uid, code)
        s.case(name, uid=uid, code=code, seed=seed, publicKey=p.ed25519_public(seed))
    return s


def recovery_proofs():
    s = Subject(
        "recovery-proofs",
        "message is what the recovery key signs for action; negative cases: signature over message"
        " is refused under publicKey.",
    )
    seed = a.recovery_seed(UID, CODE)
    public = p.ed25519_public(seed)
    nonce, nonce2 = s.stream.bytes("nonce", 32), s.stream.bytes("nonce2", 32)
    element, hash64 = s.stream.bytes("element", 32), s.stream.bytes("request hash", 64)
    etag, certificate = s.stream.bytes("etag", 32), s.stream.bytes("certificate", 32)
    front = dict(server=SERVER, uid=UID)
    made = {
        "open": (a.open_message(SERVER, UID, nonce, element), dict(nonce=nonce, element=element)),
        "replace": (
            a.replace_message(SERVER, UID, nonce2, etag, hash64),
            dict(nonce=nonce2, keyringEtag=etag, requestHash=hash64),
        ),
        "delete": (
            a.delete_message(SERVER, UID, nonce2, 2, 90, certificate),
            dict(nonce=nonce2, generation=2, seq=90, certificateHash=certificate),
        ),
    }
    for action, (message, fields) in made.items():
        signature = p.ed25519_sign(seed, message)
        p.ed25519_verify(public, message, signature)
        s.case(
            action, action=action, **front, **fields, seed=seed, publicKey=public, message=message,
            signature=signature,
        )  # fmt: skip
    message = made["open"][0]
    signature = p.ed25519_sign(seed, message)
    other_uid = a.open_message(SERVER, s.stream.bytes("uid", 16), nonce, element)
    for name, wrong in (
        ("for another action", made["delete"][0]), ("for another user", other_uid),
        ("for another server", a.open_message(b"other.example", UID, nonce, element)),
        ("for another nonce", a.open_message(SERVER, UID, nonce2, element)),
        ("for another element", a.open_message(SERVER, UID, nonce, s.stream.bytes("e2", 32))),
    ):  # fmt: skip
        s.refused(
            name, "signature", lambda: p.ed25519_verify(public, wrong, signature),
            publicKey=public, message=wrong, signature=signature,
        )  # fmt: skip
    return s


def request_hash():
    s = Subject("request-hash", "requestHash of PUT /v1/credentials; an absent part is empty.")
    sizes = dict(
        record=192, passwordSlot=612, recoverySlot=612, recoveryPublicKey=32, keyring=612, head=612
    )

    def add(name, absent):
        parts = {
            key: b"" if key in absent else s.stream.bytes(key, size) for key, size in sizes.items()
        }
        s.case(name, **parts, output=forms.request_hash(*parts.values()))

    add("everything", ())
    add("without a new kit", ("recoverySlot", "recoveryPublicKey"))
    return s


def session_token():
    s = Subject(
        "session-token", "token and the hash the server keeps, from the OPAQUE session key."
    )
    for name, session_id in (("first", 1), ("large", 2**62 + 5)):
        key = s.stream.bytes(f"{name} key", 64)
        token = a.session_token(key, session_id)
        s.case(
            name, sessionKey=key, sessionId=session_id, token=token, tokenHash=a.token_hash(token)
        )
    return s


def receipt():
    s = Subject(
        "receipt",
        "receipt = message || Ed25519 signature. Negative cases: read with publicKey for the"
        " expected server, uid, generation, lastSeq, certificateHash.",
    )
    seed = s.stream.bytes("seed", 32)
    public, certificate = p.ed25519_public(seed), s.stream.bytes("certificate", 32)
    numbers = (3415, 3600, 412, 1, 2, 12_345_678)
    counts, time = dict(zip(a.COUNTS, numbers)), 1_795_000_200_000
    expected = dict(server=SERVER, uid=UID, generation=2, lastSeq=90, certificateHash=certificate)

    def message(server=SERVER, uid=UID, generation=2, seq=90, account=False, cert=certificate):
        return a.receipt_message(server, uid, generation, seq, account, counts, time, cert)

    def read(receipt):
        return a.read_receipt(public, receipt, SERVER, UID, 2, 90, certificate)

    for name, gone in (("the vault", False), ("the account too", True)):
        signed = a.make_receipt(seed, message(account=gone))
        assert read(signed) == (counts, time, gone)
        s.case(
            name, seed=seed, publicKey=public, **expected, account=gone, **counts, time=time,
            message=message(account=gone), receipt=signed,
        )  # fmt: skip
    good = a.make_receipt(seed, message())
    other_key = a.make_receipt(s.stream.bytes("other seed", 32), message())
    bad_flag = message()[: -(32 + 8 + 48 + 1)] + b"\2" + message()[-(32 + 8 + 48) :]
    for name, error, wrong in (
        ("one byte short", "length", good[:-1]), ("one byte more", "length", good + b"\0"),
        ("a count altered", "signature", flip(good, -64 - 32 - 8 - 1)),
        ("the signature altered", "signature", flip(good, -1)),
        ("another receipt key", "signature", other_key),
        ("another label", "label", a.make_receipt(seed, b"KF1-recEipt" + message()[11:])),
        ("another server", "server", a.make_receipt(seed, message(server=b"vault.exbmple"))),
        ("another user", "uid", a.make_receipt(seed, message(uid=bytes(16)))),
        ("another generation", "generation", a.make_receipt(seed, message(generation=1))),
        ("another seq", "seq", a.make_receipt(seed, message(seq=91))),
        ("an account flag of 2", "account", a.make_receipt(seed, bad_flag)),
        ("another certificate", "certificate", a.make_receipt(seed, message(cert=bytes(32)))),
    ):  # fmt: skip
        s.refused(name, error, lambda: read(wrong), publicKey=public, **expected, receipt=wrong)
    return s
