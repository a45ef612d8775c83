# SPDX-License-Identifier: Apache-2.0
"""Checks vector files against keyflow/vectors/schema.json, with the few JSON Schema words it uses."""

import json
import re

from vectors import FOLDER

TYPES = {
    "object": dict, "array": list, "string": str, "integer": int, "boolean": bool,
}  # fmt: skip


def _is(value, name):
    return isinstance(value, TYPES[name]) and not (name == "integer" and isinstance(value, bool))


def _faults(schema, value, root, at):
    if "$ref" in schema:
        schema = root["$defs"][schema["$ref"].removeprefix("#/$defs/")]
    if "anyOf" in schema:
        tries = [list(_faults(option, value, root, at)) for option in schema["anyOf"]]
        if all(tries):
            yield f"{at}: none of the allowed forms"
        return
    if "type" in schema and not _is(value, schema["type"]):
        yield f"{at}: not {schema['type']}"
        return
    if isinstance(value, str) and not re.search(schema.get("pattern", ""), value):
        yield f"{at}: does not match {schema['pattern']}"
    if _is(value, "integer") and not schema.get("minimum", value) <= value <= schema.get(
        "maximum", value
    ):
        yield f"{at}: out of range"
    if isinstance(value, dict):
        yield from (f"{at}: lacks {key}" for key in schema.get("required", []) if key not in value)
        for key, item in value.items():
            rule = schema.get("properties", {}).get(key, schema.get("additionalProperties", {}))
            if rule is False:
                yield f"{at}: has {key}"
                continue
            yield from _faults(rule, item, root, f"{at}.{key}")
    if isinstance(value, list):
        if len(value) < schema.get("minItems", 0):
            yield f"{at}: too few"
        for index, item in enumerate(value):
            yield from _faults(schema.get("items", {}), item, root, f"{at}[{index}]")


def faults():
    """Every place where a file on disk breaks the schema, and every name used twice."""
    schema = json.loads((FOLDER / "schema.json").read_text("utf-8"))
    found = []
    for path in sorted([*FOLDER.glob("*.json"), *FOLDER.glob("rfc/*.json")]):
        if path.name == "schema.json":
            continue
        document = json.loads(path.read_text("utf-8"))
        found += _faults(schema, document, schema, path.name)
        names = [case.get("name") for case in document.get("cases", [])]
        found += [f"{path.name}: {name} twice" for name in set(names) if names.count(name) > 1]
        if document.get("subject") != path.stem:
            found.append(f"{path.name}: subject is {document.get('subject')}")
    return found
