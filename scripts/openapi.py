#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks docs/openapi.yaml: that it is valid, that its schemas are vault.proto's, that its paths and
methods are the server's. With --write, makes the schemas anew."""

import re
import sys
from pathlib import Path

import yaml
from openapi_spec_validator import validate

ROOT = Path(__file__).resolve().parent.parent
SPEC = ROOT / "docs/openapi.yaml"
PROTO = ROOT / "Sources/VaultProtocol/vault.proto"
MARK = "  # From here on made from vault.proto: scripts/openapi.py --write\n  schemas:\n"
# Protobuf's JSON mapping: 64-bit numbers are strings, bytes are base64.
SCALARS = {
    "string": "type: string",
    "bytes": "type: string, format: byte",
    "bool": "type: boolean",
    "uint32": "type: integer, format: uint32",
    "int64": "type: string, format: int64",
    "uint64": "type: string, format: uint64",
}


def parse(text):
    """The file's messages and enums, nested ones under their parent's name and their own."""
    messages, enums, order, stack = {}, {}, [], []
    for line in text.split("\n"):
        code, _, comment = line.partition("//")
        if opened := re.match(r"\s*(message|enum) (\w+) \{", code):
            name = "".join(name for _, name in stack) + opened[2]
            stack.append((opened[1], opened[2]))
            (messages if opened[1] == "message" else enums)[name] = []
            order.append(name)
        elif re.match(r"\s*\}", code) and stack:
            stack.pop()
        elif stack and stack[-1][0] == "enum":
            if value := re.match(r"\s*(\w+) = \d+;", code):
                enums["".join(name for _, name in stack)].append(value[1])
        elif stack and (field := re.match(r"\s*(repeated )?([\w.]+) (\w+) = \d+;", code)):
            full = "".join(name for _, name in stack)
            messages[full].append((bool(field[1]), field[2], field[3], comment.strip()))
    return messages, enums, order


def schemas():
    messages, enums, order = parse(PROTO.read_text())
    lines = []
    for name in order:
        lines.append(f"    {name}:")
        if name in enums:
            lines += ["      type: string", f"      enum: [{', '.join(enums[name])}]"]
            continue
        lines += ["      type: object", "      additionalProperties: false", "      properties:"]
        for repeated, kind, field, comment in messages[name]:
            flat = kind.replace(".", "")
            target = name + flat if name + flat in enums else flat
            text = SCALARS.get(kind, f"$ref: '#/components/schemas/{target}'")
            if repeated:
                text = f"type: array, items: {{ {text} }}"
            if comment and not text.startswith("$ref"):
                text += ', description: "' + comment.replace('"', '\\"') + '"'
            first, *rest = field.split("_")
            lines.append(f"        {first}{''.join(word.capitalize() for word in rest)}: {{ {text} }}")
    return "\n".join(lines) + "\n"


def server_routes():
    """(method, path) of every route in the server's table, by Route.swift's constants."""
    constants = dict(
        re.findall(
            r'static let (\w+) = "([^"]+)"',
            (ROOT / "Sources/VaultProtocol/Route.swift").read_text().split("enum MediaType")[0],
        )
    )
    table = (ROOT / "Sources/VaultServer/VaultService.swift").read_text()
    found = re.findall(r'\(Route\.(\w+)(?: \+ "([^"]+)")?, \.(\w+), \.\w+, \w+\)', table)
    routes = {(method, constants[name] + rest) for name, rest, method in found}
    unused = set(constants) - {name for name, _, _ in found} - {"metrics"}
    return routes | {("get", constants["metrics"])}, unused


def shape(path):
    return re.sub(r"\{\w+\}", "{}", path)


def main():
    text = SPEC.read_text()
    head, mark, old = text.partition(MARK)
    if not mark:
        sys.exit("openapi.py: docs/openapi.yaml has lost the line before its schemas")
    if "--write" in sys.argv:
        SPEC.write_text(head + MARK + schemas())
        return
    if old != schemas():
        sys.exit("openapi.py: the schemas are not vault.proto's: run scripts/openapi.py --write")
    spec = yaml.safe_load(text)
    validate(spec)
    routes, unused = server_routes()
    described = {
        (method, shape(path)) for path, methods in spec["paths"].items() for method in methods
    }
    served = {(method, shape(path)) for method, path in routes}
    for method, path in sorted(served ^ described):
        where = "is served, not described" if (method, path) in served else "is described, not served"
        print(f"openapi.py: {method.upper()} {path} {where}", file=sys.stderr)
    for name in sorted(unused):
        print(f"openapi.py: Route.{name} is in no route", file=sys.stderr)
    if served != described or unused:
        sys.exit(1)
    print(f"OpenAPI: valid, {len(served)} requests, schemas as in vault.proto")


main()
