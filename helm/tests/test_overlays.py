"""Helm and Kustomize give the same platform."""

import pytest
from chart import CHART, REPO, SERVICES
from conftest import rendering_of

PAIRS = {"dev": "values-dev", "light": "values-light", "reuse-infrastructure": "values-reuse-infrastructure", "prod": "values-prod"}
PROBES = ("startupProbe", "livenessProbe", "readinessProbe")
# What the two may set in different places: the production overlay's Redis has no password.
MAY_DIFFER = {"prod": {"CACHE_PASSWORD_FILE"}}


def environment(rendering, container):
    configs = {item["metadata"]["name"]: item["data"] for item in rendering.of("ConfigMap")}
    names = {entry["name"] for entry in container.get("env", [])}
    for source in container.get("envFrom", []):
        names |= set(configs[source["configMapRef"]["name"]])
    return names


@pytest.mark.parametrize("service", SERVICES)
def test_the_two_agree_on_ports_probes_and_variables(overlay, service):
    chart = rendering_of(CHART / f"{PAIRS[overlay.path.name]}.yaml")
    (ours,) = overlay.own(service)["spec"]["template"]["spec"]["containers"]
    (theirs,) = chart.own(service)["spec"]["template"]["spec"]["containers"]
    assert ours["ports"] == theirs["ports"]
    assert [ours[probe] for probe in PROBES] == [theirs[probe] for probe in PROBES]
    assert ours["image"] == theirs["image"]
    assert environment(overlay, ours) ^ environment(chart, theirs) <= MAY_DIFFER.get(overlay.path.name, set())


def test_the_two_agree_on_the_services(overlay):
    chart = rendering_of(CHART / f"{PAIRS[overlay.path.name]}.yaml")

    def services(rendering):
        return {
            item["metadata"]["name"]: (item["spec"].get("type"), [(port["port"], port.get("nodePort")) for port in item["spec"]["ports"]])
            for item in rendering.of("Service")
        }

    assert services(overlay) == services(chart)


def test_the_two_agree_on_the_kinds_of_objects(overlay):
    chart = rendering_of(CHART / f"{PAIRS[overlay.path.name]}.yaml")
    chart_only = {"Pod", "Secret"}  # tests, and what an overlay never generates
    ours = sorted((item["kind"], item["metadata"]["labels"]["app.kubernetes.io/component"])
                  for item in overlay.objects if item["kind"] not in ("Namespace", "ConfigMap"))
    theirs = sorted((item["kind"], item["metadata"]["labels"]["app.kubernetes.io/component"])
                    for item in chart.objects if item["kind"] not in ("ConfigMap", *chart_only))
    assert ours == theirs


def test_the_api_server_insists_on_restricted_pods(overlay):
    (namespace,) = overlay.of("Namespace")
    labels = namespace["metadata"]["labels"]
    assert {labels[f"pod-security.kubernetes.io/{mode}"] for mode in ("enforce", "audit", "warn")} == {"restricted"}


def test_no_overlay_holds_a_secret(overlay):
    assert not overlay.of("Secret")


def test_the_light_overlay_asks_for_what_its_predecessor_had():
    overlay = rendering_of(REPO / "k8s" / "overlays" / "light")
    for service in SERVICES:
        (container,) = overlay.own(service)["spec"]["template"]["spec"]["containers"]
        assert container["resources"]["requests"] == {"cpu": "50m", "memory": "64Mi"}
