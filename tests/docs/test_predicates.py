"""Every predicate that the product states or asks for has a page and a schema, and the other way round."""

import ast
import json

import jsonschema
import pytest
import yaml


@pytest.fixture(scope="module")
def used(root):
    """The evidence types named in the code, and those that a requirement asks for."""
    found = set()
    for path in (root / "src" / "ringfence").rglob("*.py"):
        if "testing" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Call(func=ast.Name(id="PredicateName"), args=[ast.Constant(value=str() as name)]) if name:
                    found.add(name)
    rules = (root / "src" / "ringfence" / "obligations" / "data" / "requirements").glob("*.yaml")
    return found.union(*(_evidence(yaml.safe_load(path.read_text(encoding="utf-8"))) for path in rules))


def _evidence(document):
    match document:
        case dict():
            own = (
                {document["evidence"]}
                if isinstance(document.get("evidence"), str) and "." in document["evidence"]
                else set()
            )
            return own.union(*(_evidence(value) for value in document.values()))
        case list():
            return set().union(*(_evidence(value) for value in document))
    return set()


def test_the_predicates_are_found(used):
    assert {"dataset.sealed", "key.enrolled", "log.heartbeat"} <= used


def test_every_predicate_has_a_page_and_a_schema(used, root, check):
    folder = root / "docs" / "specs" / "predicates"
    check(
        [name + end for name in sorted(used) for end in (".md", ".schema.json") if not (folder / (name + end)).exists()]
    )


def test_every_page_is_of_a_predicate_that_is_used(used, root, check):
    folder = root / "docs" / "specs" / "predicates"
    pages = {path.stem for path in folder.glob("*.*.md")}
    check([f"{name} is documented and not used" for name in sorted(pages - used)])


def test_every_schema_is_one_and_refuses_what_it_does_not_name(root, check):
    found = []
    for path in sorted((root / "docs" / "specs" / "predicates").glob("*.schema.json")):
        schema = json.loads(path.read_text(encoding="utf-8"))
        jsonschema.validators.validator_for(schema).check_schema(schema)
        if schema.get("additionalProperties") is not False:
            found.append(f"{path.name}: additionalProperties is not false")
    check(found)


def test_every_page_says_what_it_does_not_show(root, check):
    pages = sorted((root / "docs" / "specs" / "predicates").glob("*.*.md"))
    words = ("not show", "not prove", "does not", "not shown", "says nothing")
    check([path.name for path in pages if not any(word in path.read_text(encoding="utf-8") for word in words)])
