"""k8s-deploy and helm-deploy."""

import re

import pytest
from conftest import BUNDLED, SERVICES

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
        assert cluster.find(f"rollout status deployment/bizosaas-{service}", "--timeout=900s")
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
    released(cluster)
    cluster.run("helm-deploy")
    (call,) = cluster.find("helm", "upgrade --install bizosaas")
    assert call.line.endswith(f"helm/bizosaas --create-namespace --reset-then-reuse-values --wait --timeout 900s {flag}")
    assert "--namespace bizosaas-dev" in call.line
    cluster.order("upgrade --install", "curl")


def released(cluster, manifest=BUNDLED, status="deployed"):
    """A release of Helm is there."""
    cluster.reply("helm .*history", f"REVISION\tUPDATED\tSTATUS\n3\tMon Nov  2 10:00:00 2026\t{status}\tbizosaas-0.1.0\n")
    cluster.reply("helm .*get values", "registration: {policy: disabled}\n")
    cluster.reply("helm .*get manifest", manifest)


@pytest.mark.parametrize("status", [None, "failed", "pending-install"])
def test_a_first_installation_is_not_undone(cluster, status):
    if status:
        released(cluster, status=status)
    cluster.run("helm-deploy")
    (call,) = cluster.find("helm", "upgrade --install")
    assert "--rollback-on-failure" not in call.line and "--wait" in call.line


def test_an_upgrade_keeps_the_releases_values_and_its_database(cluster):
    released(cluster)
    cluster.run("helm-deploy", "--tag", "0.2.0")
    cluster.order("get values bizosaas --revision 3", "get manifest bizosaas --revision 3", "template bizosaas", "upgrade --install")
    (call,) = cluster.find("upgrade --install")
    assert "--reset-then-reuse-values" in call.line
    (rendered,) = cluster.find("helm", " template ")
    assert "--set-string image.tag=0.2.0" in rendered.line


@pytest.mark.parametrize(("before", "after", "change"), [("kind: Job\n", BUNDLED, "external.*bundled"), (BUNDLED, "", "bundled.*external")])
def test_a_release_does_not_leave_its_database(cluster, before, after, change):
    released(cluster, before)
    cluster.reply(" template bizosaas", after)
    cluster.run("helm-deploy", "--secrets", secrets_dir(cluster, *ROLES), code=1)
    assert re.search(f"database.mode of bizosaas is {change}", cluster.output)
    assert cluster.changes() == [] and cluster.nothing_is_left()


def test_values_that_the_chart_refuses_change_nothing(cluster):
    cluster.reply(" template bizosaas", code=1)
    cluster.run("helm-deploy", "--secrets", secrets_dir(cluster, *ROLES), code=1)
    assert "does not accept these values" in cluster.output and cluster.changes() == []


@pytest.mark.parametrize("before", ["", "kind: Job\n  name: bizosaas-secrets\n"])
def test_the_secret_of_an_earlier_run_is_used_on(cluster, before):
    cluster.reply(" template bizosaas", "kind: Job\n")
    if before:
        released(cluster, before)
    cluster.reply("get secret bizosaas-secrets .*-o name", "secret/bizosaas-secrets")
    cluster.run("helm-deploy", "--values", "helm/bizosaas/values-reuse-infrastructure.yaml")
    (call,) = cluster.find("upgrade --install")
    assert "--set-string secrets.existingSecret=bizosaas-secrets" in call.line and not cluster.find("create secret")


def test_a_release_with_another_secret_keeps_it(cluster):
    cluster.reply("get secret bizosaas-secrets .*-o name", "secret/bizosaas-secrets")
    cluster.run("helm-deploy", "--set", "secrets.existingSecret=vault")
    assert not cluster.find("existingSecret=bizosaas-secrets")
    released(cluster, BUNDLED + "  name: bizosaas\n")
    cluster.run("helm-deploy")
    assert not cluster.find("existingSecret=bizosaas-secrets") and cluster.find("upgrade --install")


def test_helm_with_an_existing_postgres_needs_the_roles_passwords(cluster):
    cluster.reply(" template bizosaas", "kind: Job\n")
    folder = secrets_dir(cluster, *ROLES[1:])
    cluster.run("helm-deploy", "--secrets", folder, code=1)
    assert f"missing: {ROLES[0]}\n" in cluster.output and not cluster.find("create secret")


def test_an_existing_postgres_beside_a_bundled_redis_needs_a_password_for_that_only(cluster):
    cluster.reply(" template bizosaas", "  app.kubernetes.io/component: redis\n")
    cluster.run("helm-deploy", "--secrets", secrets_dir(cluster, *ROLES))
    assert set(cluster.secret_values()) == {"platform-secret", "cache-password", *ROLES}


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
