"""Rules of pachd that no type states: what a canonical spec may not say, beyond its names and inputs.

Source: pachyderm/pachyderm e237475e9910, src/server/pps/server/defaults.go staticallyValidate, api_server.go
validatePipelineRequest, validateSecret, validatePipeline, worker_rc.go transformToleration;
src/server/pfs/pfs.go ValidateSQLDatabaseEgress; src/internal/ancestry/ancestry.go ValidateName.
"""

from __future__ import annotations

import re

from sim.adapters.pachyderm.scalars import json_text
from sim.documents.fields import Field
from sim.model.pipelines import Reprocess

SERVICE_TYPES = ("ClusterIP", "LoadBalancer", "NodePort")
_NAME = re.compile(r"[A-Za-z0-9_-]+")


def check_rules(field: Field) -> None:
    """Raise InputError for the first rule that a canonical spec breaks."""
    if tf_job := field.child("tfJob"):
        raise tf_job.error("is a TFJob, which Pachyderm does not run", allowed="transform")
    if (branch := field.child("outputBranch")) and branch.value:
        checked_name(branch)
    for key in ("podSpec", "podPatch"):
        json_text(field.child(key))
    _check_reprocess(field.child("reprocessSpec"))
    _check_service(field)
    for toleration in field.items_at("tolerations"):
        if toleration.value.get("operator", "EMPTY") in ("EMPTY", None):
            raise toleration.missing("operator", "EQUAL or EXISTS")
    if transform := field.child("transform"):
        for secret in transform.items_at("secrets"):
            if secret.text_at("envVar") and not secret.text_at("key"):
                raise secret.missing("key", "the key of the secret that envVar is set from")
    if egress := field.child("egress"):
        _check_egress(egress)


def checked_name(field: Field, *, alphanumeric_first: bool = False) -> str:
    """Return a name of PFS: letters, digits, - and _; those of pipelines and projects begin with neither."""
    text = field.text()
    if not _NAME.fullmatch(text) or (alphanumeric_first and text[0] in "-_"):
        first = ", a letter or digit first" if alphanumeric_first else ""
        raise field.error(allowed=f"letters, digits, - and _{first}")
    return text


def _check_reprocess(field: Field | None) -> None:
    allowed = [rule.value for rule in Reprocess]
    if field is not None and field.value and field.value not in allowed:
        raise field.error(allowed=" or ".join(allowed))


def _check_service(field: Field) -> None:
    service, spout = field.child("service"), field.child("spout")
    if (s3_out := field.child("s3Out")) and s3_out.value and (service or spout):
        raise s3_out.error("belongs to a spout or a service", allowed="no s3Out there")
    spec = field.child("parallelismSpec")
    if service and spec and spec.value.get("constant") != 1:
        raise spec.error(allowed="constant 1, or no parallelismSpec: a service has one worker")
    kind = service.child("type") if service else None
    if kind and kind.value and kind.value not in SERVICE_TYPES:
        raise kind.error(allowed=", ".join(SERVICE_TYPES))


def _check_egress(egress: Field) -> None:
    if database := egress.child("sqlDatabase"):
        secret = database.child("secret")
        if secret is None or not (secret.text_at("name") and secret.text_at("key")):
            raise database.missing("secret", "the name and key of a Kubernetes secret")
