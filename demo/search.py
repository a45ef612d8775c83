# SPDX-License-Identifier: Apache-2.0
"""Looks for words in bytes, in every dress that a careless program would put them in."""

import base64
import json


def dresses(word):
    """The forms of `word` to look for, each with its name."""
    raw = word.encode()
    forms = {
        "UTF-8": raw,
        "UTF-16 LE": word.encode("utf-16-le"),
        "UTF-16 BE": word.encode("utf-16-be"),
        "hex": raw.hex().encode(),
        "HEX": raw.hex().upper().encode(),
        "reversed": raw[::-1],
        "percent": "".join(f"%{byte:02X}" for byte in raw).encode(),
        "JSON escapes": json.dumps(word)[1:-1].encode(),
    }
    # base64 of a text that holds the word at any of the three alignments: the characters that the
    # word alone decides.
    for shift in range(3):
        whole = base64.b64encode(b"\0" * shift + raw + b"\0\0")
        first = -(-shift * 8 // 6)
        last = (shift + len(raw)) * 8 // 6
        for name, text in (("base64", whole), ("base64url", whole.translate(URL_SAFE))):
            forms[f"{name}+{shift}"] = text[first:last]
    return {name: form for name, form in forms.items() if len(form) >= 5}


URL_SAFE = bytes.maketrans(b"+/", b"-_")


def find(words, files):
    """Where any dress of any word stands in any of the files: (word, dress, file) each."""
    forms = [(word, name, form) for word in words for name, form in dresses(word).items()]
    found = []
    for path in files:
        data = path.read_bytes()
        # Case changes nothing for a word; hex and base64 are looked for as they are.
        lower = data.lower()
        for word, name, form in forms:
            if form in data or (name == "UTF-8" and form.lower() in lower):
                found.append((word, name, path.name))
    return found


def markers(entries, count=60):
    """Long, rare words of titles and texts, from the whole journal evenly."""
    seen = {}
    for entry in entries:
        for word in (entry.get("title", "") + " " + entry["content"]).split():
            word = word.strip(".,;:!?*_#|()[]\"'“”„‘’—…。、")
            if len(word.encode()) >= 8 and sum(map(str.isalpha, word)) >= 4:
                seen.setdefault(word, len(seen))
    words = sorted(seen, key=lambda word: (-len(word.encode()), seen[word]))
    step = max(1, len(words) // count)
    return words[::step][:count]
