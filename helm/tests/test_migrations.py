"""The migration Job: its name, its modes, and that nothing waits for what waits for it."""

from chart import CHART, run, template


def jobs(*sets, values=()):
    return [item for item in template(*values, sets=sets) if item["kind"] == "Job"]


def name_of(*sets, values=()):
    (job,) = jobs(*sets, values=values)
    return job["metadata"]["name"]


def test_a_plain_job_is_no_hook(default):
    (job,) = default.of("Job")
    assert "annotations" not in job["metadata"]
    hooks = [item for item in default.objects if "helm.sh/hook" in item["metadata"].get("annotations", {})]
    assert {item["kind"] for item in hooks} == {"Pod"}, "only tests are hooks"


def test_the_name_changes_with_what_the_job_runs():
    names = [
        name_of(),
        name_of("image.tag=9.9.9"),
        name_of("database.name=other"),
        name_of("operator.resources.limits.memory=1Gi"),
        name_of("commonLabels.a=b"),
        name_of("database.bundled.image=pgvector/pgvector:pg18"),
    ]
    assert len(set(names)) == len(names)


def test_the_name_stays_when_only_others_change():
    for other in ("log.level=info", "defaults.replicas=2", "registration.policy=disabled", "migrations.backoffLimit=3"):
        assert name_of(other) == name_of(), other


def test_the_next_revision_has_a_job_of_its_own(tmp_path):
    """One that failed runs again without a changed value. `helm template` knows the first revision only."""
    copy = tmp_path / "bizosaas"
    run("cp", "-r", str(CHART), str(copy))
    job = copy / "templates" / "migrate-job.yaml"
    job.write_text(job.read_text().replace(".Release.Revision", "2"))
    (second,) = [item for item in template(chart=copy) if item["kind"] == "Job"]
    (first,) = jobs()
    assert second["metadata"]["name"] != first["metadata"]["name"]
    assert second["spec"] == first["spec"]


def test_two_jobs_of_one_name_have_the_same_template():
    """A Job's template is immutable: the same name with another template would break the upgrade."""
    seen = {}
    for values in sorted(CHART.glob("ci/*-values.yaml")):
        for job in jobs("fullnameOverride=same", values=(values,)):
            template_of = seen.setdefault(job["metadata"]["name"], job["spec"]["template"])
            assert template_of == job["spec"]["template"], values.name


def test_a_hook_needs_nothing_of_its_own_release():
    items = template(CHART / "ci" / "migration-hook-values.yaml")
    hooks = [item for item in items if "pre-install" in item["metadata"].get("annotations", {}).get("helm.sh/hook", "")]
    (job,) = [item for item in hooks if item["kind"] == "Job"]
    accounts = {item["metadata"]["name"]: item for item in hooks if item["kind"] == "ServiceAccount"}
    pod = job["spec"]["template"]["spec"]
    account = accounts[pod["serviceAccountName"]]["metadata"]["annotations"]
    assert int(account["helm.sh/hook-weight"]) < int(job["metadata"]["annotations"]["helm.sh/hook-weight"])
    assert not any(item["kind"] == "Secret" for item in items), "its Secret exists before the release"
    for container in pod["containers"]:
        assert "envFrom" not in container, "the ConfigMap does not exist yet"
        assert all("valueFrom" not in entry for entry in container["env"])
    users = [
        item for item in items
        if item["kind"] in ("Deployment", "StatefulSet") and item["spec"]["template"]["spec"]["serviceAccountName"] in accounts
    ]
    assert not users, "a hook's ServiceAccount is deleted under running pods"


def test_none_renders_no_job():
    items = template(CHART / "ci" / "migration-none-values.yaml")
    assert not [item for item in items if item["kind"] in ("Job", "Pod")]


def test_waiting_for_a_bundled_postgres_costs_no_try(default):
    (job,) = default.of("Job")
    (wait,) = job["spec"]["template"]["spec"]["initContainers"]
    # without a name pg_isready asks for that of the user id, which the image does not know
    assert "pg_isready" in wait["command"][-1] and "--username=" in wait["command"][-1]


def test_a_wrong_configuration_fails_at_once(default):
    (job,) = default.of("Job")
    rules = job["spec"]["podFailurePolicy"]["rules"]
    assert {"action": "FailJob", "onExitCodes": {"containerName": "migrate", "operator": "In", "values": [78]}} in rules
    assert job["spec"]["template"]["spec"]["containers"][0]["name"] == "migrate"


def test_migrations_pass_by_a_pooler():
    (job,) = jobs(values=(CHART / "ci" / "external-database-values.yaml",))
    env = {entry["name"]: entry["value"] for entry in job["spec"]["template"]["spec"]["containers"][0]["env"]}
    assert (env["POSTGRES_HOST"], env["POSTGRES_PORT"]) == ("10.1.2.3", "5433")
    assert (env["PGSSLMODE"], env["PGSSLROOTCERT"]) == ("verify-full", "/run/secrets/database-ca/ca.crt")
