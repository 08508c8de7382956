"""Rules of the API server and of Kubernetes' controllers that a schema does not say."""

import re

from chart import SERVICES
from conftest import selects

DNS_LABEL = re.compile(r"^[a-z]([-a-z0-9]*[a-z0-9])?$")
LABEL_VALUE = re.compile(r"^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$")
LABEL_KEY = re.compile(r"^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$")
# What a controller appends to the name has to fit into 63 characters as well.
ROOM = {"Deployment": 63 - len("-5d4f9c7b8d-x2x4z"), "StatefulSet": 63 - len("-5d4f9c7b8d"), "Job": 63}


def test_names_and_labels_are_valid(rendering):
    for item in rendering.objects:
        metadata = item["metadata"]
        name = f"{item['kind']} {metadata['name']}"
        assert DNS_LABEL.match(metadata["name"]), name
        assert len(metadata["name"]) <= ROOM.get(item["kind"], 63) or item["kind"] == "Deployment", name
        for key, value in metadata.get("labels", {}).items():
            assert LABEL_KEY.match(key) and LABEL_VALUE.match(value) and len(value) <= 63, f"{name}: {key}={value}"
    for name, pod in rendering.pods():
        for key, value in pod["metadata"]["labels"].items():
            assert LABEL_KEY.match(key) and LABEL_VALUE.match(value) and len(value) <= 63, f"{name}: {key}={value}"


def test_no_object_is_there_twice(rendering):
    keys = [(item["kind"], item["metadata"].get("namespace"), item["metadata"]["name"]) for item in rendering.objects]
    assert len(keys) == len(set(keys))


def test_everything_is_in_the_namespace(rendering):
    for item in rendering.objects:
        if item["kind"] != "Namespace" and rendering.path.stem != "extras-values":
            namespace = next((n["metadata"]["name"] for n in rendering.of("Namespace")), "bizosaas-dev")
            assert item["metadata"]["namespace"] == namespace, item["metadata"]["name"]


def test_controllers_select_their_own_pods_and_nobody_elses(rendering):
    controllers = rendering.of("Deployment", "StatefulSet")
    for item in controllers:
        matching = [
            name for name, pod in rendering.pods() if selects(item["spec"]["selector"], pod["metadata"]["labels"])
        ]
        assert matching == [item["metadata"]["name"]]


def test_selectors_and_claims_have_no_label_that_changes(rendering):
    changing = {"app.kubernetes.io/version", "helm.sh/chart"}
    for item in rendering.of("Deployment", "StatefulSet"):
        assert not changing & set(item["spec"]["selector"]["matchLabels"]), "immutable"
        assert not changing & set(item["spec"]["template"]["metadata"]["labels"]), "a new chart would restart every pod"
        for claim in item["spec"].get("volumeClaimTemplates", []):
            assert not changing & set(claim["metadata"].get("labels", {})), "immutable"


def test_a_stateful_set_names_a_service_that_exists(rendering):
    services = {service["metadata"]["name"] for service in rendering.of("Service")}
    for item in rendering.of("StatefulSet"):
        assert item["spec"]["serviceName"] in services


def test_mounts_have_volumes_and_environments_have_no_name_twice(rendering):
    claims = {
        item["metadata"]["name"]: [claim["metadata"]["name"] for claim in item["spec"].get("volumeClaimTemplates", [])]
        for item in rendering.of("StatefulSet")
    }
    for name, pod, container in rendering.containers():
        volumes = [volume["name"] for volume in pod.get("volumes", [])] + claims.get(name.split("/")[0], [])
        assert len(volumes) == len(set(volumes)), name
        mounts = container.get("volumeMounts", [])
        assert {mount["name"] for mount in mounts} <= set(volumes), name
        assert len({mount["mountPath"] for mount in mounts}) == len(mounts), name
        names = [entry["name"] for entry in container.get("env", [])]
        assert len(names) == len(set(names)), name
        assert all(isinstance(entry.get("value", ""), str) for entry in container.get("env", [])), name


def test_pods_refer_to_what_exists(rendering):
    configs = {item["metadata"]["name"] for item in rendering.of("ConfigMap")}
    accounts = {item["metadata"]["name"] for item in rendering.of("ServiceAccount")} | {"default"}
    for name, pod, container in rendering.containers():
        assert pod["serviceAccountName"] in accounts, name
        used = [source["configMapRef"] for source in container.get("envFrom", [])]
        used += [entry["valueFrom"]["configMapKeyRef"] for entry in container.get("env", []) if "configMapKeyRef" in entry.get("valueFrom", {})]
        assert all(reference["name"] in configs or reference.get("optional") for reference in used), name


def test_disruption_budgets_select_pods_and_leave_room(rendering):
    deployments = {item["metadata"]["name"]: item for item in rendering.of("Deployment")}
    budgets = rendering.of("PodDisruptionBudget")
    assert len(budgets) == (0 if rendering.path.stem == "no-policies-values" else len(SERVICES))
    for budget in budgets:
        spec = budget["spec"]
        assert any(selects(spec["selector"], item["spec"]["template"]["metadata"]["labels"]) for item in deployments.values())
        assert "maxUnavailable" in spec or spec["minAvailable"] < deployments[budget["metadata"]["name"]]["spec"]["replicas"]
        assert spec.get("maxUnavailable", 1) != 0, "a node could never be drained"


def test_an_autoscaler_has_a_target_and_replicas_are_its_business(rendering):
    deployments = {item["metadata"]["name"]: item for item in rendering.of("Deployment")}
    scaled = {item["spec"]["scaleTargetRef"]["name"]: item["spec"] for item in rendering.of("HorizontalPodAutoscaler")}
    assert set(scaled) <= set(deployments)
    for name, item in deployments.items():
        assert ("replicas" not in item["spec"]) == (name in scaled), name
    for spec in scaled.values():
        assert spec["minReplicas"] <= spec["maxReplicas"]
    if rendering.path.stem in ("autoscaling-values", "values-prod", "prod"):
        assert scaled


def test_connections_fit_the_server(rendering):
    scaled = {item["spec"]["scaleTargetRef"]["name"]: item["spec"]["maxReplicas"] for item in rendering.of("HorizontalPodAutoscaler")}
    total = 0
    for service in SERVICES:
        item = rendering.own(service)
        (container,) = item["spec"]["template"]["spec"]["containers"]
        pool = next(int(entry["value"]) for entry in container["env"] if entry["name"] == "DB_POOL_SIZE")
        total += pool * scaled.get(item["metadata"]["name"], item["spec"].get("replicas", 1))
    # of the usual 100, a part is for others and for rolling updates
    assert 0 < total <= 80
