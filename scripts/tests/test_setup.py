"""setup-k3s, setup-kind, setup-minikube."""

import pytest
import yaml
from conftest import SCRIPTS, SERVICES

OURS = [f"bizosaas/{name}:0.1.0" for name in ("bizosaas", *SERVICES)]


@pytest.fixture
def machine(cluster):
    """Images are built, no cluster is there yet."""
    cluster.reply("kind get clusters", "other\n")
    cluster.reply("minikube .*status", code=7)
    cluster.reply("minikube .*ip", "192.168.49.2")
    return cluster


def test_kind_is_created_with_nodeports_then_images_then_the_chart(machine):
    machine.run("setup-kind")
    machine.order("kind create cluster --name bizosaas --config", "docker save --output", "kind load image-archive", "helm --kube-context kind-bizosaas", "curl")
    (save,) = machine.find("docker save --output")
    assert all(image in save.line for image in [*OURS, "pgvector/pgvector:pg17", "valkey/valkey:8"])
    (load,) = machine.find("kind load")
    assert load.line == f"kind load image-archive {save.arguments[2]} --name bizosaas"
    assert machine.nothing_is_left()
    assert machine.find("http://localhost:30101/health")


def test_kind_gets_one_platform_of_each_image_where_docker_can_choose(machine):
    machine.reply("docker save --help", "      --platform string")
    machine.reply("docker version", "linux/amd64")
    machine.run("setup-kind")
    assert machine.find("docker save --platform linux/amd64 --output", *OURS)


def test_the_kind_configuration_passes_the_nodeports_on_to_this_machine_only():
    config = yaml.safe_load((SCRIPTS / "manifests" / "kind.yaml").read_text())
    mappings = config["nodes"][0]["extraPortMappings"]
    assert [mapping["hostPort"] for mapping in mappings] == list(range(30100, 30106))
    assert all(mapping["hostPort"] == mapping["containerPort"] and mapping["listenAddress"] == "127.0.0.1" for mapping in mappings)


def test_an_existing_kind_cluster_is_used_again(machine):
    machine.reply("kind get clusters", "bizosaas\n")
    machine.run("setup-kind")
    assert not machine.find("kind create") and machine.find("kind load") and machine.find("upgrade --install")


def test_a_kind_cluster_without_the_ports_is_refused(machine):
    machine.reply("kind get clusters", "bizosaas\n")
    machine.reply("docker port", code=1)
    machine.run("setup-kind", code=1)
    assert "cannot add ports" in machine.output and machine.changes() == []


def test_minikube_is_started_with_nodeports_and_asked_at_its_address(machine):
    machine.run("setup-minikube")
    machine.order("minikube start --profile bizosaas --driver docker", "minikube image load", "helm --kube-context bizosaas", "curl")
    (start,) = machine.find("minikube start")
    assert all(f"--ports=127.0.0.1:{port}:{port}" in start.line for port in range(30101, 30106))
    assert len(machine.find("minikube image load", "--profile bizosaas")) == 8
    assert machine.find("http://192.168.49.2:30105/health")


def test_a_running_minikube_is_used_again(machine):
    machine.reply("minikube .*status", "Running")
    machine.run("setup-minikube")
    assert not machine.find("minikube start") and machine.find("minikube image load")


def test_a_k3s_that_runs_gets_the_images_by_a_pipe(machine):
    machine.reply("docker save", "IMAGES")
    machine.run("setup-k3s")
    (imported,) = machine.find("k3s ctr images import -")
    assert imported.stdin == "IMAGES"
    (saved,) = machine.find("docker save")
    assert all(image in saved.line for image in OURS)
    machine.order("k3s kubectl wait", "images import", "images label", "upgrade --install", "curl")
    for image in OURS:
        assert machine.find("k3s ctr images label", f"docker.io/{image} io.cri-containerd.pinned=pinned")
    assert not machine.find("get.k3s.io")


def test_k3s_is_installed_only_after_a_yes(machine):
    machine.uninstall("k3s")
    machine.run("setup-k3s", code=1)
    assert "--yes" in machine.output and machine.changes() == []


def test_k3s_is_installed_by_the_given_script(machine):
    installer = machine.write("install.sh", f'cp "{machine.bin}/kind" "{machine.bin}/k3s"\n')
    machine.uninstall("k3s")
    machine.run("setup-k3s", "--yes", "--installer", installer)
    assert machine.find("k3s ctr images import") and not machine.find("get.k3s.io")


@pytest.mark.parametrize("script", ["setup-k3s", "setup-kind", "setup-minikube"])
class TestAll:
    def test_missing_images_are_named_before_anything_is_made(self, machine, script):
        machine.reply("docker image inspect bizosaas/crm", code=1)
        machine.run(script, code=1)
        assert "bizosaas/crm:0.1.0" in machine.output and "docker-build.sh" in machine.output
        assert machine.changes() == []

    def test_foreign_images_that_are_not_here_are_left_to_the_cluster(self, machine, script):
        machine.reply("docker image inspect pgvector", code=1)
        machine.reply("docker image inspect valkey", code=1)
        machine.run(script)
        assert not [line for line in machine.lines() if "pgvector" in line and "inspect" not in line]

    def test_without_loading_docker_saves_nothing(self, machine, script):
        machine.run(script, "--no-load", "--tag", "0.3.0")
        for words in ("docker image inspect", "docker save", "images import", "kind load", "image load"):
            assert not machine.find(words)
        assert machine.find("upgrade", "image.tag=0.3.0")

    def test_values_and_names_reach_the_chart(self, machine, script):
        machine.run(script, "--values", "/tmp/mine.yaml", "--namespace", "acme", "--release", "bizosaas-acme")
        (call,) = machine.find("upgrade --install bizosaas-acme")
        assert "--values /tmp/mine.yaml" in call.line and "--namespace acme" in call.line

    def test_a_dry_run_changes_nothing(self, machine, script):
        machine.run(script, "--dry-run")
        assert machine.changes() == [] and "+ scripts/helm-deploy.sh" in machine.output

    def test_a_missing_helm_is_said_before_anything_is_made(self, machine, script):
        machine.uninstall("helm")
        machine.run(script, code=1)
        assert "helm is missing" in machine.output and machine.changes() == []


@pytest.mark.parametrize("registry", ["registry.example", "registry.example/"])
def test_images_are_built_and_pushed_under_the_names_that_are_deployed(world, registry):
    world.write("Cargo.toml", 'version = "0.1.0"\n')
    world.run("docker-build", "--registry", registry, "--tag", "0.1.0", "--push", "crm")
    assert world.find("docker build", "--tag registry.example/bizosaas/crm:0.1.0 ")
    assert world.find("docker push registry.example/bizosaas/crm:0.1.0")
