"""SLSA provenance, ours and anybody's, as far as lineage and blast radius read it."""

import copy

import pytest
from tests.fuzz.provenance import _RECORDED

from assaymark.core.errors import InputError
from assaymark.core.provenance import (
    Material,
    Package,
    derivation_predicate,
    installed_json,
    material_json,
    package_json,
    parse_provenance,
    pypi_package,
    record_predicate,
)
from assaymark.core.statement import PROVENANCE, SCAN, make_statement
from assaymark.core.subject import Subject

SUBJECT = Subject("tuned", "sha256:" + "1" * 64)
BASE = Material("base", "sha256:" + "2" * 64, "model", declared=True)
# The example of https://slsa.dev/spec/v1.1/provenance, shortened: a builder that knows nothing of us.
GITHUB = {
    "buildDefinition": {
        "buildType": "https://slsa-framework.github.io/github-actions-buildtypes/workflow/v1",
        "externalParameters": {"workflow": {"ref": "refs/heads/main", "path": ".github/workflows/build.yml"}},
        "internalParameters": {"github": {"event_name": "workflow_dispatch"}},
        "resolvedDependencies": [
            {"uri": "git+https://github.com/octocat/hello-world@refs/heads/main", "digest": {"gitCommit": "c27d33"}}
        ],
    },
    "runDetails": {
        "builder": {"id": "https://github.com/actions/runner/github-hosted"},
        "metadata": {"invocationId": "https://github.com/octocat/hello-world/actions/runs/1536140711/attempts/1"},
    },
}


def read(predicate):
    return parse_provenance(make_statement((SUBJECT,), PROVENANCE, predicate))


def test_a_derivation_by_hand_is_read_back():
    made = derivation_predicate(
        "merge", (BASE,), builder="assaymark:builder/person", level=0, comment="half and half"
    )
    found = read(made)
    assert (found.operation, found.materials, found.packages) == ("merge", (BASE,), ())
    assert found.parents == (BASE,)
    assert (found.build_type, found.builder) == ("assaymark:derivation/v1", "assaymark:builder/person")
    assert made["assaymark"]["slsaBuildLevel"] == 0, "nothing was recorded, so nothing is claimed"


def test_a_record_tells_declared_from_observed_and_names_packages():
    found = read(_RECORDED)
    assert [item.name for item in found.parents] == ["train"]
    assert [(item.name, item.declared) for item in found.materials] == [("train", True), ("/etc/x", False)]
    assert found.packages == (Package("pkg:pypi/numpy", "2.3.1", "sha256:" + "5" * 64),)
    assert found.packages[0].url == "pkg:pypi/numpy@2.3.1"


def test_provenance_of_another_builder_is_read_and_claims_no_parent():
    found = read(GITHUB)
    assert (found.operation, found.materials, found.packages) == ("", (), ())


@pytest.mark.parametrize("package", [Package("pkg:pypi/a", "", ""), Package("pkg:pypi/a", "1", "sha256:" + "7" * 64)])
def test_packages_and_materials_are_read_back(package):
    predicate = copy.deepcopy(_RECORDED)
    predicate["buildDefinition"]["resolvedDependencies"] = [package_json(package), material_json(BASE)]
    found = read(predicate)
    assert (found.packages, found.materials) == ((package,), (BASE,))


def spoil(path, value):
    predicate = copy.deepcopy(_RECORDED)
    *parents, last = path
    table = predicate
    for part in parents:
        table = table[part]
    if value is ...:
        del table[last]
    else:
        table[last] = value
    return predicate


DEPENDENCIES = ("buildDefinition", "resolvedDependencies")


@pytest.mark.parametrize(
    ("path", "value", "place"),
    [
        (("buildDefinition",), [], "$.predicate.buildDefinition"),
        (("runDetails",), ..., "$.predicate.runDetails"),
        (("runDetails", "builder"), "x", "$.predicate.runDetails.builder"),
        (("runDetails", "builder", "id"), "", "$.predicate.runDetails.builder.id"),
        (("buildDefinition", "buildType"), 1, "$.predicate.buildDefinition.buildType"),
        (DEPENDENCIES, {}, "$.predicate.buildDefinition.resolvedDependencies"),
        ((*DEPENDENCIES, 0), "x", "$.predicate.buildDefinition.resolvedDependencies[0]"),
        ((*DEPENDENCIES, 0, "digest"), [], "$.predicate.buildDefinition.resolvedDependencies[0]"),
        ((*DEPENDENCIES, 1, "annotations"), 1, "$.predicate.buildDefinition.resolvedDependencies[1]"),
        ((*DEPENDENCIES, 2, "uri"), 1, "$.predicate.buildDefinition.resolvedDependencies[2]"),
        ((*DEPENDENCIES, 0, "name"), "x" * 5000, "$.predicate.buildDefinition.resolvedDependencies[0]"),
    ],
)
def test_what_is_malformed_is_refused_with_its_place(path, value, place):
    with pytest.raises(InputError) as caught:
        read(spoil(path, value))
    assert (caught.value.code, caught.value.position) == ("provenance-form", place)


def test_too_many_dependencies_are_refused(monkeypatch):
    monkeypatch.setattr("assaymark.core.provenance.PROVENANCE_MAX_DEPENDENCIES", 3)
    with pytest.raises(InputError):
        read(_RECORDED)


def test_another_predicate_is_no_provenance():
    with pytest.raises(InputError) as caught:
        parse_provenance(make_statement((SUBJECT,), SCAN, {}))
    assert caught.value.position == "$.predicateType"


def test_what_has_no_digest_of_sha256_is_no_material():
    for digest in ({}, {"sha256": "xyz"}, {"sha256": 1}, {"sha512": "0" * 128}):
        assert read(spoil((*DEPENDENCIES, 0, "digest"), digest)).parents == ()


def test_without_a_kind_it_is_a_file():
    assert read(spoil((*DEPENDENCIES, 0, "annotations"), {})).materials[0].kind == "file"


@pytest.mark.parametrize(
    ("name", "version", "url"),
    [
        ("Scikit_Learn", "1.7.0", "pkg:pypi/scikit-learn@1.7.0"),
        ("ruamel.yaml", "0.18", "pkg:pypi/ruamel-yaml@0.18"),
        ("torch", "2.13.0+cpu", "pkg:pypi/torch@2.13.0%2Bcpu"),
        ("a", "1!2", "pkg:pypi/a@1!2"),
        ("a", "1?x#y@z", "pkg:pypi/a@1%3Fx%23y%40z"),
        ("numpy", "", "pkg:pypi/numpy"),
    ],
)
def test_a_distribution_has_one_package_url_and_is_read_back(name, version, url):
    package = pypi_package(name, version, BASE.digest)
    assert package.url == url
    dependency = installed_json(package)
    assert dependency["annotations"] == {"digestOf": "RECORD"}, "it is not the digest of a wheel"
    assert read(spoil(DEPENDENCIES, [dependency])).packages == (package,)
    assert "annotations" not in installed_json(pypi_package(name, version))


def test_a_recorded_run_claims_level_one_and_is_read_back():
    made = record_predicate(
        {"operation": "train", "command": ["x"], "environment": {}},
        [material_json(BASE)],
        internal={},
        version="1",
        invocation="urn:x:1",
        started="2026-05-01T12:00:00Z",
        finished="2026-05-01T12:00:01Z",
        extension={"redacted": 0},
    )
    found = read(made)
    assert (found.operation, found.build_type, found.builder) == (
        "train",
        "assaymark:record/v1",
        "assaymark:builder/record",
    )
    assert found.parents == (BASE,)
    assert made["assaymark"] == {"slsaBuildLevel": 1, "redacted": 0}


@pytest.mark.parametrize(
    "written",
    [
        {"uri": "pkg:huggingface/meta/llama@1", "annotations": {"kind": "model"}},
        {"annotations": {"kind": "model"}, "digest": {"sha256": "A" * 64}},
        {"annotations": {"kind": "model", "how": "used"}},
        {"annotations": {"kind": "model", "how": ["observed"]}},
    ],
)
def test_however_a_builder_writes_a_parent_it_is_one(written):
    dependency = {"name": "base", "digest": {"sha256": "a" * 64}} | written
    document = copy.deepcopy(GITHUB)
    document["buildDefinition"]["resolvedDependencies"] = [dependency]
    (parent,) = read(document).parents
    assert (parent.name, parent.digest, parent.kind) == ("base", "sha256:" + "a" * 64, "model")


def test_a_kind_that_is_no_text_is_refused():
    document = copy.deepcopy(GITHUB)
    document["buildDefinition"]["resolvedDependencies"] = [{"annotations": {"kind": ["model"]}, "digest": {}}]
    with pytest.raises(InputError) as refused:
        read(document)
    assert refused.value.code == "provenance-form"


def test_a_scope_of_a_package_is_no_version():
    document = copy.deepcopy(GITHUB)
    document["buildDefinition"]["resolvedDependencies"] = [{"uri": "pkg:npm/@scope/name"}]
    assert read(document).packages == (Package("pkg:npm/@scope/name", "", ""),)
