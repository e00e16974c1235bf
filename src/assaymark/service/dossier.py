"""Write the dossier of a logged decision."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assaymark.core.statement import parse_envelope, parse_statement
from assaymark.policy.statement import parse_decision
from assaymark.service.evidence import Reader
from assaymark.trust.dossier import Dossier, DossierEntry

if TYPE_CHECKING:
    from assaymark.core.subject import Manifest
    from assaymark.service.workspace import Workspace


def export_dossier(workspace: Workspace, index: int, manifest: Manifest) -> bytes:
    """The dossier of the decision at ``index``, proved against the log's newest checkpoint."""
    tree = workspace.trust()
    size = tree.checkpoint.size
    decision = parse_decision(parse_statement(parse_envelope(workspace.log.entry(index)[1]).payload))
    before = decision.position.tree_size
    policies = Reader(workspace, tree).policies(before)
    return Dossier(
        decision=_entry(workspace, index, size),
        policies=tuple(_entry(workspace, item.position, size) for item in policies),
        evidence=tuple(_entry(workspace, position, size) for position, _ in decision.inputs),
        roots=tuple(_entry(workspace, position, size) for position in tree.roots),
        checkpoint=tree.note,
        consistency=tuple(workspace.log.consistency(before, size)),
        manifest=manifest.to_bytes(),
    ).to_bytes()


def _entry(workspace: Workspace, index: int, size: int) -> DossierEntry:
    receipt = workspace.log.receipt(index, size)
    return DossierEntry(index, receipt.leaf, receipt.hashes, workspace.log.entry(index)[1])
