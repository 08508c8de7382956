"""What every pod has to be: restricted, bounded, probed."""

from chart import SERVICES

# A read-only root and these emptyDirs; nothing else is written.
WRITABLE = {
    "postgres": {"/var/run/postgresql", "/tmp", "/dev/shm"},
    "redis": {"/data", "/tmp"},
    "ollama": {"/tmp"},
    "pull": {"/tmp"},
}


def test_every_container_is_restricted(rendering):
    for name, pod, container in rendering.containers():
        security, of_pod = container["securityContext"], pod["securityContext"]
        assert security["allowPrivilegeEscalation"] is False, name
        assert security["capabilities"] == {"drop": ["ALL"]}, name
        assert security["readOnlyRootFilesystem"] is True, name
        assert security.get("privileged", False) is False, name
        assert {**of_pod, **security}["runAsNonRoot"] is True, name
        assert {**of_pod, **security}["runAsUser"] > 0, name
        assert {**of_pod, **security}["seccompProfile"] == {"type": "RuntimeDefault"}, name
        for forbidden in ("hostNetwork", "hostPID", "hostIPC"):
            assert not pod.get(forbidden), name
        assert not any("hostPort" in port for port in container.get("ports", [])), name


def test_volumes_are_of_the_kinds_that_restricted_allows(rendering):
    allowed = {"configMap", "emptyDir", "projected", "secret", "persistentVolumeClaim", "downwardAPI", "csi", "ephemeral"}
    for name, pod in rendering.pods():
        for volume in pod["spec"].get("volumes", []):
            assert set(volume) - {"name"} <= allowed, name


def test_an_empty_directory_is_only_where_something_is_written(rendering):
    for name, pod, container in rendering.containers():
        empty = {volume["name"] for volume in pod.get("volumes", []) if "emptyDir" in volume}
        mounted = {mount["mountPath"] for mount in container.get("volumeMounts", []) if mount["name"] in empty}
        more = {"/more"} if rendering.path.stem == "extras-values" else set()
        data = {"/var/lib/postgresql/data"} if rendering.path.stem == "cache-off-values" else set()
        assert mounted <= WRITABLE.get(container["name"], set()) | more | data, name
        assert WRITABLE.get(container["name"], set()) <= mounted, name


def test_every_container_has_requests_and_a_memory_limit(rendering):
    for name, _, container in rendering.containers():
        resources = container["resources"]
        assert {"cpu", "memory"} <= set(resources["requests"]), name
        assert "memory" in resources["limits"], name
        assert "cpu" not in resources["limits"], f"{name}: a CPU limit throttles bursts"


def test_no_pod_has_a_token_or_the_addresses_of_other_services(rendering):
    for name, pod in rendering.pods():
        assert pod["spec"]["automountServiceAccountToken"] is False, name
        # CRM_PORT=tcp://... would be taken for configuration
        assert pod["spec"]["enableServiceLinks"] is False, name
    for account in rendering.of("ServiceAccount"):
        assert account["automountServiceAccountToken"] is False


def test_servers_have_three_probes_and_readiness_differs_from_liveness(rendering):
    for item in rendering.of("Deployment", "StatefulSet"):
        for container in item["spec"]["template"]["spec"]["containers"]:
            name = f"{item['metadata']['name']}/{container['name']}"
            assert {"startupProbe", "livenessProbe", "readinessProbe"} <= set(container), name
            actions = ("httpGet", "tcpSocket", "exec", "grpc")
            live, ready = (
                {action: container[probe].get(action) for action in actions} for probe in ("livenessProbe", "readinessProbe")
            )
            assert live != ready, name


def test_liveness_of_a_service_asks_nothing_but_the_process(rendering):
    for service in SERVICES:
        (container,) = rendering.own(service)["spec"]["template"]["spec"]["containers"]
        for probe in ("startupProbe", "livenessProbe"):
            assert container[probe]["httpGet"] == {"path": "/health/live", "port": "http"}, service
        assert container["readinessProbe"]["httpGet"] == {"path": "/health/ready", "port": "http"}, service


def test_jobs_and_tests_do_not_restart_for_ever(rendering):
    for item in rendering.of("Job"):
        assert item["spec"]["activeDeadlineSeconds"] > 0 and item["spec"]["backoffLimit"] > 0
        assert item["spec"]["template"]["spec"]["restartPolicy"] in ("Never", "OnFailure")
        if "podFailurePolicy" in item["spec"]:
            assert item["spec"]["template"]["spec"]["restartPolicy"] == "Never", "the API server refuses another"
    for item in rendering.of("Pod"):
        assert item["spec"]["restartPolicy"] == "Never"


def test_a_stop_in_order_fits_into_the_grace_period(rendering):
    for service in SERVICES:
        pod = rendering.own(service)["spec"]["template"]["spec"]
        (container,) = pod["containers"]
        env = {entry["name"]: entry.get("value", "") for entry in container["env"]}
        before = container.get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
        seconds = before + sum(int(env[name].removesuffix("s")) for name in ("DRAIN_DELAY", "GRACE_PERIOD"))
        assert pod["terminationGracePeriodSeconds"] >= seconds + 12, service


def test_nothing_needs_a_shell_in_an_image_without_one(rendering):
    for name, _, container in rendering.containers():
        if not container["image"].rpartition("/")[0].endswith("bizosaas"):
            continue
        assert "command" not in container, f"{name}: the entry point is the binary"
        commands = [container.get(probe, {}).get("exec") for probe in ("startupProbe", "livenessProbe", "readinessProbe")]
        hooks = [hook.get("exec") for hook in container.get("lifecycle", {}).values()]
        assert not any([*commands, *hooks]), name


def test_images_are_pinned(rendering):
    for name, _, container in rendering.containers():
        image = container["image"]
        _, separator, tag = image.rpartition("@" if "@" in image else ":")
        assert separator and tag and tag != "latest", f"{name}: {image}"
        assert "/" not in tag, f"{name}: {image} has no tag"


def test_replicas_spread_over_nodes(rendering):
    for service in SERVICES:
        template = rendering.own(service)["spec"]["template"]
        (constraint,) = template["spec"]["topologySpreadConstraints"]
        assert constraint["topologyKey"] == "kubernetes.io/hostname"
        assert constraint["labelSelector"]["matchLabels"].items() <= template["metadata"]["labels"].items()
