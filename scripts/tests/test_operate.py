"""k8s-status, k8s-delete, rollback."""

import json

import pytest
import yaml
from conftest import SERVICES

MANIFEST = """\
          image: "pgvector/pgvector:pg17"
          image: "bizosaas/identity:0.1.0"
          image: "bizosaas/bizosaas:0.1.0"
"""
HISTORY = """\
REVISION\tUPDATED\tSTATUS\tCHART\tAPP VERSION\tDESCRIPTION
1\tMon Nov  2 10:00:00 2026\tsuperseded\tbizosaas-0.1.0\t0.1.0\tInstall complete
2\tTue Nov  3 10:00:00 2026\tsuperseded\tbizosaas-0.1.0\t0.1.0\tUpgrade complete
3\tWed Nov  4 10:00:00 2026\tfailed\tbizosaas-0.2.0\t0.2.0\tUpgrade failed
4\tWed Nov  4 11:00:00 2026\tdeployed\tbizosaas-0.2.0\t0.2.0\tUpgrade complete
"""


def schema_levels(state):
    schemas = [{"schema": "crm", "state": "current", "migrations": [{"version": 100, "name": "leads", "state": "applied"}]}]
    schemas.append({"schema": "chat", "state": state, "migrations": []})
    return json.dumps({"release": "0.1.0", "current": state in ("current", "newer"), "schemas": schemas}, indent=2)


@pytest.fixture
def released(cluster):
    """A release of Helm whose fourth revision runs."""
    cluster.reply("helm .*status", "deployed")
    cluster.reply("helm .*history", HISTORY)
    cluster.reply("helm .*get manifest", MANIFEST)
    cluster.reply("get namespace", "namespace/bizosaas-dev")
    cluster.reply("get secret .* go-template", "platform-secret postgres-admin-password ")
    cluster.reply("get pod bizosaas-operator.*phase", "Pending", "Succeeded")
    cluster.reply(" logs bizosaas-operator", schema_levels("newer"))
    return cluster


@pytest.fixture
def applied(released):
    """The same without Helm."""
    released.reply("helm .*status", code=1)
    released.reply("get deployment bizosaas-identity .*containers[0].image", "registry.example/bizosaas/identity:0.2.0")
    return released


def test_status_is_zero_only_when_all_replicas_are_there_and_healthy(applied):
    states = "".join(f"bizosaas-{name} 2 2\n" for name in SERVICES)
    applied.reply("get deployments .*jsonpath", states)
    applied.run("k8s-status")
    assert applied.changes() == []
    applied.reply("get deployments .*jsonpath", states.replace("crm 2 2", "crm 2 1"))
    applied.run("k8s-status", code=1)
    assert "crm: 1 of 2 replicas are available" in applied.output


def test_status_fails_when_a_service_is_not_healthy_or_not_there(applied):
    applied.reply("get deployments .*jsonpath", "".join(f"bizosaas-{name} 1 1\n" for name in SERVICES))
    applied.reply("curl .*30103", '{"status":"unhealthy"}\n503')
    applied.run("k8s-status", code=1)
    assert "❌ chatbot" in applied.output
    applied.reply("get deployments .*jsonpath", "")
    applied.run("k8s-status", code=1)
    assert "identity: 0 of 1 replicas are available" in applied.output


def test_status_of_a_namespace_that_is_not_there(cluster):
    cluster.run("k8s-status", "--namespace", "nowhere", code=1)
    assert "there is no namespace nowhere" in cluster.output


def test_delete_asks_and_without_an_answer_changes_nothing(released):
    released.run("k8s-delete", code=1)
    assert "--yes" in released.output and released.changes() == []


def test_delete_keeps_data_and_secrets(released):
    released.run("k8s-delete", "--yes")
    released.order("uninstall bizosaas --wait", "delete deployments,")
    for call in released.changes():
        assert "persistentvolumeclaims" not in call.line and "secret" not in call.line, call.line
        assert "delete namespace" not in call.line


def test_delete_with_purge_removes_data_and_secrets_of_this_release_only(released):
    released.run("k8s-delete", "--yes", "--purge")
    assert released.find("delete persistentvolumeclaims --selector app.kubernetes.io/instance=bizosaas")
    assert released.find("delete secrets bizosaas bizosaas-secrets")
    assert not [call for call in released.changes() if "--all" in call.line or "delete namespace" in call.line]


def test_delete_without_helm_works_by_label(applied):
    applied.run("k8s-delete", "--yes")
    assert not applied.find("uninstall")
    assert applied.find("kubectl", "delete deployments,", "--selector app.kubernetes.io/instance=bizosaas")


def test_a_release_of_helm_is_not_taken_apart_without_helm(applied):
    applied.uninstall("helm")
    applied.reply("get secrets --selector owner=helm", "secret/sh.helm.release.v1.bizosaas.v4")
    applied.run("k8s-delete", "--yes", code=1)
    assert "was installed with Helm" in applied.output and applied.changes() == []


def test_deleting_what_is_not_there_is_no_failure(cluster):
    cluster.run("k8s-delete", "--yes")
    assert cluster.changes() == [] and "nothing to delete" in cluster.output


def test_a_dry_run_of_delete_changes_nothing(released):
    released.run("k8s-delete", "--dry-run", "--purge")
    assert released.changes() == []
    assert "+ helm --namespace bizosaas-dev uninstall bizosaas" in released.output


def test_rollback_asks_the_earlier_image_about_the_database_and_goes_back_one_good_revision(released):
    released.run("rollback", "--yes")
    released.order("history", "get manifest bizosaas --revision 2", "create --filename", "logs", "rollback bizosaas 2 --wait", "curl")
    (created,) = released.find("create --filename")
    pod = yaml.safe_load(created.files["pod.yaml"])
    (container,) = pod["spec"]["containers"]
    assert container["image"] == "bizosaas/bizosaas:0.1.0"
    assert container["args"] == ["migrate", "--status", "--json"]
    assert released.find("delete pod bizosaas-operator-")
    assert "newer than revision 2, which is fine" in released.output


def test_rollback_is_refused_when_the_earlier_release_cannot_work_with_the_database(released):
    released.reply(" logs bizosaas-operator", schema_levels("wrong"))
    released.run("rollback", "--yes", code=1)
    assert "cannot work with this database" in released.output
    assert not released.find("rollback bizosaas") and released.find("delete pod")


def test_rollback_to_a_release_with_pending_migrations_says_so(released):
    released.reply("get pod bizosaas-operator.*phase", "Failed")
    released.reply(" logs bizosaas-operator", schema_levels("pending"))
    released.run("rollback", "--yes", "--to", "1")
    assert "will migrate the database first" in released.output
    assert released.find("rollback bizosaas 1 ")


def test_rollback_without_an_answer_about_the_schema_is_refused(released):
    released.reply("get pod bizosaas-operator.*phase", "Failed")
    released.reply(" logs bizosaas-operator", "error: POSTGRES_HOST: connection refused")
    released.run("rollback", "--yes", code=1)
    assert "connection refused" in released.output and not released.find("rollback bizosaas")
    released.run("rollback", "--yes", "--skip-check")
    assert released.find("rollback bizosaas 2") and not released.find("create --filename")


def test_rollback_asks(released):
    released.run("rollback", code=1)
    assert "Confirm with --yes" in released.output and not released.find("rollback bizosaas")


def test_a_dry_run_of_rollback_changes_nothing(released):
    released.run("rollback", "--dry-run")
    assert released.changes() == [] and "rollback bizosaas 2 --wait" in released.output


@pytest.mark.parametrize("status", ["failed", "pending-upgrade", "pending-rollback"])
def test_rollback_after_a_failed_or_interrupted_upgrade_goes_to_what_still_runs(released, status):
    released.reply("helm .*history", HISTORY + f"5\tThu Nov  5 10:00:00 2026\t{status}\tbizosaas-0.3.0\t0.3.0\tUpgrade\n")
    released.run("rollback", "--yes")
    assert released.find("get manifest bizosaas --revision 4") and released.find("rollback bizosaas 4 ")


def test_rollback_without_an_earlier_revision_is_refused(released):
    released.reply("helm .*history", HISTORY.splitlines()[0] + "\n1\tnow\tdeployed\n")
    released.run("rollback", "--yes", code=1)
    assert "there is no earlier revision" in released.output


def test_rollback_without_helm_deploys_the_earlier_tag(applied):
    applied.run("rollback", "--yes", "--tag", "0.1.0")
    (created,) = applied.find("create --filename")
    assert yaml.safe_load(created.files["pod.yaml"])["spec"]["containers"][0]["image"] == "registry.example/bizosaas/bizosaas:0.1.0"
    (call,) = applied.find("apply -k")
    assert "newTag: '0.1.0'" in call.files["kustomization.yaml"]


def test_rollback_without_helm_needs_a_tag_and_with_helm_takes_none(applied, released):
    applied.run("rollback", "--yes", "--to", "2", "--tag", "0.1.0", code=2)
    applied.run("rollback", "--yes", code=1)
    applied.run("rollback", "--yes", "--to", "2", code=1)
    released.reply("helm .*status", "deployed")
    released.run("rollback", "--yes", "--tag", "0.1.0", code=1)
    assert released.changes() == []


def test_rollback_asks_without_an_administrator_where_there_is_none(released):
    released.reply("get secret .* go-template", "platform-secret ")
    released.run("rollback", "--yes")
    (created,) = released.find("create --filename")
    (container,) = yaml.safe_load(created.files["pod.yaml"])["spec"]["containers"]
    assert not [entry for entry in container["env"] if entry["name"].startswith("POSTGRES_")]
