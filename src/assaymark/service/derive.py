"""What a model was made from: data sets that are described, derivations that a person attests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from assaymark.core.digest import digest_hex, is_digest
from assaymark.core.errors import UsageError
from assaymark.core.provenance import OPERATIONS, Material, derivation_predicate
from assaymark.core.statement import DATASET, PROVENANCE, make_statement
from assaymark.core.subject import Subject
from assaymark.service.attest import Attested, attest
from assaymark.service.evidence import gather
from assaymark.service.model import identify, subject_at
from assaymark.service.principals import principal_in
from assaymark.service.publish import publish, sign_statement

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from assaymark.core.subject import Manifest
    from assaymark.keys.signers import Signer
    from assaymark.service.workspace import Workspace

MODEL: Final = "model"
DATA: Final = "dataset"
TRAIN: Final = "train"
# By hand: a person's word, of SLSA build level 0.
BUILDER: Final = "assaymark:builder/person"


def find_parent(workspace: Workspace, place: Path, kind: str | None = None) -> Material:
    """The subject at a path, or with a digest, as a parent; of the kind that the log knows it by, else a model.

    Raises:
        UsageError, InputError: as the intake raises.
    """
    subject, _ = subject_at(workspace, place)
    return Material(subject.name, subject.digest, kind or known_kind(workspace, subject.digest), declared=True)


def known_kind(workspace: Workspace, digest: str) -> str:
    """``dataset`` for what the log describes as one, else ``model``."""
    size = workspace.log.checkpoint()[1].size
    return DATA if workspace.log.by_subject(digest, below=size, only=DATASET, limit=1) else MODEL


def unknown_parents(workspace: Workspace, parents: Sequence[Material]) -> list[Material]:
    """Those of ``parents`` about which nobody in the trust root says anything: a lineage ends there as missing."""
    return [parent for parent in parents if not any(item.signers for item in gather(workspace, parent.digest).own)]


def derivation(operation: str, parents: Sequence[Material], comment: str = "") -> dict[str, Any]:
    """The provenance predicate of a derivation by hand.

    Raises:
        UsageError: ``derivation-usage`` for an operation that is not known, or without a parent. Training may have
            none that is known: then it is said, and signed, that this is a first ancestor.
    """
    if operation not in OPERATIONS:
        raise UsageError(
            "derivation-usage", f"{operation!r} is no operation", remedy=f"one of {', '.join(OPERATIONS)}"
        )
    if not parents and operation != TRAIN:
        raise UsageError("derivation-usage", "a derivation names what it came from", remedy="--parent PATH-OR-DIGEST")
    return derivation_predicate(operation, tuple(parents), builder=BUILDER, level=0, comment=comment)


def attest_derivation(
    workspace: Workspace,
    place: Path,
    operation: str,
    parents: Sequence[Material],
    signers: Sequence[Signer],
    clock: Callable[[], int],
    *,
    configurations: tuple[Path, ...] = (),
    comment: str = "",
) -> Attested:
    """Sign and log that the model at ``place`` was made from ``parents``.

    Raises:
        UsageError: ``derivation-usage``, ``derivation-self`` or ``key-unknown``.
        AssaymarkError: as the stores and the log raise.
    """
    predicate = derivation(operation, parents, comment)
    subject, _ = subject_at(workspace, place, configurations)
    refuse_self(subject, parents)
    return attest(workspace, place, PROVENANCE, predicate, signers, clock, configurations=configurations)


def refuse_self(subject: Subject, parents: Sequence[Material]) -> None:
    """Nothing is made from itself.

    Raises:
        UsageError: ``derivation-self``.
    """
    if any(parent.digest == subject.digest for parent in parents):
        raise UsageError(
            "derivation-self",
            "a parent is this very subject, byte for byte",
            source=subject.digest,
            remedy="name what it was made from",
        )


def attest_dataset(
    workspace: Workspace,
    place: Path,
    signers: Sequence[Signer],
    clock: Callable[[], int],
    *,
    source: str = "",
    description: str = "",
    on_progress: Callable[[int, int], None] | None = None,
) -> Attested:
    """Describe the data set at ``place``: its digest, and where it is from. It is hashed and not copied.

    Raises:
        UsageError: ``path-missing`` for what is not there, ``key-unknown``.
        AssaymarkError: as the stores and the log raise.
    """
    if is_digest(str(place)) and not place.exists():
        raise UsageError("path-missing", "a data set is described from its files", source=str(place))
    found, manifest = identify(place, on_progress=on_progress, workspace=workspace)
    subject = Subject(found.name, found.digest, DATA)
    root = workspace.trust().root
    principals = tuple(sorted({principal_in(root, signer) for signer in signers}))
    statement = make_statement((subject,), DATASET, dataset_predicate(manifest, source, description))
    envelope = sign_statement(statement.payload, signers)
    held = workspace.log.find(envelope.digest) is not None
    workspace.blobs.put(manifest.to_bytes())
    (receipt,) = publish(workspace, [envelope], clock())
    return Attested(subject, DATASET, principals, receipt, new=not held)


def dataset_predicate(manifest: Manifest, source: str = "", description: str = "") -> dict[str, Any]:
    """``assaymark:dataset/v1``: docs/spec/dataset.md."""
    predicate: dict[str, Any] = {
        "files": len(manifest.files),
        "manifest": digest_hex(manifest.digest),
        "size": manifest.size,
    }
    if source:
        predicate["source"] = source
    if description:
        predicate["description"] = description
    return predicate
