"""Kustomizations: what they take in lands in the namespaces that the outermost names, accounts of bindings too."""

from __future__ import annotations

from tests.support.source_estate import assessed_files, lines_of

from assaymark.core.graph import State

ISSUER = "oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLED539D4633E53DE1B71EXAMPLE"
BASE = {
    "base/kustomization.yaml": "namespace: ignored\nresources: [app.yaml, rbac.yaml]\n",
    "base/app.yaml": """
        apiVersion: v1
        kind: ServiceAccount
        metadata: {name: trainer, namespace: written}
        ---
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: trainer, namespace: written}
        spec:
          template:
            metadata: {labels: {app: trainer}}
            spec: {serviceAccountName: trainer, containers: [{name: c, image: r/train}]}
        """,
    "base/rbac.yaml": """
        apiVersion: rbac.authorization.k8s.io/v1
        kind: ClusterRoleBinding
        metadata: {name: trainer}
        roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}
        subjects:
        - {kind: ServiceAccount, name: trainer, namespace: written}
        - {kind: ServiceAccount, name: elsewhere, namespace: other}
        """,
}
OVERLAYS = {
    "overlays/prod/kustomization.yaml": "namespace: prod\nresources: [../../base]\npatches: [{path: more.yaml}]\n",
    "overlays/prod/more.yaml": "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: trainer, namespace: written}\nspec: {replicas: 2}\n",
    "overlays/dev/kustomization.yaml": "namespace: dev\nresources: [../../base]\n",
}
ROLE = f"""
    resource "aws_iam_role" "trainer" {{
      name = "trainer"
      assume_role_policy = jsonencode({{ Statement = [{{
        Effect = "Allow", Action = "sts:AssumeRoleWithWebIdentity"
        Principal = {{ Federated = "arn:aws:iam::111122223333:oidc-provider/{ISSUER}" }}
        Condition = {{ StringEquals = {{ "{ISSUER}:sub" = "system:serviceaccount:prod:trainer" }} }}
      }}] }})
    }}
    """


def test_each_overlay_deploys_what_it_takes_in() -> None:
    found = assessed_files({**BASE, **OVERLAYS})
    workloads = {one.id for one in found.graph.nodes.values() if one.kind == "workload"}
    assert workloads == {"k8s:prod/deployment/trainer", "k8s:dev/deployment/trainer"}
    runs = {(one.source, one.target) for one in found.graph.edges if one.relation == "runs-as"}
    assert ("k8s:prod/deployment/trainer", "k8s:prod/serviceaccount/trainer") in runs
    assert found.reading.skipped == []


def test_accounts_of_bindings_move_with_them() -> None:
    found = assessed_files({**BASE, **OVERLAYS})
    administers = {one.source for one in found.graph.edges if one.target == "k8s:administrator"}
    assert {"k8s:prod/serviceaccount/trainer", "k8s:dev/serviceaccount/trainer"} <= administers
    assert "k8s:written/serviceaccount/trainer" not in administers
    assert "k8s:other/serviceaccount/elsewhere" in administers


def test_a_role_that_trusts_the_account_where_it_lands() -> None:
    found = assessed_files({**BASE, **OVERLAYS, "main.tf": ROLE})
    edges = {one.source: one.state for one in found.graph.edges if one.relation == "federates"}
    assert edges["k8s:prod/serviceaccount/trainer"] is State.UNKNOWN
    assert "k8s:dev/serviceaccount/trainer" not in edges


def test_without_overlays_the_base_decides_and_circles_end() -> None:
    found = assessed_files(BASE)
    assert "k8s:ignored/deployment/trainer" in found.graph.nodes
    circle = {
        "a/kustomization.yaml": "resources: [../b, app.yaml]\n",
        "b/kustomization.yaml": "namespace: b\nresources: [../a]\n",
        "a/app.yaml": BASE["base/app.yaml"],
    }
    assert "k8s:written/deployment/trainer" in assessed_files(circle).graph.nodes


def test_kustomizations_that_meet_again_and_again_end() -> None:
    files = {
        f"l{depth}_{one}/kustomization.yaml": f"resources: [{', '.join(f'../l{depth + 1}_{other}' for other in range(4))}]\n"
        for depth in range(25)
        for one in range(4)
    }
    files |= {f"l25_{one}/kustomization.yaml": "resources: [app.yaml]\n" for one in range(4)}
    files["l25_0/app.yaml"] = BASE["base/app.yaml"]
    files["top/kustomization.yaml"] = "namespace: prod\nresources: [../l0_0]\n"
    nodes = assessed_files(files).graph.nodes
    assert "k8s:prod/deployment/trainer" in nodes


DEPLOYED = {
    "base/kustomization.yaml": "resources: [app.yaml]\n",
    "base/app.yaml": """
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: app, namespace: ml}
        spec:
          template:
            metadata: {labels: {app: app}}
            spec:
              containers:
              - name: c
                image: registry.example/app:1
        """,
    "overlays/a/kustomization.yaml": "resources: [../../base]\nimages: [{name: registry.example/app, newTag: latest}]\n",
}
PRIVILEGED = {
    "overlays/b/kustomization.yaml": "resources: [../../base]\npatches:\n- path: more.yaml\n",
    "overlays/b/more.yaml": """
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: app, namespace: ml}
        spec:
          template:
            spec:
              containers:
              - name: c
                securityContext:
                  privileged: true
        """,
}


def test_what_an_overlay_adds_is_found_on_the_line_of_its_patch() -> None:
    found = assessed_files({**DEPLOYED, **PRIVILEGED})
    assert lines_of(found, "k8s-node-access") == [("overlays/b/more.yaml", 10)]
    assert ("overlays/a/kustomization.yaml", 2) in lines_of(found, "k8s-image-unpinned")
    assert ("base/app.yaml", 10) in lines_of(found, "k8s-image-unpinned")
    patched = {patch.path for patches in found.patches.values() for patch in patches}
    assert patched <= {"base/app.yaml"}


def test_overlays_that_make_different_objects_of_one_name_are_both_there() -> None:
    found = assessed_files({**DEPLOYED, **PRIVILEGED})
    workloads = {one.id for one in found.graph.nodes.values() if one.kind == "workload"}
    assert workloads == {"k8s:ml/deployment/app", "k8s:overlays.b:ml/deployment/app"}
    assert any("overlays/a, overlays/b put different objects of one name" in one for one in found.reading.gaps)
    assert len(lines_of(found, "k8s-container-root")) == 1  # what both have is said once
    assert found.reading.skipped == []


def test_what_two_overlays_bind_an_account_to_counts_together() -> None:
    role = """
        apiVersion: rbac.authorization.k8s.io/v1
        kind: Role
        metadata: {name: reads, namespace: ml}
        rules: [{apiGroups: [""], resources: [configmaps], verbs: [get]}]
        ---
        apiVersion: rbac.authorization.k8s.io/v1
        kind: RoleBinding
        metadata: {name: reads, namespace: ml}
        roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: reads}
        subjects: [{kind: ServiceAccount, name: reader, namespace: ml}]
        ---
        apiVersion: v1
        kind: ServiceAccount
        metadata: {name: reader, namespace: ml}
        ---
        apiVersion: v1
        kind: Secret
        metadata: {name: key, namespace: ml}
        """
    widened = """
        resources: [../../base]
        patches:
        - target: {kind: Role}
          patch: |-
            - {op: replace, path: /rules/0/resources, value: [secrets]}
        """
    files = {
        "base/kustomization.yaml": "resources: [role.yaml]\n",
        "base/role.yaml": role,
        "overlays/a/kustomization.yaml": "resources: [../../base]\n",
    }

    def reads(some: dict[str, str]) -> bool:
        nodes = assessed_files(some).graph
        return any(
            one.source.endswith("serviceaccount/reader") and one.target == "k8s:ml/secret/key" for one in nodes.edges
        )

    assert not reads(files)
    assert reads({**files, "overlays/b/kustomization.yaml": widened})


def test_files_that_others_change_are_no_objects_and_those_beside_are() -> None:
    found = assessed_files({**DEPLOYED, **PRIVILEGED, "other/pod.yaml": BASE["base/app.yaml"]})
    assert "k8s:written/deployment/trainer" in found.graph.nodes
    assert {"overlays/b/more.yaml", "overlays/b/kustomization.yaml", "base/app.yaml"} <= found.reading.read


def test_a_file_named_without_ending_is_a_kustomization_too() -> None:
    files = {"a/Kustomization": "namespace: here\nresources: [app.yaml]\n", "a/app.yaml": BASE["base/app.yaml"]}
    assert "k8s:here/deployment/trainer" in assessed_files(files).graph.nodes


def test_a_component_that_nobody_takes_in_is_read_and_named() -> None:
    files = {
        "c/kustomization.yaml": "kind: Component\nresources: [app.yaml]\npatches: [{path: gone.yaml}]\n",
        "c/app.yaml": BASE["base/app.yaml"],
    }
    found = assessed_files(files)
    assert "k8s:written/deployment/trainer" in found.graph.nodes
    assert found.reading.skipped == []
    assert any("the component c is used by no kustomization" in one for one in found.reading.gaps)


EXPOSED = {
    "base/kustomization.yaml": "resources: [app.yaml]\n",
    "base/app.yaml": """
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: app, namespace: ml}
        spec:
          replicas: 1
          template:
            metadata: {labels: {app: app}}
            spec: {containers: [{name: c, image: r/app, ports: [{containerPort: 80}]}]}
        """,
    "overlays/dev/kustomization.yaml": """
        resources: [../../base, open.yaml]
        replicas: [{name: app, count: 2}]
        """,
    "overlays/dev/open.yaml": """
        apiVersion: v1
        kind: Service
        metadata: {name: app, namespace: ml}
        spec: {type: LoadBalancer, selector: {app: app}, ports: [{port: 80}]}
        """,
    "overlays/prod/kustomization.yaml": "resources: [../../base, deny.yaml]\n",
    "overlays/prod/deny.yaml": """
        apiVersion: networking.k8s.io/v1
        kind: NetworkPolicy
        metadata: {name: deny, namespace: ml}
        spec: {podSelector: {}, policyTypes: [Ingress]}
        """,
}


def exposed(files: dict[str, str]) -> set[str]:
    """What the internet reaches."""
    edges = assessed_files(files).graph.edges
    return {one.target for one in edges if one.source == "internet" and one.state is not State.UNKNOWN}


def test_what_one_overlay_opens_or_limits_is_its_own() -> None:
    assert exposed(EXPOSED) == {"k8s:ml/deployment/app#port:80"}  # dev's, which prod's policy does not limit
    alike = {**EXPOSED, "overlays/dev/kustomization.yaml": "resources: [../../base, open.yaml]\n"}
    assert exposed(alike) == {"k8s:ml/deployment/app#port:80"}  # nobody has one object twice in a cluster
    beside = {**alike, "overlays/prod/kustomization.yaml": "resources: [deny.yaml]\n"}
    assert exposed(beside) == set()
