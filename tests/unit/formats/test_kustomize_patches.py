"""Patches of kustomizations: strategic merge with Kubernetes' merge keys, JSON patches, targets, options."""

from __future__ import annotations

import pytest
from tests.support.kustomized import built, overlays, skipped

from assaymark.formats.located import Elsewhere

WEB = """
    apiVersion: apps/v1
    kind: Deployment
    metadata: {name: web, labels: {app: web}}
    spec:
      replicas: 1
      template:
        spec:
          containers:
          - {name: web, image: "nginx:1", env: [{name: A, value: "1"}, {name: B, value: "2"}], args: [a, b]}
          - {name: side, image: side}
          volumes: [{name: data, emptyDir: {}}]
          tolerations: [{key: a}]
    """
RAY = """
    apiVersion: ray.io/v1
    kind: RayCluster
    metadata: {name: ray}
    spec: {headGroupSpec: {template: {spec: {containers: [{name: head, image: ray, args: [x]}]}}}}
    """


def patched(patch: str, **more: str) -> dict[str, object]:
    """The deployment after a patch in a file."""
    files = {
        "kustomization.yaml": "resources: [web.yaml, ray.yaml]\npatches: [{path: p.yaml}]\n",
        "web.yaml": WEB,
        "ray.yaml": RAY,
        "p.yaml": patch,
        **more,
    }
    return built(files)


def test_lists_with_merge_keys_merge_and_others_are_replaced() -> None:
    found = patched("""
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: web}
        spec:
          replicas: null
          template:
            spec:
              containers:
              - {name: web, env: [{name: B, value: "3"}, {name: A, $patch: delete}, {name: C, value: "4"}], args: [z]}
              - {name: side, $patch: delete}
              - {name: more, image: more}
              volumes: [{name: data, emptyDir: null, hostPath: {path: /}}]
              tolerations: [{key: b}]
        """)["Deployment/web"]
    spec = found["spec"]["template"]["spec"]  # type: ignore[index]
    assert "replicas" not in found["spec"]  # type: ignore[index]
    assert spec["containers"] == [
        {
            "name": "web",
            "image": "nginx:1",
            "env": [{"name": "B", "value": "3"}, {"name": "C", "value": "4"}],
            "args": ["z"],
        },
        {"name": "more", "image": "more"},
    ]
    assert spec["volumes"] == [{"name": "data", "hostPath": {"path": "/"}}]
    assert spec["tolerations"] == [{"key": "b"}]


def test_lists_of_custom_resources_are_replaced() -> None:
    found = patched("""
        apiVersion: ray.io/v1
        kind: RayCluster
        metadata: {name: ray}
        spec: {headGroupSpec: {template: {spec: {containers: [{name: head, securityContext: {privileged: true}}]}}}}
        """)["RayCluster/ray"]
    containers = found["spec"]["headGroupSpec"]["template"]["spec"]["containers"]  # type: ignore[index]
    assert containers == [{"name": "head", "securityContext": {"privileged": True}}]


def test_whole_objects_and_parts_are_deleted_and_replaced() -> None:
    gone = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\n$patch: delete\n"
    assert set(patched(gone)) == {"RayCluster/ray"}
    found = patched("""
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: web}
        spec: {template: {spec: {$patch: replace, containers: [{name: only, image: x}]}}}
        """)
    assert found["Deployment/web"]["spec"] == {  # type: ignore[index]
        "replicas": 1,
        "template": {"spec": {"containers": [{"name": "only", "image": "x"}]}},
    }


def test_each_value_has_the_line_of_the_file_that_says_it() -> None:
    found, _ = overlays(
        {
            "base/kustomization.yaml": "resources: [web.yaml]\n",
            "base/web.yaml": WEB,
            "o/kustomization.yaml": """
                resources: [../base]
                patches:
                - path: p.yaml
                - target: {kind: Deployment}
                  patch: |-
                    - op: add
                      path: /spec/paused
                      value: true
                images:
                - name: side
                  newTag: v2
                """,
            "o/p.yaml": """
                apiVersion: apps/v1
                kind: Deployment
                metadata: {name: web}
                spec:
                  template:
                    spec:
                      hostPID: true
                """,
        }
    )
    one = found.built["o"][0]
    spec = one.value["spec"]
    pod = spec["template"]["spec"]
    assert (one.path, one.value.line, spec.at("replicas")) == ("base/web.yaml", 1, 5)
    places = [pod.at("hostPID"), spec.at("paused"), pod["containers"][1].at("image")]
    assert [(line.path, int(line)) for line in places if isinstance(line, Elsewhere)] == [
        ("o/p.yaml", 7),
        ("o/kustomization.yaml", 8),
        ("o/kustomization.yaml", 11),
    ]
    assert not isinstance(pod["containers"][0].at("image"), Elsewhere)
    assert found.built.keys() == {"o"}


@pytest.mark.parametrize(
    ("target", "meant"),
    [
        ("{kind: Deployment}", True),
        ("{kind: 'Deploy.*'}", True),
        ("{name: we}", False),
        ("{name: 'w..'}", True),
        ("{group: apps, version: v1}", True),
        ("{group: batch}", False),
        ("{namespace: default}", True),
        ("{labelSelector: 'app in (web, other),!nothing'}", True),
        ("{labelSelector: app!=web}", False),
        ("{annotationSelector: some}", False),
    ],
)
def test_targets_are_patterns_and_selectors(target: str, meant: bool) -> None:
    files = {
        "kustomization.yaml": f"""
            resources: [web.yaml]
            patches:
            - target: {target}
              patch: '[{{"op": "replace", "path": "/spec/replicas", "value": 9}}]'
            """,
        "web.yaml": WEB,
    }
    assert (built(files)["Deployment/web"]["spec"]["replicas"] == 9) is meant


def test_operations_of_json_patches() -> None:
    files = {
        "kustomization.yaml": """
            resources: [web.yaml]
            patchesJson6902:
            - target: {group: apps, version: v1, kind: Deployment, name: web}
              path: p.yaml
            """,
        "web.yaml": WEB,
        "p.yaml": """
            - {op: test, path: /spec/replicas, value: 1}
            - {op: add, path: /spec/template/spec/containers/0/env/-, value: {name: C}}
            - {op: add, path: /spec/template/spec/containers/0/args/0, value: first}
            - {op: remove, path: /spec/template/spec/containers/1}
            - {op: move, from: /metadata/labels/app, path: /metadata/labels/a~1b}
            - {op: copy, from: /spec/replicas, path: /spec/again}
            """,
    }
    found = built(files)["Deployment/web"]
    containers = found["spec"]["template"]["spec"]["containers"]
    assert [one["name"] for one in containers] == ["web"]
    assert [one["name"] for one in containers[0]["env"]] == ["A", "B", "C"]
    assert containers[0]["args"] == ["first", "a", "b"]
    assert found["metadata"]["labels"] == {"a/b": "web"}
    assert found["spec"]["again"] == 1


@pytest.mark.parametrize(
    ("patch", "reason"),
    [
        ("- {op: remove, path: /spec/nothing}", "there is no nothing"),
        ("- {op: add, path: /spec/template/spec/containers/7, value: {}}", "the list has no item 7"),
        ("- {op: test, path: /spec/replicas, value: 2}", "another value than the test asks for"),
        ("- {op: grow, path: /spec}", "no operation grow"),
        ("a: [", "p.yaml is not there or cannot be read"),
    ],
)
def test_what_does_not_fit_is_said_and_nothing_of_it_is_done(patch: str, reason: str) -> None:
    files = {
        "kustomization.yaml": "resources: [web.yaml]\npatches:\n- {path: p.yaml, target: {kind: Deployment}}\n",
        "web.yaml": WEB,
        "p.yaml": f"- {{op: add, path: /spec/x, value: 1}}\n{patch}\n" if patch.startswith("-") else patch,
    }
    found = skipped(files)
    assert any("kustomization.yaml line 3: patches of the kustomization is not applied" in one for one in found)
    assert any(reason in one for one in found)
    assert "x" not in overlays(files)[0].built[""][0].value["spec"]


def test_names_and_kinds_change_only_where_that_is_allowed() -> None:
    def named(options: str) -> set[str]:
        return set(
            built(
                {
                    "kustomization.yaml": f"""
                        resources: [web.yaml]
                        patches:
                        - target: {{kind: Deployment}}
                          options: {{{options}}}
                          patch: |-
                            apiVersion: apps/v1
                            kind: StatefulSet
                            metadata: {{name: other}}
                        """,
                    "web.yaml": WEB,
                }
            )
        )

    assert named("") == {"Deployment/web"}
    assert named("allowNameChange: true") == {"Deployment/other"}
    assert named("allowNameChange: true, allowKindChange: true") == {"StatefulSet/other"}


def test_what_grows_beyond_bounds_is_refused() -> None:
    copies = "\n".join(f"- {{op: copy, from: /spec, path: /spec/c{number}}}" for number in range(40))
    files = {
        "kustomization.yaml": "resources: [web.yaml]\npatches:\n- {path: p.yaml, target: {kind: Deployment}}\n",
        "web.yaml": WEB,
        "p.yaml": copies,
    }
    assert any("too large or nests too deep" in one for one in skipped(files))
