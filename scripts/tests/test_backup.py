"""backup and restore, and the pod that they run."""

import hashlib

import pytest
import yaml

DATA = "a backup\n"
DIGEST = hashlib.sha256(DATA.encode()).hexdigest()


@pytest.fixture
def running(cluster):
    cluster.reply("get deployment bizosaas-identity .*containers[0].image", "bizosaas/identity:0.1.0")
    cluster.reply("get secret .* go-template", "platform-secret postgres-admin-password ")
    cluster.reply("get pod bizosaas-operator.*phase", "Pending", "Running", "Succeeded")
    cluster.reply("get pod bizosaas-operator.*startedAt", "", "2026-11-26T12:00:00Z")
    cluster.reply(" exec .* cat /backup", DATA)
    cluster.reply(" exec .* sha256sum", f"{DIGEST}  /backup/backup.tar\n")
    cluster.reply(" logs ", "backup written")
    return cluster


def pod_of(world):
    (created,) = world.find("create --filename")
    return yaml.safe_load(created.files["pod.yaml"])


def assert_restricted(pod):
    spec = pod["spec"]
    assert spec["securityContext"]["runAsNonRoot"] and spec["securityContext"]["seccompProfile"]["type"] == "RuntimeDefault"
    assert spec["automountServiceAccountToken"] is False and spec["restartPolicy"] == "Never"
    for container in spec["containers"] + spec.get("initContainers", []):
        security = container["securityContext"]
        assert security["allowPrivilegeEscalation"] is False and security["readOnlyRootFilesystem"] is True
        assert security["capabilities"] == {"drop": ["ALL"]}
        assert container["resources"]["requests"] and container["resources"]["limits"]["memory"]


def test_a_backup_is_made_in_the_cluster_fetched_whole_and_the_pod_removed(running):
    out = running.home / "backups" / "today.tar"
    running.run("backup", "--out", out)
    assert out.read_text() == DATA
    running.order("create --filename", "phase", "exec", "sha256sum", "touch /backup/passed", "delete pod bizosaas-operator-")
    pod = pod_of(running)
    assert_restricted(pod)
    (operator,) = pod["spec"]["initContainers"]
    assert operator["image"] == "bizosaas/bizosaas:0.1.0"
    assert operator["args"] == ["backup", "--out", "/backup/backup.tar"]
    assert pod["spec"]["containers"][0]["image"] == "pgvector/pgvector:pg17"
    assert pod["metadata"]["labels"]["app.kubernetes.io/instance"] == "bizosaas"


def test_the_operators_secrets_are_files(running):
    running.run("backup", "--out", running.home / "b.tar")
    pod = pod_of(running)
    (operator,) = pod["spec"]["initContainers"]
    environment = {entry["name"]: entry["value"] for entry in operator["env"]}
    passwords = [name for name in environment if "PASSWORD" in name or "SECRET" in name]
    assert len(passwords) == 12
    assert all(name.endswith("_FILE") and environment[name].startswith("/run/secrets/bizosaas/") for name in passwords)
    assert operator["envFrom"] == [{"configMapRef": {"name": "bizosaas"}}]
    assert environment["POSTGRES_USER"] == "postgres"


def test_secret_ca_and_pull_secret_are_those_of_the_services(running):
    running.reply("get deployment .*'secrets'", "from-vault")
    running.reply("get deployment .*'database-ca'", "postgres-ca")
    running.reply("get deployment .*imagePullSecrets", "registry")
    running.reply("get deployment .*configMapRef", "bizosaas-5h8g7c")
    running.run("backup", "--out", running.home / "b.tar", "--admin-user", "root")
    pod = pod_of(running)
    volumes = {volume["name"]: volume for volume in pod["spec"]["volumes"]}
    assert volumes["secrets"]["secret"]["secretName"] == "from-vault"
    assert volumes["database-ca"]["secret"]["secretName"] == "postgres-ca"
    assert pod["spec"]["imagePullSecrets"] == [{"name": "registry"}]
    operator = pod["spec"]["initContainers"][0]
    assert operator["envFrom"] == [{"configMapRef": {"name": "bizosaas-5h8g7c"}}]
    assert {"name": "POSTGRES_USER", "value": "root"} in operator["env"]
    assert "/run/secrets/database-ca" in [mount["mountPath"] for mount in operator["volumeMounts"]]


def test_keys_that_are_in_several_secrets_are_refused(running):
    running.reply("get deployments,jobs .*sources[*]", "bizosaas bizosaas pg-superuser")
    running.run("backup", "--out", running.home / "b.tar", code=1)
    assert "pg-superuser" in running.output and "secrets.existingSecret" in running.output and running.changes() == []
    running.reply("get deployments,jobs .*sources[*]", "bizosaas bizosaas")
    running.run("backup", "--out", running.home / "b.tar")


def test_a_backup_that_was_damaged_on_its_way_leaves_no_file(running):
    running.reply(" exec .* cat /backup", "half a b")
    running.run("backup", "--out", running.home / "b.tar", code=1)
    assert "damaged" in running.output and not list(running.home.glob("b.tar*"))
    assert running.find("delete pod")


def test_a_failed_backup_shows_the_operators_log(running):
    running.reply("get pod bizosaas-operator.*phase", "Failed")
    running.reply(" logs ", "error: permission denied for schema crm")
    running.run("backup", "--out", running.home / "b.tar", code=1)
    assert "permission denied" in running.output and not (running.home / "b.tar").exists()


def test_a_backup_never_overwrites(running):
    (running.home / "b.tar").write_text("precious")
    running.run("backup", "--out", running.home / "b.tar", code=1)
    assert (running.home / "b.tar").read_text() == "precious" and running.calls() == []


def test_without_the_administrators_password_nothing_is_started(running):
    running.reply("get secret .* go-template", "platform-secret ")
    running.run("backup", "--out", running.home / "b.tar", code=1)
    assert "postgres-admin-password" in running.output and running.changes() == []


def test_images_by_digest_need_the_operators_name(running):
    running.reply("get deployment bizosaas-identity .*containers[0].image", "bizosaas/identity@sha256:0011")
    running.run("backup", "--out", running.home / "b.tar", code=1)
    assert "--image" in running.output
    running.run("backup", "--out", running.home / "b.tar", "--image", "bizosaas/bizosaas@sha256:22")
    assert pod_of(running)["spec"]["initContainers"][0]["image"] == "bizosaas/bizosaas@sha256:22"


@pytest.mark.parametrize("script", ["backup", "restore"])
def test_a_dry_run_changes_nothing(running, script):
    file = running.home / "b.tar"
    if script == "restore":
        file.write_text(DATA)
    running.run(script, *(["--in", file, "--verify"] if script == "restore" else ["--out", file]), "--dry-run")
    assert running.changes() == [] and "+ kubectl" in running.output
    running.run(script, *(["--in", file, "--verify"] if script == "restore" else ["--out", file]), "--dry-run", "--compose")
    assert running.changes() == [] and "+ docker compose" in running.output


def test_a_restore_gives_the_file_to_the_operator_and_shows_what_it_says(running):
    file = running.home / "b.tar"
    file.write_text(DATA)
    running.reply(" logs ", "verified: 5 schemas, row-level security forced")
    running.run("restore", "--in", file, "--verify")
    assert "row-level security forced" in running.output
    (given,) = running.find("exec --stdin", "cat >/backup/backup.tar")
    assert given.stdin == DATA
    running.order("create --filename", "startedAt", "exec --stdin", "sha256sum", "touch /backup/passed", "phase", "logs", "delete pod")
    pod = pod_of(running)
    assert_restricted(pod)
    assert [container["name"] for container in pod["spec"]["initContainers"]] == ["files"]
    assert pod["spec"]["containers"][0]["args"] == ["restore", "--in", "/backup/backup.tar", "--verify"]


def test_a_restore_into_a_database_asks(running):
    file = running.home / "b.tar"
    file.write_text(DATA)
    running.run("restore", "--in", file, "--into", "bizosaas_2", code=1)
    assert running.changes() == [] and "Restore" in running.output
    running.run("restore", "--in", file, "--into", "bizosaas_2", "--yes")
    assert pod_of(running)["spec"]["containers"][0]["args"][-2:] == ["--into", "bizosaas_2"]


@pytest.mark.parametrize(
    "arguments",
    [[], ["--verify"], ["--in", "FILE"], ["--in", "FILE", "--verify", "--into", "x"], ["--in", "FILE", "--into", "x], [y"]],
)
def test_a_restore_that_is_not_clear_is_refused(running, arguments):
    file = running.home / "b.tar"
    file.write_text(DATA)
    running.run("restore", *[file if word == "FILE" else word for word in arguments], code=2)
    assert running.calls() == []


def test_a_failed_restore_fails(running):
    file = running.home / "b.tar"
    file.write_text(DATA)
    running.reply("get pod bizosaas-operator.*phase", "Failed")
    running.reply(" logs ", "the database bizosaas_2 is not empty")
    running.run("restore", "--in", file, "--into", "bizosaas_2", "--yes", code=1)
    assert "is not empty" in running.output
