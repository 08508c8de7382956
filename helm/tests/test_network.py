"""Policies, Services, routes: what may talk to whom, and that the names meet."""

import ipaddress
import re

import yaml
from chart import REPO, SERVICES
from conftest import selects

PORTS = {"identity": 8001, "ai-orchestrator": 8002, "chatbot": 8003, "crm": 8004, "analytics": 8005}


def policies(rendering):
    found = rendering.of("NetworkPolicy")
    if rendering.path.stem == "no-policies-values":
        assert not found
    else:
        assert found
    return found


def labels(pod):
    return pod["metadata"]["labels"]


def own_selectors(policy):
    """The policy's own selector, and those of its peers that mean pods of the same namespace."""
    spec = policy["spec"]
    yield spec["podSelector"]
    for direction, side in (("ingress", "from"), ("egress", "to")):
        for rule in spec.get(direction, []):
            for peer in rule.get(side, []):
                if "podSelector" in peer and "namespaceSelector" not in peer:
                    yield peer["podSelector"]


def test_every_selector_of_a_policy_matches_a_pod(rendering):
    pods = dict(rendering.pods())
    for policy in policies(rendering):
        for selector in own_selectors(policy):
            assert any(selects(selector, labels(pod)) for pod in pods.values()), (policy["metadata"]["name"], selector)
            for expression in selector.get("matchExpressions", []):
                for value in expression["values"]:
                    one = {"matchLabels": {**selector.get("matchLabels", {}), expression["key"]: value}}
                    outside_of_it = value == "migrate" or (value == "test" and not rendering.is_chart)
                    assert outside_of_it or any(selects(one, labels(pod)) for pod in pods.values()), (policy["metadata"]["name"], value)


def test_every_pod_is_under_default_deny(rendering):
    denying = [policy["spec"] for policy in policies(rendering) if policy["metadata"]["name"].endswith("-default-deny")]
    for name, pod in rendering.pods():
        if rendering.path.stem != "no-policies-values":
            assert any(selects(spec["podSelector"], labels(pod)) for spec in denying), name
    for spec in denying:
        assert sorted(spec["policyTypes"]) == ["Egress", "Ingress"]
        assert "ingress" not in spec
        assert {(port["protocol"], port["port"]) for rule in spec["egress"] for port in rule["ports"]} == {("UDP", 53), ("TCP", 53)}


def allowed(rendering, pod, direction, port, other=None, host=None):
    """Whether any policy lets `pod` talk on `port` with another pod, or with anybody outside (`host`)."""
    side = {"ingress": "from", "egress": "to"}[direction]
    for policy in policies(rendering):
        if not selects(policy["spec"]["podSelector"], labels(pod)):
            continue
        for rule in policy["spec"].get(direction, []):
            if "ports" in rule and port not in [entry["port"] for entry in rule["ports"]]:
                continue
            if side not in rule:
                return True
            for peer in rule[side]:
                inside = "podSelector" in peer and "namespaceSelector" not in peer
                if other and inside and selects(peer["podSelector"], labels(other)):
                    return True
                if host and outside(peer, host):
                    return True
    return False


def outside(peer, host):
    if "ipBlock" in peer:
        try:
            return ipaddress.ip_address(host) in ipaddress.ip_network(peer["ipBlock"]["cidr"])
        except ValueError:
            return peer["ipBlock"]["cidr"] == "0.0.0.0/0"
    namespace = peer.get("namespaceSelector", {}).get("matchLabels", {}).get("kubernetes.io/metadata.name")
    return namespace is not None and namespace in host.split(".")


def configuration(rendering):
    return next(item["data"] for item in rendering.of("ConfigMap") if "ISSUER" in item.get("data", {}))


def test_services_reach_each_other_their_database_and_their_cache(rendering):
    if not policies(rendering):
        return
    pods = {labels(pod)["app.kubernetes.io/component"]: pod for _, pod in rendering.pods()}
    config = configuration(rendering)
    clients = [name for name in (*SERVICES, "test") if name in pods]
    for client in clients:
        for service in SERVICES:
            assert allowed(rendering, pods[client], "egress", PORTS[service], other=pods[service]), (client, service)
            assert allowed(rendering, pods[service], "ingress", PORTS[service], other=pods[client]), (client, service)
    clients += [name for name in ("migrate",) if name in pods]
    check_server(rendering, pods, clients, "postgres", config["POSTGRES_HOST"], int(config["POSTGRES_PORT"]))
    if "CACHE_HOST" in config:
        clients = [name for name in clients if name != "migrate"]
        check_server(rendering, pods, clients, "redis", config["CACHE_HOST"], int(config["CACHE_PORT"]))


def operator_pod(release="bizosaas"):
    """The pod that backup, restore and rollback run."""
    text = (REPO / "scripts" / "manifests" / "operator-pod.yaml").read_text().replace("@RELEASE@", release)
    return yaml.safe_load(re.sub(r"@\w+@", "1", text))


def test_backup_and_rollback_reach_the_database(rendering):
    if not policies(rendering):
        return
    pods = {labels(pod)["app.kubernetes.io/component"]: pod for _, pod in rendering.pods()}
    operator = operator_pod(labels(pods["crm"])["app.kubernetes.io/instance"])
    config = configuration(rendering)
    host, port = config["POSTGRES_HOST"], int(config["POSTGRES_PORT"])
    assert allowed(rendering, operator, "egress", port, other=pods.get("postgres"), host=host)
    if "postgres" in pods:
        assert allowed(rendering, pods["postgres"], "ingress", port, other=operator)


def check_server(rendering, pods, clients, component, host, port):
    for client in clients:
        if component in pods:
            assert allowed(rendering, pods[client], "egress", port, other=pods[component]), (client, component)
            assert allowed(rendering, pods[component], "ingress", port, other=pods[client]), (client, component)
        else:
            assert allowed(rendering, pods[client], "egress", port, host=host), (client, host)
    for stranger in set(pods) - set(clients) - {component}:
        if component in pods:
            assert not allowed(rendering, pods[component], "ingress", port, other=pods[stranger]), (stranger, component)


def test_models_are_reached_by_the_orchestrator_only(rendering):
    if not policies(rendering):
        return
    pods = {labels(pod)["app.kubernetes.io/component"]: pod for _, pod in rendering.pods()}
    (container,) = pods["ai-orchestrator"]["spec"]["containers"]
    address = {entry["name"]: entry.get("value") for entry in container["env"]}.get("LLM_BASE_URL")
    if address is None:
        return
    host, _, port = address.split("/")[2].partition(":")
    port = int(port or 443)
    assert allowed(rendering, pods["ai-orchestrator"], "egress", port, other=pods.get("ollama"), host=host)
    assert not allowed(rendering, pods["crm"], "egress", port, other=pods.get("ollama"), host=host)


def test_services_select_pods_and_name_ports_that_exist(rendering):
    pods = dict(rendering.pods())
    for service in rendering.of("Service"):
        chosen = [pod for pod in pods.values() if selects({"matchLabels": service["spec"]["selector"]}, labels(pod))]
        assert chosen, service["metadata"]["name"]
        for port in service["spec"]["ports"]:
            for pod in chosen:
                names = {own["name"] for container in pod["spec"]["containers"] for own in container.get("ports", [])}
                assert port["targetPort"] in names, (service["metadata"]["name"], port)
            # a Service of a type that opens ports on nodes must not open more than the API
            assert port["name"] == "http" or service["spec"].get("type", "ClusterIP") == "ClusterIP"


def test_node_ports_are_those_of_the_platform(rendering):
    ports = {port["nodePort"] for service in rendering.of("Service") for port in service["spec"]["ports"] if "nodePort" in port}
    expected = set(range(30101, 30106))
    closed = {"ingress-values", "values-prod", "prod"}
    if rendering.path.stem in closed:
        expected = set()
    if rendering.path.stem == "extras-values":
        expected -= {30104}
    assert ports == expected


def test_routes_lead_to_services(rendering):
    known = {service["metadata"]["name"] for service in rendering.of("Service")}
    targets = []
    for ingress in rendering.of("Ingress"):
        for rule in ingress["spec"]["rules"]:
            targets += [path["backend"]["service"]["name"] for path in rule["http"]["paths"]]
    for route in rendering.of("HTTPRoute"):
        targets += [backend["name"] for rule in route["spec"]["rules"] for backend in rule["backendRefs"]]
    assert set(targets) <= known
    if rendering.path.stem in ("ingress-values", "gateway-values", "values-prod", "prod"):
        assert len(set(targets)) == 5
