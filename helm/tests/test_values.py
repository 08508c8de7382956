"""values.yaml, the schema and the README's table say the same."""

import json

import yaml
from chart import CHART, REPO
from jsonschema import Draft7Validator
from render_k8s import generate
from values_table import BEGIN, documented, table, undocumented

SCHEMA = json.loads((CHART / "values.schema.json").read_text())
VALUES = yaml.safe_load((CHART / "values.yaml").read_text())
SCHEMA_ONLY = {"enabled"}  # of a parent chart's condition


def resolve(schema):
    while "$ref" in schema:
        node = SCHEMA
        for part in schema["$ref"].removeprefix("#/").split("/"):
            node = node[part]
        schema = node
    return schema


def keys_of_schema(schema, path=()):
    schema = resolve(schema)
    for key, inner in schema.get("properties", {}).items():
        yield (*path, key)
        yield from keys_of_schema(inner, (*path, key))


def keys_of_values(value, path=()):
    for key, inner in value.items() if isinstance(value, dict) else ():
        yield (*path, key)
        yield from keys_of_values(inner, (*path, key))


def free(path):
    """Below these, users write what Kubernetes takes."""
    words = {"resources", "strategy", "securityContext", "podSecurityContext", "settings", "probes", "labels"}
    return any(word in words for word in path[:-1])


def test_every_value_is_in_the_schema():
    known = set(keys_of_schema(SCHEMA))
    assert {path for path in keys_of_values(VALUES) if not free(path)} <= known


def test_every_key_of_the_schema_has_a_value():
    present = set(keys_of_values(VALUES))
    # a service takes every key of the defaults
    missing = {path for path in keys_of_schema(SCHEMA) if path not in present and path[0] not in ("services", *SCHEMA_ONLY)}
    assert {path for path in missing if not free(path)} == set()
    for service in VALUES["services"]:
        keys = {path[2:] for path in keys_of_schema(SCHEMA) if path[:2] == ("services", service)}
        defaults = {path[1:] for path in keys_of_schema(SCHEMA) if path[0] == "defaults" and len(path) > 1}
        assert {key for key in keys if key} == defaults | {("port",), ("metricsPort",), ("nodePort",), ("paths",)}


def test_every_value_is_documented():
    rows = documented((CHART / "values.yaml").read_text())
    assert undocumented(VALUES, rows) == []
    assert len(rows) == len({path for path, _ in rows})


def test_every_value_is_used():
    """A dead value promises what nothing does."""
    templates = "".join(path.read_text() for path in (CHART / "templates").rglob("*") if path.is_file())
    for path, _ in documented((CHART / "values.yaml").read_text()):
        if path[0] not in ("services",):
            assert path[-1] in templates, ".".join(path)


def test_the_table_of_the_readme_is_current():
    assert f"{BEGIN}\n\n{table()}\n" in (CHART / "README.md").read_text()


def test_the_schema_needs_no_network_and_is_one():
    assert "http" not in json.dumps(SCHEMA).replace(SCHEMA["$schema"], "").replace("https?://", "")
    Draft7Validator.check_schema(SCHEMA)
    Draft7Validator(SCHEMA).validate(VALUES)


def test_the_generated_files_of_k8s_are_current():
    for path, text in generate().items():
        assert (REPO / "k8s" / path).read_text() == text, f"k8s/{path}: run scripts/render-k8s"


def test_the_chart_has_the_version_of_the_workspace():
    workspace = (REPO / "Cargo.toml").read_text().split("[workspace.package]")[1]
    version = next(line.split('"')[1] for line in workspace.splitlines() if line.startswith("version"))
    assert yaml.safe_load((CHART / "Chart.yaml").read_text())["appVersion"] == version


def test_everybody_may_not_register_by_default():
    assert VALUES["registration"]["policy"] != "auto_login"
    assert VALUES["environment"] == "production"
