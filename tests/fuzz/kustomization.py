"""Fuzz target: a kustomization, and what is merged into, done to and made of an object."""

from __future__ import annotations

from assaymark.assess.files import source_file
from assaymark.assess.inputs import Inputs
from assaymark.assess.kubernetes.overlays import Overlays
from assaymark.formats.located import Elsewhere, Map, Seq

BASE = b"""apiVersion: apps/v1
kind: Deployment
metadata: {name: a, labels: {app: a}, annotations: {n: "$(V)"}}
spec:
  template:
    spec:
      serviceAccountName: s
      containers: [{name: c, image: "i:1", env: [{name: E, value: "1"}], ports: [{containerPort: 80}]}, {name: d}]
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: s}
---
apiVersion: v1
kind: Service
metadata: {name: s}
spec: {selector: {app: a}, ports: [{port: 80, name: http}]}
"""
SEEDS = [
    b"namePrefix: p-\nnameSuffix: -s\nnamespace: n\ncommonLabels: {a: b}\ncommonAnnotations: {c: d}\n",
    b"patches:\n- patch: |-\n    apiVersion: apps/v1\n    kind: Deployment\n    metadata: {name: a}\n    spec: {template: {spec: {containers: [{name: c, $patch: delete}, {name: x, image: y}]}}}\n",
    b"patches:\n- target: {kind: Dep.*, labelSelector: 'app in (a,b)'}\n  patch: |-\n    - {op: add, path: /spec/template/spec/containers/-, value: {name: e}}\n    - {op: copy, from: /spec, path: /spec/x}\n    - {op: move, from: /metadata/labels, path: /metadata/l~1m}\n    - {op: test, path: /kind, value: Deployment}\n",
    b"images: [{name: i, newName: j, newTag: v2, digest: 'sha256:a'}]\nreplicas: [{name: a, count: 3}]\nlabels: [{pairs: {x: y}, includeSelectors: true, includeTemplates: true, fields: [{path: spec/l, create: true}]}]\n",
    b"configMapGenerator: [{name: m, literals: [a=b, 'c=\"d\"'], files: [x=base.yaml], envs: [base.yaml]}]\nsecretGenerator: [{name: m, behavior: merge}]\ngeneratorOptions: {labels: {q: r}}\n",
    b"vars: [{name: V, objref: {kind: Service, name: s, apiVersion: v1}, fieldref: {fieldpath: 'spec.ports[0].port'}}]\nconfigurations: [base.yaml]\n",
    b"replacements:\n- source: {kind: Service, name: s, fieldPath: 'spec.ports.[name=http].port'}\n  targets:\n  - select: {kind: Deployment}\n    reject: [{name: z}]\n    fieldPaths: ['spec.template.spec.containers.*.image', 'metadata.annotations.x\\.y/z']\n    options: {delimiter: ':', index: 1, create: true}\n",
    b"resources: [., ../a, gone.yaml, 'https://x/y']\ncomponents: [.]\nhelmCharts: [{name: a}]\npatchesStrategicMerge: [base.yaml]\npatchesJson6902: [{target: {kind: Service, name: s}, path: base.yaml}]\n",
    b"transformers: [own.yaml]\napiVersion: builtin\nkind: PrefixSuffixTransformer\nprefix: p-\nsuffix: -s\nfieldSpecs: [{path: metadata/name}, {path: subjects/name, create: true}]\n",
    b"transformers: [own.yaml]\napiVersion: builtin\nkind: PatchTransformer\ntarget: {kind: Service}\npatch: |-\n  - {op: add, path: /spec/x, value: [1]}\n",
    b"transformers: [own.yaml]\napiVersion: builtin\nkind: NamespaceTransformer\nmetadata: {name: a, namespace: n}\nlabels: {a: b}\nimageTag: {name: i, newTag: t}\n",
]  # fmt: skip


def fuzz(data: bytes) -> None:
    """Whatever is said, objects come out whose lines are of files that are there."""
    files = {"base.yaml": BASE, "own.yaml": data, "kustomization.yaml": b"resources: [base.yaml]\n" + data}
    inputs = Inputs([source_file(path, content) for path, content in files.items()])
    counts = {path: content.count(b"\n") + 2 for path, content in files.items()}
    for resources in Overlays(inputs).built.values():
        for one in resources:
            _held(one.value, one.path, counts)


def _held(value: object, path: str, counts: dict[str, int]) -> None:
    pending = [value]
    seen: set[int] = set()
    while pending:
        item = pending.pop()
        if not isinstance(item, (Map, Seq)) or id(item) in seen:
            continue
        seen.add(id(item))
        lines = [item.line, *(item.lines.values() if isinstance(item, Map) else item.lines)]
        assert len(item.lines) >= len(item)
        for line in lines:
            assert line <= counts[line.path if isinstance(line, Elsewhere) else path]
        pending += item.values() if isinstance(item, Map) else item
