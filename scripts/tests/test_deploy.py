"""k8s-deploy and helm-deploy."""

import pytest
from conftest import SERVICES

ROLES = [f"{schema}-{kind}-password" for schema in ("identity", "ai", "chat", "crm", "analytics") for kind in ("db", "migrator")]
ALL_KEYS = {"platform-secret", "postgres-admin-password", "cache-password", *ROLES}


def secrets_dir(world, *keys):
    folder = world.home / "secrets"
    folder.mkdir()
    for key in keys:
        (folder / key).write_text(f"value-of-{key}\n")
    return folder


def test_a_first_deployment_makes_namespace_and_secret_then_applies_waits_and_asks(cluster):
    cluster.reply("get jobs", "bizosaas-migrate-1=/ ", "bizosaas-migrate-1=1/Complete ")
    cluster.run("k8s-deploy")
    cluster.order("create namespace bizosaas-dev", "create secret generic bizosaas", "delete jobs", "apply -k", "get jobs", "curl")
    for service in SERVICES:
        assert cluster.find(f"rollout status deployment/bizosaas-{service}", "--timeout=300s")
    assert "✅ analytics" in cluster.output


def test_the_generated_secret_has_every_key_and_never_leaves_files(cluster):
    cluster.run("k8s-deploy")
    values = cluster.secret_values()
    assert set(values) == ALL_KEYS
    assert len(set(values.values())) == len(values) and all(len(value) >= 32 for value in values.values())
    cluster.assert_secrets_stay_secret(values.values())
    assert cluster.nothing_is_left()


def test_a_second_deployment_keeps_namespace_and_secret(cluster):
    cluster.reply("get namespace", "namespace/bizosaas-dev")
    cluster.reply("get secret .* -o name", "secret/bizosaas")
    cluster.reply("get secret .* go-template", " ".join(ALL_KEYS) + " ")
    cluster.run("k8s-deploy")
    assert not cluster.find("create")
    assert cluster.find("apply -k")


def test_a_secret_that_lacks_keys_is_named_and_nothing_is_applied(cluster):
    cluster.reply("get secret .* -o name", "secret/bizosaas")
    cluster.reply("get secret .* go-template", "platform-secret identity-db-password ai-db-password chat-db-password crm-db-password ")
    cluster.run("k8s-deploy", code=1)
    assert "lacks: analytics-db-password" in cluster.output
    assert not cluster.find("apply")


def test_given_secrets_are_used_without_their_newline_and_the_rest_is_generated(cluster):
    folder = secrets_dir(cluster, "platform-secret", "llm-api-key")
    cluster.run("k8s-deploy", "--secrets", folder)
    values = cluster.secret_values()
    assert set(values) == ALL_KEYS | {"llm-api-key"}
    assert values["platform-secret"] == "value-of-platform-secret"
    cluster.assert_secrets_stay_secret(values.values())


def test_an_existing_postgres_needs_the_roles_passwords(cluster):
    folder = secrets_dir(cluster, *ROLES[1:])
    cluster.run("k8s-deploy", "--overlay", "reuse-infrastructure", "--secrets", folder, code=1)
    assert f"missing: {ROLES[0]}\n" in cluster.output
    assert not cluster.find("create secret")


def test_an_existing_postgres_needs_no_administrator(cluster):
    folder = secrets_dir(cluster, *ROLES)
    cluster.run("k8s-deploy", "--overlay", "reuse-infrastructure", "--secrets", folder)
    assert set(cluster.secret_values()) == {"platform-secret", *ROLES}


def test_a_dry_run_changes_nothing_and_shows_what_it_would_do(cluster):
    cluster.run("k8s-deploy", "--dry-run")
    assert cluster.changes() == []
    for text in ("+ kubectl --namespace bizosaas-dev create namespace bizosaas-dev", "create secret generic bizosaas", "apply -k", "health-check.sh"):
        assert text in cluster.output
    assert cluster.nothing_is_left()


def test_tag_registry_and_namespace_come_by_a_kustomization_around_the_overlay(cluster):
    cluster.run("k8s-deploy", "--tag", "0.2.0", "--registry", "registry.example/", "--namespace", "acme")
    (applied,) = cluster.find("apply -k")
    text = applied.files["kustomization.yaml"]
    assert "namespace: acme\nresources: [../../k8s/overlays/dev]" in text
    assert "  - name: bizosaas/crm\n    newName: registry.example/bizosaas/crm\n    newTag: '0.2.0'\n" in text
    assert text.count("newTag") == 6
    assert all("--namespace acme" in line for line in cluster.lines() if line.startswith("kubectl") and "version" not in line)


def test_a_failed_migration_ends_it_with_the_jobs_log(cluster):
    cluster.reply("get jobs", "bizosaas-migrate-1=/FailureTarget Failed ")
    cluster.reply(" logs ", "error: password authentication failed")
    cluster.run("k8s-deploy", code=1)
    assert "password authentication failed" in cluster.output and "docs/troubleshooting.md" in cluster.output
    assert not cluster.find("rollout status")


def test_a_migration_that_does_not_end_is_not_waited_for_for_ever(cluster):
    cluster.reply("get jobs", "bizosaas-migrate-1=/ ")
    cluster.run("k8s-deploy", "--timeout", "1", code=1)
    assert "within 1 seconds (late)" in cluster.output


def test_a_rollout_that_fails_names_the_service(cluster):
    cluster.reply("rollout status deployment/bizosaas-chatbot", code=1)
    cluster.run("k8s-deploy", code=1)
    assert "chatbot did not become ready" in cluster.output


def test_services_without_nodeports_are_not_asked(cluster):
    cluster.reply("get service bizosaas-identity", "ClusterIP")
    cluster.run("k8s-deploy")
    assert not cluster.find("curl")


def test_a_cluster_elsewhere_is_asked_at_its_node(cluster):
    cluster.reply("config view", "https://10.9.8.7:6443")
    cluster.reply("get nodes", "10.9.8.7")
    cluster.run("k8s-deploy")
    assert cluster.find("http://10.9.8.7:30105/health")


def test_a_cluster_that_does_not_answer_is_said_first(cluster):
    cluster.reply("kubectl .*version", code=1)
    cluster.run("k8s-deploy", code=1)
    assert "the cluster does not answer" in cluster.output and cluster.changes() == []


@pytest.mark.parametrize(("version", "flag"), [("v3.18.4", "--atomic"), ("v4.1.0", "--rollback-on-failure")])
def test_helm_undoes_a_failed_upgrade_by_the_flag_of_its_version(cluster, version, flag):
    cluster.reply("helm version", version)
    cluster.run("helm-deploy")
    (call,) = cluster.find("helm", "upgrade --install bizosaas")
    assert call.line.endswith(f"helm/bizosaas --create-namespace --wait --timeout 300s {flag}")
    assert "--namespace bizosaas-dev" in call.line
    cluster.order("upgrade --install", "curl")


def test_an_unknown_helm_is_refused(cluster):
    cluster.reply("helm version", "2.17")
    cluster.run("helm-deploy", code=1)
    assert cluster.changes() == []


def test_helm_gets_values_tag_registry_and_context(cluster):
    values = cluster.write("my-values.yaml", "defaults: {replicas: 2}\n")
    cluster.run(
        "helm-deploy", "--values", values, "--set", "log.level=debug", "--tag", "0.2.0", "--registry", "registry.example/",
        "--context", "there", "--no-rollback", "--timeout", "60",
    )  # fmt: skip
    (call,) = cluster.find("helm", "upgrade")
    for words in (
        f"--values {values}", "--set log.level=debug", "--set-string image.tag=0.2.0", "--kube-context there",
        "--set-string image.registry=registry.example", "--wait --timeout 60s",
    ):  # fmt: skip
        assert words in call.line
    assert "rollback" not in call.line and "atomic" not in call.line
    assert all("--context there" in line for line in cluster.lines() if line.startswith("kubectl"))


@pytest.mark.parametrize("key", ["database.password", "llm.apiKey", "platformSecret"])
def test_a_secret_on_helms_command_line_is_refused(cluster, key):
    cluster.run("helm-deploy", "--set", f"{key}=hunter2hunter2", code=2)
    assert "hunter2" not in cluster.output and cluster.calls() == []


def test_helm_uses_a_secret_made_of_files(cluster):
    folder = secrets_dir(cluster, "platform-secret", "llm-api-key")
    cluster.run("helm-deploy", "--secrets", folder)
    cluster.order("create namespace", "create secret generic bizosaas-secrets", "upgrade --install")
    assert cluster.find("helm", "--set-string secrets.existingSecret=bizosaas-secrets")
    cluster.assert_secrets_stay_secret(cluster.secret_values().values())


def test_a_dry_run_of_helm_changes_nothing(cluster):
    cluster.run("helm-deploy", "--dry-run", "--secrets", secrets_dir(cluster, "platform-secret"))
    assert cluster.changes() == []
    assert "+ helm --namespace bizosaas-dev upgrade --install bizosaas" in cluster.output


def test_a_failed_helm_shows_the_pods(cluster):
    cluster.reply("helm .*upgrade", code=1)
    cluster.reply("get pods", "bizosaas-crm-1 CreateContainerConfigError")
    cluster.run("helm-deploy", code=1)
    assert "CreateContainerConfigError" in cluster.output and not cluster.find("curl")
