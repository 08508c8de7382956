"""Every object is valid for the oldest and the newest supported Kubernetes, without a misspelt field."""

import functools
import json

import pytest
from chart import CHART
from jsonschema import Draft202012Validator, ValidationError
from kubernetes_validate import utils
from referencing import Registry, Resource

# kubeVersion of Chart.yaml, and the newest that the package knows
VERSIONS = ["1.30", "1.37"]
# Their schemas are not Kubernetes' own.
CUSTOM = {"ServiceMonitor", "PrometheusRule", "HTTPRoute"}


@functools.cache
def validator(version, kind, api_version):
    """What `kubernetes-validate --strict` makes anew for each object, which takes minutes here."""
    full = next(known for known in reversed(utils.all_versions()) if utils.major_minor(known) == version)
    directory = f"kubernetes-json-schema/v{full}-local-strict"
    group, _, suffix = api_version.rpartition("/")
    name = f"{kind.lower()}-{group.split('.')[0]}-{suffix}" if group else f"{kind.lower()}-{suffix}"
    return Draft202012Validator(utils.schema_contents(f"{directory}/{name}.json", version), registry=definitions(directory, version))


@functools.cache
def definitions(directory, version):
    return Resource.from_contents(utils.schema_contents(f"{directory}/_definitions.json", version)) @ Registry()


@functools.cache
def check(version, text):
    """Many renderings have the same object."""
    item = json.loads(text)
    validator(version, item["kind"], item["apiVersion"]).validate(item)


@pytest.mark.parametrize("version", VERSIONS)
def test_objects_are_valid(rendering, version):
    for item in rendering.objects:
        if item["kind"] not in CUSTOM:
            check(version, json.dumps(item, sort_keys=True))


def test_a_misspelt_field_is_found():
    item = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"},
            "spec": {"containers": [{"name": "a", "readinesProbe": {}}]}}
    for version in VERSIONS:
        with pytest.raises(ValidationError, match="readinesProbe"):
            check(version, json.dumps(item))


def test_the_oldest_version_is_the_charts():
    assert f'kubeVersion: ">={VERSIONS[0]}.0-0"' in (CHART / "Chart.yaml").read_text()
