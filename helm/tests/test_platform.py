"""The chart and the code of the services name the same things."""

import json
import re

import pytest
from chart import CHART, REPO, SERVICES, template

REFERENCE = (REPO / "docs" / "configuration.md").read_text()
KNOWN = set(re.findall(r"^\| `([A-Z0-9_]+)` \|", REFERENCE, re.MULTILINE))
# libpq's names, which the driver reads
LIBPQ = {"PGSSLMODE", "PGSSLROOTCERT"}


def names_of(container, configs):
    names = {entry["name"] for entry in container.get("env", [])}
    for source in container.get("envFrom", []):
        names |= set(configs.get(source["configMapRef"]["name"], {}))
    return {name.removesuffix("_FILE") for name in names}


def test_services_are_told_nothing_that_they_do_not_know(rendering):
    configs = {item["metadata"]["name"]: item.get("data", {}) for item in rendering.of("ConfigMap")}
    extra = {"POD_IP"} if rendering.path.stem == "extras-values" else set()
    for service in SERVICES:
        (container,) = rendering.own(service)["spec"]["template"]["spec"]["containers"]
        assert names_of(container, configs) <= KNOWN | LIBPQ | extra, service


def test_the_operator_is_told_where_the_database_is(rendering):
    for item in rendering.of("Job"):
        for container in item["spec"]["template"]["spec"]["containers"]:
            if container["name"] == "migrate":
                names = names_of(container, {})
                assert {"POSTGRES_HOST", "POSTGRES_PORT", "POSTGRES_DB"} <= names
                assert {f"{schema}_{kind}_PASSWORD" for schema in ("IDENTITY", "AI", "CHAT", "CRM", "ANALYTICS")
                        for kind in ("DB", "MIGRATOR")} <= names
                assert names <= KNOWN | LIBPQ


def test_ports_are_those_of_the_code():
    code = (REPO / "libs" / "kernel" / "src" / "platform.rs").read_text()
    import yaml

    values = yaml.safe_load((CHART / "values.yaml").read_text())["services"]
    for name, own in values.items():
        part = code[code.index(f'name: "{name}"'):]
        for key, field in (("port", "port"), ("nodePort", "node_port"), ("metricsPort", "admin_port")):
            assert own[key] == int(re.search(rf"\b{field}: (\d+)", part).group(1)), (name, key)


def test_every_path_of_an_api_is_routed_to_its_service():
    items = template(CHART / "ci" / "ingress-values.yaml")
    (ingress,) = [item for item in items if item["kind"] == "Ingress"]
    routes = {path["path"]: path["backend"]["service"]["name"] for path in ingress["spec"]["rules"][0]["http"]["paths"]}
    for service in SERVICES:
        paths = json.loads((REPO / "services" / service / "openapi.json").read_text())["paths"]
        for path in paths:
            prefixes = [prefix for prefix in routes if path == prefix or path.startswith(prefix + "/")]
            assert prefixes and routes[max(prefixes, key=len)] == f"bizosaas-{service}", f"{service}: {path}"


def metric_names(text):
    suffix = r"(?:_bucket|_count|_sum)?"
    return set(re.findall(r"\b((?:http|db|events|identity|process)_[a-z_]+?)" + suffix + r"(?=[{\s(\[])", text))


@pytest.mark.parametrize("source", ["templates/_alerts.tpl", "dashboards/bizosaas.json"])
def test_metrics_that_are_asked_for_exist(source):
    code = "".join(path.read_text() for root in ("libs", "services") for path in (REPO / root).glob("*/src/**/*.rs"))
    asked = metric_names((CHART / source).read_text())
    assert len(asked) >= 5
    for name in asked:
        assert f'"{name}"' in code, name


def test_the_dashboard_is_a_document():
    items = template(CHART / "ci" / "metrics-values.yaml")
    (config,) = [item for item in items if item["metadata"]["name"].endswith("-dashboard")]
    dashboard = json.loads(config["data"]["bizosaas.json"])
    assert all(panel["targets"] for panel in dashboard["panels"])
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])


def test_alerts_say_what_to_do():
    items = template(CHART / "ci" / "metrics-values.yaml")
    (rule,) = [item for item in items if item["kind"] == "PrometheusRule"]
    (group,) = rule["spec"]["groups"]
    own = [alert for alert in group["rules"] if alert["alert"] != "Always"]
    assert len(own) >= 10
    for alert in own:
        assert alert["annotations"]["summary"] and alert["annotations"]["description"], alert["alert"]
        for opening, closing in ("()", "{}", "[]"):
            assert alert["expr"].count(opening) == alert["expr"].count(closing), alert["alert"]


def test_the_monitor_finds_the_metrics_port_of_every_service():
    items = template(CHART / "ci" / "metrics-values.yaml")
    (monitor,) = [item for item in items if item["kind"] == "ServiceMonitor"]
    services = [
        item for item in items if item["kind"] == "Service"
        and monitor["spec"]["selector"]["matchLabels"].items() <= item["metadata"]["labels"].items()
    ]
    (service,) = services
    assert monitor["spec"]["endpoints"][0]["port"] in {port["name"] for port in service["spec"]["ports"]}
    chosen = {
        item["metadata"]["name"] for item in items if item["kind"] in ("Deployment", "StatefulSet")
        and service["spec"]["selector"].items() <= item["spec"]["template"]["metadata"]["labels"].items()
    }
    assert chosen == {f"bizosaas-{name}" for name in SERVICES}
