# SPDX-License-Identifier: Apache-2.0
"""What is looked for: each secret in every dress that a careless program would put it in, whole or in part."""

import base64

URL_SAFE = bytes.maketrans(b"+/", b"-_")
PART = 16  # bytes that count as a find: half of a key, a few words of a text


class Needles:
    """Named secrets, each as the byte strings to look for."""

    def __init__(self):
        self.forms = {}  # bytes -> (secret, form)
        self.names = []

    def add_text(self, name, text):
        self.names.append(name)
        for form, data in text_forms(text).items():
            self.put(name, form, data)

    def add_key(self, name, key):
        self.names.append(name)
        for form, data in key_forms(key).items():
            self.put(name, form, data)

    def put(self, name, form, data):
        # A long form is looked for by its two ends: a part of it is a find too.
        if len(data) <= PART:
            self.forms.setdefault(data, (name, form))
        else:
            self.forms.setdefault(data[:PART], (name, f"{form}, first {PART}"))
            self.forms.setdefault(data[-PART:], (name, f"{form}, last {PART}"))

    def only(self, *names):
        """The same search for some of the secrets."""
        missing = set(names) - set(self.names)
        assert not missing, missing
        return self.filtered(lambda name: name in names)

    def without(self, *names):
        return self.filtered(lambda name: name not in names)

    def filtered(self, keep):
        some = Needles()
        some.names = [name for name in self.names if keep(name)]
        some.forms = {data: what for data, what in self.forms.items() if keep(what[0])}
        return some

    def find(self, data):
        """[(secret, form, offset)] of every occurrence in `data`."""
        found = []
        for needle, (name, form) in self.forms.items():
            at = data.find(needle)
            while at >= 0:
                found.append((name, form, at))
                at = data.find(needle, at + 1)
        return found


def base64_forms(raw):
    """Of each alignment the characters that `raw` alone decides, in both alphabets."""
    forms = {}
    for shift in range(3):
        whole = base64.b64encode(b"\0" * shift + raw + b"\0\0")
        first, last = -(-shift * 8 // 6), (shift + len(raw)) * 8 // 6
        forms[f"base64+{shift}"] = whole[first:last]
        forms[f"base64url+{shift}"] = whole.translate(URL_SAFE)[first:last]
    return forms


def hex_forms(raw):
    return {
        "hex": raw.hex().encode(),
        "HEX": raw.hex().upper().encode(),
        "percent": "".join(f"%{byte:02x}" for byte in raw).encode(),
        "PERCENT": "".join(f"%{byte:02X}" for byte in raw).encode(),
    }


def text_forms(text):
    raw = text.encode()
    return {
        "UTF-8": raw,
        "UTF-16LE": text.encode("utf-16-le"),
        "UTF-16BE": text.encode("utf-16-be"),
        "reversed": raw[::-1],
        **hex_forms(raw),
        **base64_forms(raw),
    }


def key_forms(key):
    return {
        "raw": key,
        "reversed": key[::-1],
        "words of 4 reversed": swapped(key, 4),
        "words of 8 reversed": swapped(key, 8),
        "hex in UTF-16": key.hex().encode("utf-16-le"),
        **hex_forms(key),
        **base64_forms(key),
    }


def swapped(key, size):
    """As a hash function keeps big-endian words on this machine."""
    return b"".join(key[at : at + size][::-1] for at in range(0, len(key), size))
