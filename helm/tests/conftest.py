"""Every test that takes `rendering` runs once for each value file and each overlay."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tools"))

from chart import CHART, REPO, kustomize, template  # noqa: E402

VALUE_FILES = sorted([*CHART.glob("values*.yaml"), *CHART.glob("ci/*-values.yaml")])
OVERLAYS = sorted(path for path in (REPO / "k8s" / "overlays").iterdir() if path.is_dir())


class Rendering:
    """What one value file or one overlay gives."""

    def __init__(self, path):
        self.path = path
        self.is_chart = path.suffix == ".yaml"
        self.objects = template(path) if self.is_chart else kustomize(path)

    def of(self, *kinds):
        return [item for item in self.objects if item["kind"] in kinds]

    def pods(self):
        """Name and pod template of everything that makes pods."""
        for item in self.objects:
            if item["kind"] == "Pod":
                yield item["metadata"]["name"], item
            elif item["kind"] in ("Deployment", "StatefulSet", "Job", "DaemonSet", "CronJob"):
                yield item["metadata"]["name"], item["spec"]["template"]

    def containers(self):
        """Name, pod spec and container of every container, init containers included."""
        for name, pod in self.pods():
            for kind in ("initContainers", "containers"):
                for container in pod["spec"].get(kind, []):
                    yield f"{name}/{container['name']}", pod["spec"], container

    def own(self, service):
        """The Deployment of a service, whatever the prefix."""
        return next(
            item for item in self.of("Deployment") if item["metadata"]["labels"]["app.kubernetes.io/component"] == service
        )


_cache = {}


def rendering_of(path):
    if path not in _cache:
        _cache[path] = Rendering(path)
    return _cache[path]


@pytest.fixture(params=[*VALUE_FILES, *OVERLAYS], ids=lambda path: path.stem if path.suffix else f"overlay-{path.name}")
def rendering(request):
    return rendering_of(request.param)


@pytest.fixture(params=OVERLAYS, ids=lambda path: path.name)
def overlay(request):
    return rendering_of(request.param)


@pytest.fixture
def default():
    return rendering_of(CHART / "values.yaml")


def selects(selector, labels):
    """Whether a label selector matches labels."""
    for key, value in selector.get("matchLabels", {}).items():
        if labels.get(key) != value:
            return False
    for expression in selector.get("matchExpressions", []):
        has, values = expression["key"] in labels, expression.get("values", [])
        matches = {
            "In": has and labels.get(expression["key"]) in values,
            "NotIn": not has or labels[expression["key"]] not in values,
            "Exists": has,
            "DoesNotExist": not has,
        }
        if not matches[expression["operator"]]:
            return False
    return True
