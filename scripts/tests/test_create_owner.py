"""create-owner: what its pod is told, and the way of the password."""

import hashlib

import pytest
import yaml

PASSWORD = "correct horse battery\n"
DIGEST = hashlib.sha256(PASSWORD.encode()).hexdigest()
OWNER = ["--email", "you@example.com"]


@pytest.fixture
def running(cluster):
    cluster.reply("get deployment bizosaas-identity .*containers[0].image", "bizosaas/identity:0.1.0")
    # beside existing infrastructure the administrator's password is not there, and not needed
    cluster.reply("get secret .* go-template", "platform-secret identity-db-password ")
    cluster.reply("get pod bizosaas-operator.*phase", "Running", "Succeeded")
    cluster.reply("get pod bizosaas-operator.*startedAt", "2026-11-26T12:00:00Z")
    cluster.reply(" exec .* sha256sum", f"{DIGEST}  /backup/password\n")
    cluster.reply(" logs ", "made the tenant acme and its owner, who can log in\n")
    return cluster


def arguments(world):
    (created,) = world.find("create --filename")
    (operator,) = yaml.safe_load(created.files["pod.yaml"])["spec"]["containers"]
    return operator["args"]


def assert_password_went_by_standard_input_only(world):
    (given,) = world.find("exec --stdin", "cat >/backup/password")
    assert given.stdin == PASSWORD
    for call in world.calls():
        assert PASSWORD.strip() not in call.line + "".join(call.files.values())
        assert call is given or call.line == given.line or PASSWORD.strip() not in call.stdin
    assert PASSWORD.strip() not in world.output and world.nothing_is_left()


def test_the_password_comes_from_standard_input_and_the_pod_is_removed(running):
    running.run("create-owner", *OWNER, answer=PASSWORD)
    assert "made the tenant acme" in running.output
    running.order("create --filename", "startedAt", "exec --stdin", "sha256sum", "touch /backup/passed", "logs", "delete pod")
    assert arguments(running) == ["create-owner", "--email=you@example.com", "--password-file", "/backup/password"]
    assert_password_went_by_standard_input_only(running)


def test_the_password_comes_from_a_file(running):
    file = running.home / "password"
    file.write_text(PASSWORD)
    running.run("create-owner", *OWNER, "--password-file", file)
    assert_password_went_by_standard_input_only(running)


@pytest.mark.parametrize("name", ['Zoë "Z" O\'Brien', "a, b], [c: {d} #e", "C:\\new\\", "--admin", "@IMAGE@ & Söhne", "7", "*x"])
def test_names_arrive_as_they_were_given(running, name):
    running.run("create-owner", *OWNER, "--name", name, "--tenant-name", name, answer=PASSWORD)
    assert arguments(running)[2:4] == [f"--name={name}", f"--tenant-name={name}"]


def test_kubernetes_finds_no_variable_in_a_name(running):
    running.run("create-owner", *OWNER, "--name", "$(POSTGRES_HOST) $$", answer=PASSWORD)
    assert arguments(running)[2] == "--name=$$(POSTGRES_HOST) $$$$"


@pytest.mark.parametrize("name", ["two\nlines", "a\tb", "\x1b[2J", "\x7f", "next\u0085line", "a\u2028b"])
@pytest.mark.parametrize("locale", ["C", "C.UTF-8"])
def test_control_characters_are_refused(running, name, locale):
    running.run("create-owner", *OWNER, "--tenant-name", name, code=2, answer=PASSWORD, LC_ALL=locale)
    assert running.calls() == [] and "control characters" in running.output


def test_mistakes_are_seen_before_the_cluster_is_asked(running):
    running.run("create-owner", code=2, answer=PASSWORD)
    running.run("create-owner", *OWNER, "--password-file", running.home / "missing", code=1)
    assert running.calls() == [] and "cannot be read" in running.output
    running.run("create-owner", *OWNER, answer="", code=1)
    assert running.calls() == [] and "is empty" in running.output


def test_a_dry_run_asks_for_no_password_and_changes_nothing(running):
    running.run("create-owner", *OWNER, "--dry-run")
    assert running.changes() == [] and "+ kubectl" in running.output and "--email=you@example.com" in running.output


def test_a_failure_shows_what_the_operator_said(running):
    running.reply("get pod bizosaas-operator.*phase", "Failed")
    running.reply(" logs ", "error: email is in use")
    running.run("create-owner", *OWNER, answer=PASSWORD, code=1)
    assert "email is in use" in running.output and running.find("delete pod")
    assert_password_went_by_standard_input_only(running)
