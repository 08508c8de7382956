"""What a changed value changes, and what it must not."""

import pytest
from chart import CHART, SERVICES, kustomize_text, run, template, template_text
from conftest import OVERLAYS, VALUE_FILES

EXISTING = "secrets.existingSecret=bizosaas"


def checksums(*sets):
    items = [item for item in template(sets=(EXISTING, *sets)) if item["kind"] == "Deployment"]
    annotations = {item["metadata"]["name"]: item["spec"]["template"]["metadata"].get("annotations", {}) for item in items}
    return {annotations[f"bizosaas-{service}"]["checksum/config"] for service in SERVICES}


def pods(*sets):
    items = [item for item in template(sets=(EXISTING, *sets)) if item["kind"] in ("Deployment", "StatefulSet")]
    return {item["metadata"]["name"]: item["spec"]["template"] for item in items}


def test_the_checksum_changes_with_the_configuration_and_only_then():
    assert len(checksums()) == 1
    for change in ("log.level=debug", "issuer=https://a.example", "database.name=other", "cache.mode=off"):
        assert checksums(change) != checksums(), change
    for other in ("defaults.replicas=2", "image.tag=9.9.9", "registration.policy=disabled", "ingress.enabled=false"):
        assert checksums(other) == checksums(), other


def test_a_number_of_replicas_restarts_nothing():
    assert pods("defaults.replicas=2", "commonAnnotations.a=b", "metrics.dashboard.enabled=true") == pods()


def test_a_new_version_of_the_chart_alone_restarts_nothing(tmp_path):
    copy = tmp_path / "bizosaas"
    run("cp", "-r", str(CHART), str(copy))
    chart = (copy / "Chart.yaml").read_text()
    (copy / "Chart.yaml").write_text(chart.replace("\nversion: ", "\nversion: 9"))
    newer = [item for item in template(sets=(EXISTING,), chart=copy) if item["kind"] == "Deployment"]
    assert newer
    for item in newer:
        assert item["spec"]["template"] == pods()[item["metadata"]["name"]]


@pytest.mark.parametrize("path", VALUE_FILES, ids=lambda path: path.stem)
def test_rendering_twice_is_identical(path):
    values, sets = (path,), (EXISTING,)
    first = template_text(values, sets)
    template_text.cache_clear()
    assert template_text(values, sets) == first


@pytest.mark.parametrize("path", OVERLAYS, ids=lambda path: path.name)
def test_building_an_overlay_twice_is_identical(path):
    first = kustomize_text(path)
    kustomize_text.cache_clear()
    assert kustomize_text(path) == first


def test_values_of_a_service_win_over_the_defaults_even_when_they_are_nothing():
    sets = ("defaults.autoscaling.enabled=true", "services.crm.autoscaling.enabled=false", "defaults.poolSize=2",
            "services.crm.lifecycle.preStopSleepSeconds=0", "services.crm.resources.limits.memory=1Gi")
    items = {item["metadata"]["name"]: item for item in template(sets=sets) if item["kind"] == "Deployment"}
    crm, identity = items["bizosaas-crm"]["spec"], items["bizosaas-identity"]["spec"]
    assert crm["replicas"] == 1 and "replicas" not in identity
    (container,) = crm["template"]["spec"]["containers"]
    assert "lifecycle" not in container and "lifecycle" in identity["template"]["spec"]["containers"][0]
    assert container["resources"] == {"limits": {"memory": "1Gi"}, "requests": {"cpu": "50m", "memory": "48Mi"}}


def test_a_further_entry_replaces_the_variable_of_its_name():
    """Server-side apply refuses a list of variables that has a name twice."""
    sets = ("defaults.env.BODY_LIMIT=1", "defaults.extraEnv[0].name=DB_POOL_SIZE", "defaults.extraEnv[0].value=nine",
            "defaults.extraEnv[1].name=BODY_LIMIT", "defaults.extraEnv[1].valueFrom.fieldRef.fieldPath=status.podIP")
    for name, pod in pods(*sets).items():
        if name.removeprefix("bizosaas-") in SERVICES:
            entries = pod["spec"]["containers"][0]["env"]
            by_name = {entry["name"]: entry for entry in entries}
            assert len(by_name) == len(entries), name
            assert by_name["DB_POOL_SIZE"].get("value") == "nine" and "valueFrom" in by_name["BODY_LIMIT"], name
            assert "PORT" in by_name, name


def test_a_digest_replaces_the_tag():
    items = template(CHART / "ci" / "digests-values.yaml")
    images = {
        container["name"]: container["image"]
        for item in items if item["kind"] in ("Deployment", "StatefulSet")
        for container in item["spec"]["template"]["spec"]["containers"]
    }
    assert images["identity"] == "registry.example.com/bizosaas/identity@sha256:" + "1" * 64
    assert images["crm"] == "registry.example.com/bizosaas/crm:1.2.3"
    assert images["postgres"] == "registry.example.com/pgvector/pgvector:pg17"
