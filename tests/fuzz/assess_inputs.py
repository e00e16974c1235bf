"""Files of an architecture: whatever is in them, an assessment comes of it, and what was not read is said."""

from __future__ import annotations

from datetime import UTC, datetime

from assaymark.assess.engine import assess
from assaymark.assess.files import source_file
from assaymark.service.assess_review import Standing
from assaymark.ui.report.assessment import assessment_document
from assaymark.ui.report.assessment_page import assessment_page

SEEDS = [
    (
        b'{"RoleDetailList":[{"Arn":"arn:aws:iam::111122223333:role/r","RolePolicyList":[{"PolicyName":"p",'
        b'"PolicyDocument":{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:*","Resource":"*"}]}}],'
        b'"AssumeRolePolicyDocument":{"Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},'
        b'"Action":"sts:AssumeRole"}]}}]}'
    ),
    (
        b"apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a, namespace: n}\nspec:\n  template:\n    metadata: "
        b"{labels: {a: b}}\n    spec:\n      containers:\n      - {name: c, image: 'ray:1', securityContext: {privileged: true}}\n"
    ),
    (
        b"apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata: {name: b}\nroleRef: {kind: ClusterRole, "
        b"name: cluster-admin}\nsubjects:\n- {kind: ServiceAccount, name: s, namespace: n}\n"
    ),
    b'{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::b/*"}}',
]
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def fuzz(data: bytes) -> None:
    """One file under two names, and its reports."""
    found = assess([source_file("a.json", data), source_file("b.yaml", data)], NOW)
    assessment_document(found, Standing())
    assessment_page(found, "x", Standing())
