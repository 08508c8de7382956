"""Renders the chart with `helm template`. Shared by the generators here and by the tests."""

import functools
import os
import subprocess
from pathlib import Path

import yaml

REPO = Path(__file__).resolve().parents[2]
CHART = REPO / "helm" / "bizosaas"
SERVICES = ["ai-orchestrator", "analytics", "chatbot", "crm", "identity"]
# The one in C is ten times as fast, where PyYAML has it; as safe as the other.
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
HELM = os.environ.get("HELM", "helm")
KUBECTL = os.environ.get("KUBECTL", "kubectl")


class RenderError(Exception):
    """What helm or kubectl said."""


def run(*command, stdin=None):
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RenderError(done.stderr)
    return done.stdout


@functools.cache
def template_text(values=(), sets=(), release="bizosaas", namespace="bizosaas-dev", chart=CHART):
    """The text that helm gives for value files (paths) and `--set` assignments."""
    command = [HELM, "template", release, str(chart), "--namespace", namespace]
    for path in values:
        command += ["--values", str(path)]
    for assignment in sets:
        command += ["--set", assignment]
    return run(*command)


def objects(text):
    """The objects of a YAML stream, without empty documents."""
    return [document for document in yaml.load_all(text, Loader=LOADER) if document]


def template(*values, sets=(), **options):
    """The objects that helm gives."""
    return objects(template_text(tuple(values), tuple(sets), **options))


@functools.cache
def kustomize_text(directory):
    return run(KUBECTL, "kustomize", str(directory))


def kustomize(directory):
    """The objects of an overlay."""
    return objects(kustomize_text(directory))
