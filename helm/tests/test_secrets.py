"""Secrets are files, only those that a pod needs, and never in what is rendered from an existing Secret."""

import base64
import re

import pytest
from chart import CHART, REPO, SERVICES, template
from conftest import rendering_of

SCHEMAS = {"identity": "identity", "ai-orchestrator": "ai", "chatbot": "chat", "crm": "crm", "analytics": "analytics"}
SECRET_NAME = re.compile(r"(PASSWORD|SECRET|_KEY|REDIS_URL|DATABASE_URL)$")


def mounted_keys(pod):
    """Path of the file and source of every key, below /run/secrets/bizosaas."""
    for volume in pod["spec"].get("volumes", []):
        for source in volume.get("projected", {}).get("sources", []):
            for item in source["secret"]["items"]:
                yield item["path"], (source["secret"]["name"], item["key"])


def test_a_secret_is_rendered_only_without_an_existing_one(rendering):
    wanted = set()
    if rendering.is_chart and not uses_existing(rendering):
        wanted = {"bizosaas" if rendering.path.stem != "long-names-values" else "a-name-of-forty-characters-which-is-long"}
    assert {item["metadata"]["name"] for item in rendering.of("Secret")} == wanted


def uses_existing(rendering):
    return "existingSecret" in rendering.path.read_text() and rendering.path.name != "values.yaml"


def test_no_variable_holds_a_secret(rendering):
    for name, _, container in rendering.containers():
        for entry in container.get("env", []):
            assert not SECRET_NAME.search(entry["name"]), f"{name}: {entry['name']}"
            assert "secretKeyRef" not in entry.get("valueFrom", {}), f"{name}: {entry['name']}"
    for item in rendering.of("ConfigMap"):
        assert not [key for key in item.get("data", {}) if SECRET_NAME.search(key)]


def test_files_that_variables_name_are_mounted_and_no_others(rendering):
    configs = {item["metadata"]["name"]: item.get("data", {}) for item in rendering.of("ConfigMap")}
    for name, pod in rendering.pods():
        named = set()
        for container in [*pod["spec"].get("initContainers", []), *pod["spec"]["containers"]]:
            values = [entry.get("value", "") for entry in container.get("env", [])]
            for source in container.get("envFrom", []):
                values += configs.get(source["configMapRef"]["name"], {}).values()
            named |= {value.removeprefix("/run/secrets/bizosaas/") for value in values if value.startswith("/run/secrets/bizosaas/")}
        assert {path for path, _ in mounted_keys(pod)} == named, name


def test_a_service_gets_no_password_of_another(rendering):
    for service, schema in SCHEMAS.items():
        keys = {path for path, _ in mounted_keys(rendering.own(service)["spec"]["template"])}
        assert {key for key in keys if key.endswith(("-db-password", "-migrator-password"))} == {f"{schema}-db-password"}
        assert "postgres-admin-password" not in keys


def test_only_the_pods_group_can_read_the_files(rendering):
    for name, pod in rendering.pods():
        for volume in pod["spec"].get("volumes", []):
            if "projected" in volume:
                assert volume["projected"]["defaultMode"] == 0o440, name
                assert pod["spec"]["securityContext"]["fsGroup"] > 0, name


@pytest.mark.parametrize("path", [CHART / "values-reuse-infrastructure.yaml", REPO / "k8s" / "overlays" / "reuse-infrastructure"],
                         ids=lambda path: path.stem)
def test_skipping_the_bootstrap_needs_no_administrator(path):
    rendering = rendering_of(path)
    for name, pod in rendering.pods():
        assert "postgres-admin-password" not in {path for path, _ in mounted_keys(pod)}, name
    (job,) = rendering.of("Job")
    assert job["spec"]["template"]["spec"]["containers"][0]["args"] == ["migrate", "--skip-bootstrap"]


def test_a_key_can_come_from_another_secret():
    items = template(CHART / "ci" / "existing-secret-values.yaml")
    postgres = next(item for item in items if item["kind"] == "StatefulSet")
    assert dict(mounted_keys(postgres["spec"]["template"])) == {"postgres-admin-password": ("pg-superuser", "password")}


def test_generated_secrets_are_long_different_and_stay(default):
    (secret,) = default.of("Secret")
    values = [base64.b64decode(value) for value in secret["data"].values()]
    assert len(set(values)) == len(values) == 13
    assert min(len(value) for value in values) >= 32
    assert secret["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"
    keys = {key for service in SERVICES for key, _ in mounted_keys(default.own(service)["spec"]["template"])}
    assert keys <= set(secret["data"])


def test_what_the_cluster_has_is_kept():
    """`lookup` gives nothing without a cluster, so the template's text is what can be checked."""
    text = (CHART / "templates" / "secret.yaml").read_text()
    assert 'lookup "v1" "Secret" .Release.Namespace $name' in text
    assert "get $present . | default (randAlphaNum 48 | b64enc)" in text
