# SPDX-License-Identifier: Apache-2.0
"""Tests of the second implementation: run with `python3 -m pytest keyflow/model`."""

import json
import pathlib
import subprocess
import sys

import pytest

import account
import blob as b
import chain
import export
import forms
import keyflow
import payload
import primitives as p
import schema
import vectors
import vectors_blob
import vectors_export
from vectors import Stream, flip, reason, unhex

HERE = pathlib.Path(__file__).resolve().parent
UID, RID, KEY, SALT = (Stream("tests").bytes(n, s) for n, s in
                       (("uid", 16), ("rid", 16), ("key", 32), ("salt", 32)))  # fmt: skip


def cases(name):
    return json.loads((vectors.FOLDER / f"{name}.json").read_text("utf-8"))["cases"]


# The vectors on the disk.


def test_check_notices_every_kind_of_difference(monkeypatch):
    """That the disk holds what the model makes is `keyflow.py check`, which takes longer."""
    made = {
        path.name: path.read_text("utf-8")
        for path in vectors.FOLDER.glob("*.json") if path.name != "schema.json"
    }  # fmt: skip

    def faults(**changes):
        changed = {name.replace("_", "-") + ".json": text for name, text in changes.items()}
        monkeypatch.setattr(keyflow, "documents", lambda: {**made, **changed})
        return keyflow.faults()

    assert faults() == []
    assert faults(root=made["root.json"] + " ") == ["root.json: differs from what the model makes"]
    assert faults(new="{}") == ["new.json: differs from what the model makes"]
    other_blob = made["blob.json"].replace('"salt": "54', '"salt": "55')
    with pytest.raises(AssertionError):
        faults(blob=other_blob)
    made.pop("root.json")
    assert faults() == ["root.json: nothing makes this file"]


def test_a_case_that_breaks_the_schema_is_noticed(tmp_path, monkeypatch):
    (tmp_path / "rfc").mkdir()
    (tmp_path / "schema.json").write_text(
        (vectors.FOLDER / "schema.json").read_text("utf-8"), "utf-8"
    )
    good = {"subject": "x", "source": "s", "about": "a", "cases": [{"name": "n", "key": "00ff"}]}
    monkeypatch.setattr(schema, "FOLDER", tmp_path)

    def faults(**changes):
        (tmp_path / "x.json").write_text(json.dumps({**good, **changes}), "utf-8")
        return schema.faults()

    assert faults() == []
    for wrong in (
        {"cases": []}, {"subject": "y"}, {"extra": 1}, {"cases": [{"key": "00"}]},
        {"cases": [{"name": "n", "key": "0F"}]}, {"cases": [{"name": "n", "key": "0"}]},
        {"cases": [{"name": "n", "n": -1}]}, {"cases": [{"name": "n"}, {"name": "n"}]},
        {"cases": [{"name": "n", "n": None}]},
    ):  # fmt: skip
        assert faults(**wrong) != [], wrong


@pytest.mark.parametrize("case", cases("blob"), ids=lambda case: case["name"])
def test_blob_cases_read_from_the_disk(case):
    key, uid, oid, sealed = unhex(case, "key", "uid", "oid", "blob")
    sealed += bytes(case.get("zeros", 0))
    arguments = {case["epoch"]: key}, sealed, case["kind"], uid, oid, case["revision"]
    assert reason(b.open_blob, *arguments) == case.get("error")


# Blob.


def test_padding_is_a_bucket_and_costs_at_most_12_percent():
    for length in range(0, 70_000, 7):
        padded = b.padded_length(length)
        assert padded >= length + 4
        assert b.padded_length(padded - 4) == padded
        if length > 4096:
            assert padded <= 1.12 * (length + 4)
    assert b.blob_length(b.MAX_PLAINTEXT) == b.MAX_BLOB


def test_every_altered_byte_and_every_truncation_is_refused():
    sealed = b.seal(KEY, b.RECORD, 1, 1, UID, RID, SALT, b"text")
    for offset in range(len(sealed)):
        arguments = {1: KEY}, flip(sealed, offset), b.RECORD, UID, RID, 1
        assert reason(b.open_blob, *arguments) is not None, offset
        assert reason(b.open_blob, {1: KEY}, sealed[:offset], b.RECORD, UID, RID, 1) == "length"


def test_a_blob_opens_in_its_own_place_only():
    other = Stream("other")
    places = [
        (kind, epoch, revision, uid, oid)
        for kind in (b.RECORD, b.EXPORT_RECORD)
        for epoch in (1, 2)
        for revision in (1, 2)
        for uid in (UID, other.bytes("uid", 16))
        for oid in (RID, other.bytes("rid", 16))
    ]
    for place in places:
        sealed = b.seal(KEY, *place, SALT, b"text")
        for kind, epoch, revision, uid, oid in places:
            wrong = reason(b.open_blob, {epoch: KEY}, sealed, kind, uid, oid, revision)
            assert (wrong is None) == ((kind, epoch, revision, uid, oid) == place)


def test_the_commitment_decides_where_the_bare_aead_opens_under_two_keys():
    honest, other = vectors_blob.two_keys().cases
    assert honest["barePlaintext"] != other["barePlaintext"]
    assert (honest.get("error"), other.get("error")) == (None, "commitment")


# Head chain.


def test_the_path_is_a_shortest_one():
    for first in (1, 2, 3, 4, 5, 15, 16, 17, 63, 64, 65, 100, 255, 256, 257):
        distance = {first: 0}
        for seq in range(first + 1, 1200):
            near = [distance[t] for t in chain.link_targets(seq) if t >= first]
            distance[seq] = 1 + min(near)
            assert len(chain.path(first, seq)) - 1 == distance[seq]


def test_skip_links_name_the_newest_multiples():
    head = forms.Head(1, 1, bytes(32), bytes(32), 0, 1, UID, 0, [bytes(32)] * 12)
    for seq in range(1, 300):
        following = forms.skips_after(head, p.u32(seq).ljust(32, b"\0"))
        for k in range(1, 13):
            newest = seq // 4**k * 4**k
            named = p.u32(newest).ljust(32, b"\0") if newest else bytes(32)
            assert following[k - 1] == named
        head = forms.Head(1, seq + 1, bytes(32), bytes(32), 0, 1, UID, 0, following)


# Typed secrets.


def test_every_single_slip_in_a_kit_is_noticed():
    text = account.encode_kit(Stream("kit").bytes("code", 20)).replace("-", "")
    for i, right in enumerate(text):
        for wrong in forms.ALPHABET.replace(right, ""):
            assert reason(account.decode_kit, text[:i] + wrong + text[i + 1 :]) == "check"


def test_passwords_differ_in_every_position():
    base = b"x" * 1024
    inputs = {account.password_input(b"v", b"abc", base[:i] + b"y" + base[i + 1 :])
              for i in range(1024)}  # fmt: skip
    assert len(inputs) == 1024


def test_length_prefixes_keep_fields_apart():
    made = account.password_input
    assert made(b"ab", b"cde", b"f") != made(b"a", b"bcde", b"f")
    assert made(b"v", b"abc", b"pw", b"code") != made(b"v", b"abc", b"pwcode")


# Export and rescue.


@pytest.fixture(scope="module")
def container():
    case = vectors_export.container().cases[0]
    return bytes.fromhex(case["container"]), case["records"]


def rescue(tmp_path, data, passphrase, *options):
    (tmp_path / "export").write_bytes(data)
    (tmp_path / "passphrase").write_bytes(passphrase + b"\r\nsecond line")
    return subprocess.run(
        [sys.executable, HERE / "keyflow.py", "rescue", tmp_path / "export", "--passphrase-file",
         tmp_path / "passphrase", *options], capture_output=True, text=True,
    )  # fmt: skip


def test_rescue_opens_a_container_to_json(tmp_path, container):
    done = rescue(tmp_path, container[0], vectors_export.PASSPHRASE)
    result = json.loads(done.stdout)
    assert done.returncode == 0 and result["complete"]
    assert [r["payload"] for r in result["records"]] == [r["payload"] for r in container[1]]


def test_rescue_names_a_wrong_passphrase(tmp_path, container):
    done = rescue(tmp_path, container[0], b"wrong")
    assert done.returncode == 1 and done.stdout == "" and "does not open" in done.stderr


def test_rescue_refuses_damage_and_salvages_the_rest(tmp_path, container):
    uid, slots, entries, head = export.parse(container[0])
    entries[1] = (entries[1][0], flip(entries[1][1], -1))
    damaged = export.encode(uid, slots, entries, head)
    assert rescue(tmp_path, damaged, vectors_export.PASSPHRASE).returncode == 1
    done = rescue(tmp_path, damaged, vectors_export.PASSPHRASE, "--salvage")
    result = json.loads(done.stdout)
    assert done.returncode == 0 and len(result["records"]) == 2 and not result["complete"]
    assert f"lost: record {entries[1][0].hex()}: aead" in done.stderr


def test_salvage_takes_what_stands_before_a_cut(tmp_path, container):
    cut = container[0][: -612 - 4 - 700]
    done = rescue(tmp_path, cut, vectors_export.PASSPHRASE, "--salvage")
    assert len(json.loads(done.stdout)["records"]) == 1


PROTO = """
message Record {  // comment = 9;
  uint32 kind = 1;
  bytes content = 2;
  sint64 updated_at = 3;
  repeated bytes parents = 5;
}
message Entry { optional sint64 created_at = 1; string title = 2; repeated string tags = 4; }
message AudioPreferences {
  message Level { double value = 1; sint64 written_at = 2; }
  Level volume = 3;
}
"""


def test_payloads_are_shown_by_name():
    entry = b"\x08\x03\x12\x05title\x22\x01a\x22\x01b\x78\x07"
    record = b"\x08\x01\x12" + p.u8(len(entry)) + entry + b"\x18\x04\x2a\x02\xff\xfe"
    shown = payload.describe(record, payload.parse_schema(PROTO))
    assert shown["kind"] == "Entry"
    assert shown["record"] == {
        "kind": 1,
        "content": {"created_at": -2, "title": "title", "tags": ["a", "b"], "field 15": [7]},
        "updated_at": 2,
        "parents": ["fffe"],
    }


def test_nested_messages_are_shown_by_name():
    level = b"\x09" + bytes(6) + b"\xe0\x3f\x10\x04"
    volume = b"\x1a" + p.u8(len(level)) + level
    record = b"\x08\x02\x12" + p.u8(len(volume)) + volume
    shown = payload.describe(record, payload.parse_schema(PROTO))
    assert shown["record"]["content"] == {"volume": {"value": 0.5, "written_at": 2}}


def test_payloads_are_shown_by_number_without_a_schema():
    shown = payload.describe(b"\x08\x96\x01\x12\x05title", {})
    assert shown["fields"] == [
        {"field": 1, "value": 150}, {"field": 2, "value": b"title".hex()},
    ]  # fmt: skip
    assert payload.describe(b"\xff", {})["fields"] is None


def test_a_payload_that_does_not_fit_its_schema_is_still_given():
    shown = payload.describe(b"\x0a\x01x", payload.parse_schema(PROTO))
    assert shown == {"payload": "0a0178", "fields": None}
