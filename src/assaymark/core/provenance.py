"""How a subject came to be: SLSA provenance v1, as far as lineage and blast radius read it.

Source: https://slsa.dev/spec/v1.1/provenance. One predicate type for a recorded run and for a derivation that a
person attests; ``buildType`` and ``builder.id`` tell them apart. Format: docs/spec/provenance.md.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from assaymark.core.digest import digest_hex, is_digest
from assaymark.core.errors import InputError
from assaymark.core.limits import PROVENANCE_MAX_DEPENDENCIES, REPORT_MAX_TEXT
from assaymark.core.statement import PROVENANCE

if TYPE_CHECKING:
    from assaymark.core.statement import Statement

DERIVATION_BUILD: Final = "assaymark:derivation/v1"  # attested by a person
RECORD_BUILD: Final = "assaymark:record/v1"  # observed while it ran
OPERATIONS: Final = ("train", "fine-tune", "merge", "quantise", "convert", "prune", "deploy", "derive")

DECLARED: Final = "declared"
OBSERVED: Final = "observed"
RECORD_BUILDER: Final = "assaymark:builder/record"
# The builder is the machine and the user of the run itself: provenance exists, and nobody else vouches for it.
RECORD_LEVEL: Final = 1
FILE: Final = "file"
_PACKAGE: Final = "pkg:"
_PYPI: Final = "pkg:pypi/"
_SEPARATORS: Final = re.compile(r"[-_.]+")  # PyPA's name normalisation
_ENCODED: Final = str.maketrans({character: f"%{ord(character):02X}" for character in "%+#?@/ "})


@dataclass(frozen=True, slots=True)
class Material:
    """One resolved dependency with a digest. ``declared`` is False for what was only seen to be opened.

    ``digest`` is a subject's digest (of its manifest) when ``kind`` is ``model``, ``dataset`` or ``configuration``;
    the SHA-256 of one file's bytes when it is ``file``.
    """

    name: str
    digest: str
    kind: str
    declared: bool


@dataclass(frozen=True, slots=True)
class Package:
    """An installed distribution: its package URL without version, its version, its digest or an empty text."""

    name: str
    version: str
    digest: str

    @property
    def url(self) -> str:
        """``pkg:pypi/numpy@2.3.1``."""
        return f"{self.name}@{self.version}" if self.version else self.name


def pypi_package(name: str, version: str = "", digest: str = "") -> Package:
    """A distribution of PyPI by the package URL specification: name in normal form, version percent-encoded."""
    return Package(_PYPI + _SEPARATORS.sub("-", name).lower(), version.translate(_ENCODED), digest)


def read_package(url: str, digest: str = "") -> Package:
    """What a package URL names, without its qualifiers; one of PyPI in normal form, whoever wrote it."""
    plain = url.partition("#")[0].partition("?")[0]
    # The version follows the last @ (purl specification); one before a slash belongs to a namespace.
    package, at, version = plain.rpartition("@")
    if not at or "/" in version:
        package, version = plain, ""
    if package.lower().startswith(_PYPI):
        package = pypi_package(package[len(_PYPI) :]).name
    return Package(package, version, digest)


@dataclass(frozen=True, slots=True)
class Provenance:
    """What a provenance statement says. ``operation`` is empty when it does not say."""

    operation: str
    build_type: str
    builder: str
    materials: tuple[Material, ...]
    packages: tuple[Package, ...]

    @property
    def parents(self) -> tuple[Material, ...]:
        """The subjects that this one was made from, as declared: what lineage follows."""
        return tuple(item for item in self.materials if item.declared and item.kind != FILE)


def material_json(material: Material) -> dict[str, Any]:
    """A material as a resource descriptor of in-toto."""
    return {
        "annotations": {"how": DECLARED if material.declared else OBSERVED, "kind": material.kind},
        "digest": {"sha256": digest_hex(material.digest)},
        "name": material.name,
    }


def package_json(package: Package) -> dict[str, Any]:
    """A distribution as a resource descriptor: its package URL, and the digest of what was installed if known."""
    document: dict[str, Any] = {"uri": package.url}
    if package.digest:
        document["digest"] = {"sha256": digest_hex(package.digest)}
    return document


def derivation_predicate(
    operation: str, parents: tuple[Material, ...], *, builder: str, level: int, comment: str = ""
) -> dict[str, Any]:
    """SLSA provenance v1 of a derivation that a person attests, without a run that anybody observed.

    ``level`` is the SLSA build level that is claimed: 0, as nothing was recorded.
    """
    parameters = {"operation": operation} | ({"comment": comment} if comment else {})
    return {
        "assaymark": {"slsaBuildLevel": level},
        "buildDefinition": {
            "buildType": DERIVATION_BUILD,
            "externalParameters": parameters,
            "resolvedDependencies": [material_json(parent) for parent in parents],
        },
        "runDetails": {"builder": {"id": builder}},
    }


def installed_json(package: Package) -> dict[str, Any]:
    """As ``package_json`` for what was found installed: its digest is that of the installer's RECORD, and says so."""
    document = package_json(package)
    return document | ({"annotations": {"digestOf": "RECORD"}} if package.digest else {})


def record_predicate(
    parameters: dict[str, Any],
    dependencies: list[dict[str, Any]],
    *,
    internal: dict[str, Any],
    version: str,
    invocation: str,
    started: str,
    finished: str,
    extension: dict[str, Any],
) -> dict[str, Any]:
    """SLSA provenance v1 of a run that was recorded: docs/spec/provenance.md.

    ``parameters`` hold the operation and the command, ``internal`` what the machine is, ``extension`` what SLSA has
    no field for; ``version`` is the recorder's, times are RFC 3339.
    """
    return {
        "assaymark": {"slsaBuildLevel": RECORD_LEVEL} | extension,
        "buildDefinition": {
            "buildType": RECORD_BUILD,
            "externalParameters": parameters,
            "internalParameters": internal,
            "resolvedDependencies": dependencies,
        },
        "runDetails": {
            "builder": {"id": RECORD_BUILDER, "version": {"assaymark": version}},
            "metadata": {"finishedOn": finished, "invocationId": invocation, "startedOn": started},
        },
    }


def parse_provenance(statement: Statement) -> Provenance:
    """Read SLSA provenance v1, anybody's; a dependency without a SHA-256 digest that is no package is left out.

    Raises:
        InputError: ``provenance-form``, with the JSON path.
    """
    if statement.predicate_type != PROVENANCE:
        raise InputError("provenance-form", "not SLSA provenance v1", position="$.predicateType")
    definition = _object(statement.predicate, "buildDefinition", "$.predicate")
    details = _object(statement.predicate, "runDetails", "$.predicate")
    where = "$.predicate.buildDefinition"
    parameters = definition.get("externalParameters", {})
    operation = parameters.get("operation", "") if isinstance(parameters, dict) else ""
    dependencies = definition.get("resolvedDependencies", [])
    if not isinstance(dependencies, list) or len(dependencies) > PROVENANCE_MAX_DEPENDENCIES:
        raise InputError(
            "provenance-form",
            f"expected a list of at most {PROVENANCE_MAX_DEPENDENCIES} dependencies",
            position=f"{where}.resolvedDependencies",
        )
    materials: list[Material] = []
    packages: list[Package] = []
    for i, item in enumerate(dependencies):
        material, package = _dependency(item, f"{where}.resolvedDependencies[{i}]")
        materials += [material] if material is not None else []
        packages += [package] if package is not None else []
    return Provenance(
        operation if isinstance(operation, str) else "",
        _text(definition, "buildType", where),
        _text(_object(details, "builder", "$.predicate.runDetails"), "id", "$.predicate.runDetails.builder"),
        tuple(materials),
        tuple(packages),
    )


def _dependency(item: Any, position: str) -> tuple[Material | None, Package | None]:
    """A material, a distribution, both (a model that is named by its package URL), or neither."""
    if not isinstance(item, dict):
        raise InputError("provenance-form", "expected an object", position=position)
    uri, name, digests = item.get("uri", ""), item.get("name", ""), item.get("digest", {})
    annotations = item.get("annotations", {})
    kind = annotations.get("kind", FILE) if isinstance(annotations, dict) else None
    if (
        not isinstance(uri, str)
        or not isinstance(name, str)
        or not isinstance(digests, dict)
        or not isinstance(kind, str)
        or max(len(uri), len(name)) > REPORT_MAX_TEXT
    ):
        raise InputError("provenance-form", "not a resource descriptor", position=position)
    sha256 = digests.get("sha256")
    digest = f"sha256:{sha256.lower()}" if isinstance(sha256, str) and is_digest(f"sha256:{sha256.lower()}") else ""
    package = read_package(uri, digest) if uri[: len(_PACKAGE)].lower() == _PACKAGE else None
    if not digest or (package is not None and kind == FILE):
        return None, package
    # Any other word than observed is declared: what is not understood takes no parent away.
    return Material(name or uri, digest, kind, annotations.get("how", DECLARED) != OBSERVED), package


def _object(table: dict[str, Any], key: str, path: str) -> dict[str, Any]:
    value = table.get(key)
    if not isinstance(value, dict):
        raise InputError("provenance-form", f"{key} is not an object", position=f"{path}.{key}")
    return value


def _text(table: dict[str, Any], key: str, path: str) -> str:
    value = table.get(key)
    if not isinstance(value, str) or not value:
        raise InputError("provenance-form", f"{key} is not text", position=f"{path}.{key}")
    return value
