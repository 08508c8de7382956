"""Helm and Kustomize give the same platform."""

import pytest
import yaml
from chart import CHART, REPO, SERVICES
from conftest import rendering_of

PAIRS = {"dev": "values-dev", "light": "values-light", "reuse-infrastructure": "values-reuse-infrastructure", "prod": "values-prod"}
PROBES = ("startupProbe", "livenessProbe", "readinessProbe")


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
    assert environment(overlay, ours) == environment(chart, theirs)


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


def greatest_connections(rendering):
    scaled = {item["spec"]["scaleTargetRef"]["name"]: item["spec"]["maxReplicas"] for item in rendering.of("HorizontalPodAutoscaler")}
    for service in SERVICES:
        item = rendering.own(service)
        (container,) = item["spec"]["template"]["spec"]["containers"]
        (pool,) = [entry["value"] for entry in container["env"] if entry["name"] == "DB_POOL_SIZE"]
        yield int(pool) * scaled.get(item["metadata"]["name"], item["spec"].get("replicas", 1))


def test_an_overlay_keeps_to_the_charts_connection_budget(overlay):
    """The chart does not render beyond it; Kustomize cannot refuse."""
    values = [yaml.safe_load((CHART / f"{name}.yaml").read_text()) for name in ("values", PAIRS[overlay.path.name])]
    budgets = [value["database"]["connectionBudget"] for value in values if "connectionBudget" in value.get("database", {})]
    assert sum(greatest_connections(overlay)) <= budgets[-1]


def test_the_two_agree_on_the_keys_that_services_mount(overlay):
    chart = rendering_of(CHART / f"{PAIRS[overlay.path.name]}.yaml")
    for service in SERVICES:
        ours, theirs = (
            {item["key"] for volume in rendering.own(service)["spec"]["template"]["spec"]["volumes"] if volume["name"] == "secrets"
             for item in volume["projected"]["sources"][0]["secret"]["items"]}
            for rendering in (overlay, chart)
        )
        assert ours == theirs, service


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
