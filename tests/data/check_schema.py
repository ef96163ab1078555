"""Holds data files against their JSON schema: check_schema.py SCHEMA FILE...

The tool's own reader is the gate for users; this keeps the published schema true. A schema that
accepted everything would pass, so each file is also tried with one unknown key, which must fail.
"""

import json
import pathlib
import re
import sys

import jsonschema


def read(path):
    """JSON with // and /* */ comments, as the tool reads it."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    token = re.compile(r'("(?:[^"\\]|\\.)*")|//[^\n]*|/\*.*?\*/', re.DOTALL)
    return json.loads(token.sub(lambda match: match.group(1) or " ", text))


def main():
    schema = read(sys.argv[1])
    # A schema may refer to those beside it, by file name.
    for other in pathlib.Path(sys.argv[1]).parent.glob("*.schema.json"):
        if other != pathlib.Path(sys.argv[1]):
            schema.setdefault("$defs", {})[other.name] = {"$id": other.name, **read(other)}
    validator_class = jsonschema.validators.validator_for(schema)
    validator_class.check_schema(schema)
    validator = validator_class(schema)
    failures = 0
    for path in sys.argv[2:]:
        document = read(path)
        for error in validator.iter_errors(document):
            print(f"{path}: /{'/'.join(map(str, error.absolute_path))}: {error.message}")
            failures += 1
        if validator.is_valid({**document, "no_such_key": 1}):
            print(f"{path}: the schema accepts an unknown key")
            failures += 1
    print(f"{len(sys.argv) - 2} files, {failures} failures")
    return 1 if failures or len(sys.argv) < 3 else 0


sys.exit(main())
