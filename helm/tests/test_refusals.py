"""Values that cannot work do not render, and the sentence says what to change."""

import pytest
from chart import RenderError, template

EXTERNAL = ("database.mode=external", "database.host=db.example.com", "secrets.existingSecret=s")
SENTENCES = [
    (("defaults.replicas=20",), "more than database.connectionBudget 60"),
    (("services.crm.poolSize=50",), "more than database.connectionBudget 60"),
    (("defaults.replicas=4", "database.connectionBudget=500"), "more than database.bundled.settings.max_connections 100"),
    (("database.mode=external", "secrets.existingSecret=s"), "set database.host"),
    (("database.mode=external", "database.host=db.example.com"), "set secrets.existingSecret"),
    (("database.host=db.example.com",), "database.mode is bundled"),
    ((*EXTERNAL, "database.sslMode=verify-full"), "set database.caSecret"),
    (("cache.mode=external",), "set cache.host"),
    (("cache.mode=external", "cache.host=a", "cache.urlFromSecret=true"), "keep one of them"),
    (("cache.mode=external", "cache.urlFromSecret=true"), "with the key redis-url"),
    (("cache.mode=external", "cache.host=a", "cache.auth=true"), "key cache-password"),
    (("cache.mode=off", "cache.host=a"), "cache.mode is off"),
    (("llm.mode=external",), "set llm.baseUrl"),
    (("llm.baseUrl=http://a",), "set llm.mode=external"),
    (("llm.mode=external", "llm.baseUrl=http://a", "llm.apiKey=true"), "key llm-api-key"),
    (("mail.smtp=true",), "set mail.from and mail.publicUrl"),
    (("mail.smtp=true", "mail.from=a@example.com", "mail.publicUrl=https://id.example.com"), "with the key mail-url"),
    (("migrations.mode=hook",), "starts after the hook"),
    (("migrations.bootstrap=skip",), "nobody else makes the roles"),
    (("migrations.host=a",), "are for an external database"),
    (("defaults.lifecycle.terminationGracePeriodSeconds=30",), "can take 42 seconds"),
    (("services.crm.autoscaling.enabled=true", "services.crm.autoscaling.minReplicas=5"), "minReplicas is greater"),
    (("ingress.enabled=true",), "set ingress.hosts"),
    (("gateway.enabled=true",), "set gateway.parentRefs"),
    (("image.tag=latest",), "/image/tag"),
    (("image.digests.crm=sha256:1",), "/image/digests/crm"),
    (("image.digests.web=x",), "web"),
    (("registration.policy=open",), "'verified', 'disabled', 'auto_login'"),
    (("log.levle=info",), "additional properties 'levle' not allowed"),
    (("services.web.port=1",), "additional properties 'web' not allowed"),
    (("services.crm.nodePort=80",), "/services/crm/nodePort"),
    (("defaults.resources.limits.memory=1 GB",), "/defaults/resources/limits/memory"),
]


@pytest.mark.parametrize(("sets", "sentence"), SENTENCES, ids=lambda value: value[-1] if isinstance(value, tuple) else "")
def test_it_is_refused_with_a_sentence(sets, sentence):
    with pytest.raises(RenderError) as refused:
        template(sets=sets)
    assert sentence in str(refused.value)


def test_every_refusal_of_the_chart_is_tried():
    from chart import CHART

    written = (CHART / "templates" / "_validate.tpl").read_text().count("fail ")
    assert written <= len([sentence for _, sentence in SENTENCES if not sentence.startswith(("/", "additional", "'", "web"))])


def test_a_parent_chart_may_pass_what_charts_pass():
    assert template(sets=("global.anything.else=1", "enabled=true", "global.imageRegistry=r.example.com"))
