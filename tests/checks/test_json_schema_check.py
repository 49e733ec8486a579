"""JSON under a schema: what is accepted as JSON, which schemas, and that nothing hangs."""

from __future__ import annotations

import json
import time

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rubricbench import checks
from rubricbench.checks.schema_rules import MAX_SUBSCHEMAS, UnsupportedSchemaError, validator
from rubricbench.errors import SchemaError
from rubricbench.schema import Check


def check(text: str, schema: object) -> checks.Outcome:
    return checks.run(Check("json_schema", {"schema": schema}), text)


def met(text: str, schema: object) -> bool:
    return check(text, schema).met


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"a": 1}', True),
        (' \n{"a": 1}\n', True),
        ('```json\n{"a": 1}\n```', True),
        ('Here:\n```\n{"a": 1}\n```\nDone.', True),
        ('```python\nx\n```\n```json\n{"a": 1}\n```', True),
        ('```\n{"a": 1}\n```\n```\n{"a": 2}\n```', False),
        ('```json\n{"a": 1}', False),
        ('Here: {"a": 1}', False),
        ('{"a": 1} // note', False),
        ('{"a": 1,}', False),
        ("{'a': 1}", False),
        ('{"a": 1, "a": 2}', False),
        ('{"a": NaN}', False),
        ('{"a": 1e999}', False),
        ('{"a": "\\ud800"}', False),
        ('{"a": "\\ud83d\\ude00"}', True),
        ('"a"', False),
    ],
)
def test_strict_json_by_itself_or_in_one_block(text, expected):
    assert met(text, {"type": "object"}) is expected


@pytest.mark.parametrize(
    ("schema", "good", "bad"),
    [
        ({"type": "integer"}, "1.0", "1.5"),
        ({"multipleOf": 0.1}, "0.3", "0.35"),
        ({"multipleOf": 0.01}, "19.99", "19.999"),
        ({"uniqueItems": True}, '[1, "1", true, [1], {"a": 1}]', "[1, 2, 1.0]"),
        ({"uniqueItems": True}, "[[1, 2], [2, 1]]", '[{"a": 1, "b": 2}, {"b": 2, "a": 1}]'),
        ({"pattern": "^[a-z]+$"}, '"abc"', '"abC"'),
        ({"enum": ["a", 1]}, "1", "true"),
        ({"const": {"a": [1]}}, '{"a": [1.0]}', '{"a": [1, 2]}'),
        ({"prefixItems": [{"type": "string"}], "items": False}, '["a"]', '["a", 1]'),
        ({"additionalProperties": {"type": "null"}}, '{"x": null}', '{"x": 1}'),
        ({"dependentRequired": {"a": ["b"]}}, '{"a": 1, "b": 2}', '{"a": 1}'),
        ({"if": {"type": "string"}, "then": {"minLength": 2}}, '"ab"', '"a"'),
        ({"oneOf": [{"minimum": 1}, {"maximum": 5}]}, "7", "3"),
        ({"contains": {"const": 1}, "maxContains": 1}, "[1, 2]", "[1, 1]"),
        ({"$ref": "#/$defs/n", "$defs": {"n": {"type": "number"}}}, "1", '"1"'),
        ({"format": "date"}, '"2024-02-29"', '"2023-02-29"'),
        ({"format": "date"}, '"2024-01-01"', '"2024-W01-1"'),
        ({"format": "date-time"}, '"2024-02-29T10:00:00Z"', '"2024-02-29 10:00:00"'),
        ({"format": "time"}, '"10:00:00+02:00"', '"10:00"'),
        ({"format": "email"}, '"a.b@example.org"', '"a b@example.org"'),
        ({"format": "uri"}, '"https://example.org/a?b#c"', '"example.org"'),
        ({"format": "uuid"}, '"123e4567-e89b-12d3-a456-426614174000"', '"123e4567"'),
        ({"format": "ipv4"}, '"192.0.2.1"', '"192.0.2.256"'),
        ({"format": "ipv6"}, '"2001:db8::1"', '"2001:db8:::1"'),
        ({"format": "date"}, "5", '"5"'),  # a format says nothing about other types
    ],
)
def test_keywords(schema, good, bad):
    assert check(good, schema) == (True, "valid")
    assert not met(bad, schema)


def test_the_evidence_names_the_place():
    schema = {"properties": {"items": {"items": {"type": "integer"}}}}
    assert (
        check('{"items": [1, "x"]}', schema).evidence == "$.items[1]: 'x' is not of type 'integer'"
    )


def nested(depth: int) -> dict[str, object]:
    schema: dict[str, object] = {}
    for _ in range(depth):
        schema = {"not": schema}
    return schema


LAUGHS = {f"a{i}": {"anyOf": [{"$ref": f"#/$defs/a{i + 1}"}] * 2} for i in range(20)} | {"a20": {}}
CHAIN = {f"a{i}": {"$ref": f"#/$defs/a{i + 1}"} for i in range(60)} | {"a60": {}}


@pytest.mark.parametrize(
    ("schema", "reason"),
    [
        ({"requierd": ["a"]}, "requierd"),
        ({"patternProperties": {"(a+)+$": {}}}, "patternProperties"),
        ({"unevaluatedProperties": False}, "unevaluatedProperties"),
        ({"$id": "https://example.org"}, "id"),
        ({"$ref": "https://example.org/schema"}, "form #/"),
        ({"$ref": "file:///etc/passwd"}, "form #/"),
        ({"$ref": "#"}, "form #/"),
        ({"$ref": "#/$defs/b"}, "there is no"),
        ({"$defs": {"a": {"items": {"$ref": "#/$defs/a"}}}}, "back to itself"),
        ({"$defs": {"a": {"$ref": "#/definitions/b"}}, "definitions": {"b": {"$ref": "#/$defs/a"}}},
         "back to itself"),
        ({"$defs": LAUGHS, "$ref": "#/$defs/a0"}, "too large"),
        ({"$defs": CHAIN, "$ref": "#/$defs/a0"}, "too large"),
        ({"items": {"$defs": {}}}, "at the top"),
        ({"pattern": "(?=a)"}, "RE2"),
        ({"pattern": 5}, "not of type"),
        ({"format": "hostname"}, "format must be"),
        ({"format": ["date"]}, "format must be"),
        ({"type": "objct"}, "not valid"),
        ({"$schema": "http://json-schema.org/draft-07/schema#"}, "2020-12"),
        ({"items": [{}]}, "object or a boolean"),
        ({"anyOf": {}}, "array"),
        ({"properties": []}, "object"),
        ({"minLength": -1}, "minimum"),
        ({"const": "a" * 20_000}, "characters"),
        (nested(60), "levels deep"),
        (nested(400), "levels deep"),
    ],
)  # fmt: skip
def test_a_schema_that_cannot_be_honoured_is_refused_at_once(schema, reason):
    with pytest.raises(SchemaError, match="bad_check") as caught:
        checks.describe(Check("json_schema", {"schema": schema}))
    assert reason in str(caught.value)


def test_a_reference_used_often_is_fine_until_the_schema_is_too_large():
    def schema(times: int) -> str:
        uses = [{"$ref": "#/$defs/n"}] * times
        return json.dumps({"$defs": {"n": {"type": "number"}}, "prefixItems": uses})

    validator(schema(100))
    with pytest.raises(UnsupportedSchemaError, match=r"characters|too large"):
        validator(schema(MAX_SUBSCHEMAS))


SIZE = 200_000
HOSTILE = [
    ("[" * SIZE, {}),
    ("[" * 60 + "]" * 60, {"items": {"items": {"type": "array"}}}),
    ("[" * 5_000 + "]" * 5_000, {}),
    (json.dumps([{"a": i} for i in range(SIZE // 12)]), {"uniqueItems": True}),
    # Python hashes these integers to the same value: a set of them would be quadratic.
    ("[" + ",".join(str(i * (2**61 - 1)) for i in range(SIZE // 24)) + "]", {"uniqueItems": True}),
    (json.dumps([1] * (SIZE // 3)), {"items": {"anyOf": [{"type": "string"}, {"minimum": 1}]}}),
    ("{" + ",".join(f'"k{i}":1' for i in range(SIZE // 10)) + ',"k0":2}', {}),
    (json.dumps({str(i): i for i in range(SIZE // 14)}), {"additionalProperties": {"minimum": 0}}),
    (json.dumps("a" * SIZE), {"pattern": "(a|a)*b"}),
    (json.dumps("a" * SIZE), {"format": "email"}),
    (json.dumps("1" * SIZE), {"format": "ipv6"}),
    ("9" * SIZE, {"multipleOf": 7}),
    ("1e300", {"multipleOf": 1e-300}),
]


@pytest.mark.parametrize(("text", "schema"), HOSTILE, ids=range(len(HOSTILE)))
def test_no_json_holds_the_check_up(text, schema):
    start = time.process_time()
    check(text, schema)
    assert time.process_time() - start < 2


JSON = st.recursive(
    st.none() | st.booleans() | st.sampled_from([-1, 0, 1, 0.5, 1.0]) | st.text("ab", max_size=3),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("ab", max_size=2), inner),
    max_leaves=8,
)  # fmt: skip
TYPES = st.sampled_from(["null", "boolean", "integer", "number", "string", "array", "object"])
LEAVES = st.one_of(
    st.fixed_dictionaries({"type": TYPES}),
    st.fixed_dictionaries({"const": JSON}),
    st.fixed_dictionaries({"uniqueItems": st.booleans()}),
    st.fixed_dictionaries({"minLength": st.integers(0, 3), "maxItems": st.integers(0, 3)}),
    st.fixed_dictionaries({"pattern": st.sampled_from(["^a", "b$", "a.b"])}),
)
SCHEMAS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.fixed_dictionaries({"items": inner}),
        st.fixed_dictionaries({"anyOf": st.lists(inner, min_size=1, max_size=3)}),
        st.fixed_dictionaries({"not": inner}),
        st.fixed_dictionaries({"properties": st.dictionaries(st.text("ab", max_size=2), inner),
                               "additionalProperties": inner}),
    ),
    max_leaves=5,
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(value=JSON, schema=SCHEMAS)
def test_agrees_with_the_library_where_both_can_decide(value, schema):
    expected = jsonschema.Draft202012Validator(schema).is_valid(value)
    assert met(json.dumps(value) + "\n", schema) is expected


def test_csv_fields_may_be_quoted_and_rows_must_be_even():
    def rows(text: str, **params: object) -> bool:
        return checks.run(Check("csv_shape", params), text).met

    assert rows('a,b\n"1, 2","say ""hi"""\n\n3,4\n', columns=2, min_rows=2, max_rows=2)
    assert not rows("a,b\n1\n", columns=2)
    assert not rows('a,b\n"1,2\n', columns=2)
    assert rows("a,b", columns=2, max_rows=0)
