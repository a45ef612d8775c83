# SPDX-License-Identifier: Apache-2.0
"""SPEC.md against the rest of the repository: columns, claims, requests, labels, the record."""

import pathlib
import re

import payload
import primitives as p

ROOT = pathlib.Path(__file__).resolve().parents[2]
SPEC = (ROOT / "keyflow/SPEC.md").read_text("utf-8")


def section(number):
    """The text from a section's title to the next one's."""
    return re.search(rf"^## {number}\. .*?(?=^## |\Z)", SPEC, re.MULTILINE | re.DOTALL)[0]


def rows(text):
    """The cells of every row of every table, without titles and rules."""
    table = [line for line in text.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in table]


# Section 12.


def columns_of(sql):
    """{(table, column)} of a migration."""
    found = set()
    for table, body in re.findall(r"CREATE TABLE (\w+) \((.*?)^\)", sql, re.MULTILINE | re.DOTALL):
        body = re.sub(r"--[^\n]*", "", body)
        names = re.findall(r"^  ([a-z_]+) ", body, re.MULTILINE)
        found |= {(table, name) for name in names}
    return found


def learned():
    """{(table, column)} of section 12's first table."""
    return {
        (table, column)
        for table, columns, _ in (row for row in rows(section(12)) if len(row) == 3)
        if table != "table"
        for column in re.findall(
            r"\b[a-z]+(?:_[a-z]+)*\b", columns.replace("and the header of", "")
        )
    }


def test_every_column_of_the_migrations_is_in_what_the_server_learns_and_the_reverse():
    stored = set()
    for path in (ROOT / "migrations/server").glob("*.sql"):
        columns = columns_of(path.read_text("utf-8"))
        assert len(columns) > 50, path
        assert columns <= learned(), sorted(columns - learned())
        stored |= columns
    assert learned() <= stored, sorted(learned() - stored)


def test_a_column_that_nobody_wrote_down_is_noticed():
    sql = "CREATE TABLE records (\n  user_id BLOB,\n  title TEXT, -- in the clear\n  CHECK (true)\n);\n"
    assert columns_of(sql) - learned() == {("records", "title")}


# Section 18.


def test_every_claim_names_tests_and_models_that_exist():
    sources = [path.read_text("utf-8") for path in (ROOT / "Tests").rglob("*.swift")]
    named = set(re.findall(r"func `([^`]+)`", "\n".join(sources)))
    named |= set(re.findall(r'Fact\(\s*"([^"]+)"', "\n".join(sources)))
    named |= {path.stem for path in (ROOT / "keyflow/model").glob("*/*.p[vm]*")}
    claims = [row for row in rows(section(18)) if row[0] != "claim"]
    assert len(claims) > 20
    for claim, tests in claims:
        listed = re.findall(r"`([^`]+)`", tests)
        assert listed, claim
        assert set(listed) <= named, set(listed) - named


# Section 17.


def requests():
    """{(method, path)} of section 17's table."""
    found = set()
    for row in rows(section(17)):
        base = None
        for text in re.findall(r"`([^`]+)`", row[0]):
            method, _, path = text.rpartition(" ")
            if path.startswith("…"):
                method, path = "GET", base + path[1:]
            base = base or path
            found.add((method, path))
    return found


def test_every_request_of_the_contract_is_in_the_table():
    contract, path = set(), None
    for line in (ROOT / "docs/openapi.yaml").read_text("utf-8").splitlines():
        if re.match(r"  /v1\S*:$", line):
            path = line.strip()[:-1]
        elif re.match(r"  /|components:", line):
            path = None
        elif path and (method := re.fullmatch(r"    (get|put|post|delete):", line)):
            contract.add((method[1].upper(), path))
    assert len(contract) > 15
    assert contract == requests(), contract ^ requests()


def test_every_problem_of_the_contract_is_in_the_list():
    source = (ROOT / "Sources/VaultProtocol/Problem.swift").read_text("utf-8")
    codes = [
        written or re.sub(r"[A-Z]", lambda upper: "-" + upper[0].lower(), name)
        for name, written in re.findall(
            r"^  case (\w+)(?: = \"([a-z-]+)\")?$", source, re.MULTILINE
        )
    ]
    assert len(codes) > 15
    listed = re.findall(r"`([a-z-]+)`", section(17)[section(17).index("Problems (RFC 9457)") :])
    assert set(codes) <= set(listed), set(codes) - set(listed)


# Sections 3, 7.1 and 16.


def test_the_labels_are_those_of_the_model():
    table = {row[0].strip("`") for row in rows(section(3)) if row[0] != "label"}
    assert table == set(p.LABELS)


def test_no_prefix_begins_another():
    listed = re.findall(r"`(KF1-[A-Za-z0-9-]+)`", section(3))
    assert len(listed) > 12
    for one in listed:
        assert [other for other in listed if other.startswith(one)] == [one]
        assert ord(one[3]) > max(map(len, p.LABELS)), "it could be an Info"


def test_section_7_has_the_messages_of_payload_proto():
    messages = payload.schema()
    for message in ("Record", "Entry", "AudioPreferences", "RecentlyPlayed", "QueueState", "Switch",
                    "Level", "Play"):  # fmt: skip
        start = re.search(rf"(?:^|\d |  ){message} +(?:{{ )?(?=1 )", section(7), re.MULTILINE).end()
        listed = re.compile(
            r"\s*(\d+) (?:(optional|repeated) )?(\w+) (\w+)(?:,[a-z ]*,? at most 50)?"
        )
        found, at = {}, start
        while match := listed.match(section(7), at):
            number, label, kind, name = match.groups()
            if int(number) != len(found) + 1:
                break
            found[int(number)] = (name, kind, label == "repeated")
            at = match.end()
        assert found == messages[message], message
