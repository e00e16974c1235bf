"""Blast radius: every model and decision that rests on a data set, a base model, a distribution or a key.

The answer comes from the index, which is derived from what the statements say and not from who signed them: a forged
derivation adds a name too many, it hides none. ``check`` holds each link against its signatures.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from assaymark.core.digest import is_digest
from assaymark.core.errors import InputError, UsageError, VerificationError
from assaymark.core.provenance import pypi_package, read_package
from assaymark.core.statement import CONTAINMENT, DECISION
from assaymark.core.subject import Subject
from assaymark.core.times import format_time
from assaymark.policy.entries import LIFT
from assaymark.service.evidence import Reader, attestation_at
from assaymark.service.key_life import find_key
from assaymark.service.model import identify, stored_manifest
from assaymark.store.log_lookup import KEY_TERM, MATERIAL_TERM, PACKAGE_TERM
from assaymark.trust.key_events import counting, key_standing

if TYPE_CHECKING:
    from collections.abc import Callable

    from assaymark.core.subject import Manifest
    from assaymark.service.workspace import Workspace

SUBJECT: Final = "subject"
PACKAGE: Final = "package"
KEY: Final = "key"
_KINDS: Final = (SUBJECT, PACKAGE, KEY)
_PINNED: Final = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)==(\S+)")


@dataclass(frozen=True, slots=True)
class Cause:
    """What was asked about: a ``kind`` (subject, package or key), and a digest, package URL or key id as ``id``.

    ``content`` is the digest of its bytes when it is a single file: recorded runs name files by that.
    """

    kind: str
    id: str
    name: str
    content: str = ""


@dataclass(frozen=True, slots=True)
class Affected:
    """A subject that rests on the cause. ``via`` is what it was made from or, nearest to the cause, the cause itself.

    ``entry`` is the index of the statement that says so; ``depth`` 1 for what rests on the cause directly. ``holds``
    is None when nobody looked at the signatures, else whether one that counts says so.
    """

    subject: Subject
    via: str
    entry: int
    depth: int
    holds: bool | None = None


@dataclass(frozen=True, slots=True)
class AffectedDecision:
    """A logged decision on an affected subject.

    ``stands``: it is the newest there, a permit that has not ended, and no containment came since.
    """

    index: int
    subject: str
    outcome: str
    environment: str
    valid_until: str
    stands: bool


@dataclass(frozen=True, slots=True)
class Impact:
    """All that rests on a cause, in the first ``tree_size`` entries: subjects by depth, decisions by index."""

    cause: Cause
    tree_size: int
    subjects: tuple[Affected, ...]
    decisions: tuple[AffectedDecision, ...]

    @property
    def standing(self) -> tuple[AffectedDecision, ...]:
        """The permits that have not ended: what may be running."""
        return tuple(item for item in self.decisions if item.stands)


def find_cause(workspace: Workspace, named: str, kind: str | None = None) -> Cause:
    """What ``named`` is: a path or digest, a key or principal, a distribution with or without version.

    Raises:
        UsageError: ``impact-unknown`` when the log knows nothing of that name.
    """
    size = workspace.log.checkpoint()[1].size
    place = Path(named)
    if kind in (None, SUBJECT) and (place.exists() or is_digest(named)):
        if not is_digest(named):
            subject, manifest = identify(place, workspace=workspace)
            return Cause(SUBJECT, subject.digest, subject.name, _content(manifest))
        known = workspace.log.by_subject(named, size, limit=1)
        names = [name for _, name, digest, _ in workspace.log.subjects_of(known) if digest == named]
        return Cause(SUBJECT, named, names[0] if names else named, _content(stored_manifest(workspace, named)))
    if kind in (None, PACKAGE):
        url = package_url(named)
        if kind == PACKAGE or _PINNED.fullmatch(named) or workspace.log.by_term(PACKAGE_TERM + url, size, limit=1):
            return Cause(PACKAGE, url, named)
    if kind in (None, KEY):
        try:
            key = find_key(workspace, named)
        except UsageError as error:
            if kind == KEY or error.code != "key-unknown":
                raise
        else:
            return Cause(KEY, key, workspace.trust().root.owner(key).name)
    raise UsageError(
        "impact-unknown",
        "neither a file or folder here, nor a digest, nor a key or principal of the trust root, nor a distribution "
        "that the log names",
        source=named[:200],
        remedy="name it as PATH, sha256:..., NAME==VERSION, a package URL or a key id; --as says which it is",
    )


def _content(manifest: Manifest | None) -> str:
    return manifest.files[0].digest if manifest is not None and manifest.kind == "file" else ""


def package_url(named: str) -> str:
    """The package URL of ``numpy``, ``numpy==2.3.1`` or ``pkg:pypi/numpy@2.3.1``; the name as PyPI normalises it."""
    if named.lower().startswith("pkg:"):
        return read_package(named).url
    pinned = _PINNED.fullmatch(named)
    return pypi_package(pinned[1], pinned[2]).url if pinned else pypi_package(named).url


def impact(workspace: Workspace, cause: Cause, now: int, *, since: int = 0) -> Impact:
    """All that rests on ``cause``: directly, and through every derivation from there. ``since`` is for a key.

    Raises:
        AssaymarkError: as the log raises.
    """
    size = workspace.log.checkpoint()[1].size
    found: dict[str, Affected] = {}
    if cause.kind == SUBJECT:
        frontier = dict.fromkeys([cause.id, *([cause.content] if cause.content else [])], "")
    else:
        term = (KEY_TERM if cause.kind == KEY else PACKAGE_TERM) + cause.id
        rows = workspace.log.subjects_with(term, since, size)
        if cause.kind == KEY:
            strange = _signed_strangely(workspace, cause.id, since, size)
            rows += workspace.log.subjects_of(strange) if strange else []
        for position, name, digest, kind in rows:
            if digest not in found:
                found[digest] = Affected(Subject(name, digest, kind), cause.id, position, 1)
        frontier = dict.fromkeys(found, "")
    depth = 1 if cause.kind == SUBJECT else 2
    while frontier:
        made = workspace.log.made_from([MATERIAL_TERM + digest for digest in frontier], size)
        frontier = {}
        for position, term, name, digest, kind in made:
            if digest not in found and digest != cause.id:
                via = term.removeprefix(MATERIAL_TERM)
                found[digest] = Affected(Subject(name, digest, kind), via, position, depth)
                frontier[digest] = ""
        depth += 1
    about = set(found) | ({cause.id} if cause.kind == SUBJECT else set())
    rows = workspace.log.details(about, (CONTAINMENT, DECISION), size)
    contained = {
        (digest, environment): index
        for index, digest, kind, detail in rows
        if kind == CONTAINMENT
        for action, environment in [_words(detail, 2)]
        if action != LIFT
    }
    decided = [(index, digest, detail) for index, digest, kind, detail in rows if kind == DECISION]
    decisions = _decisions(decided, contained, format_time(now))
    return Impact(cause, size, tuple(found.values()), decisions)


def check(workspace: Workspace, found: Impact, on_progress: Callable[[int, int], None] | None = None) -> Impact:
    """The same with each link held against its signatures: what nobody whose key counts said is marked so.

    Raises:
        AssaymarkError: as the log raises.
    """
    tree = workspace.trust()
    standing = key_standing(
        Reader(workspace, tree).of_type("assaymark:key-event/v1", tree.checkpoint.size), tree.root
    )
    checked = []
    for number, item in enumerate(found.subjects, 1):
        try:
            (attestation,) = counting([attestation_at(workspace, tree, item.entry)], standing, tree.root)
            holds = bool(attestation.signers)
        except (InputError, VerificationError):
            holds = False
        checked.append(replace(item, holds=holds))
        if on_progress is not None:
            on_progress(number, len(found.subjects))
    return replace(found, subjects=tuple(checked))


def _signed_strangely(workspace: Workspace, key: str, since: int, size: int) -> list[int]:
    """The entries that a key signed under key ids that are none of the root's: each is tried."""
    tree = workspace.trust()
    positions = set()
    strange = [term for term in workspace.log.terms(KEY_TERM) if term.removeprefix(KEY_TERM) not in tree.root.keys]
    for term in strange:
        for index in workspace.log.by_term(term, size):
            try:
                attestation = attestation_at(workspace, tree, index)
            except (InputError, VerificationError):
                continue  # no statement, or a damaged one: `log check` says which
            if index >= since and any(signer.key_id == key for signer in attestation.signers):
                positions.add(index)
    return sorted(positions)


def _decisions(
    rows: list[tuple[int, str, str]], contained: dict[tuple[str, str], int], now: str
) -> tuple[AffectedDecision, ...]:
    """The decisions of the index. Of one subject and environment only the newest can stand.

    A permit stands until it ends, unless a containment came after it; times of one form and length compare as texts.
    """
    newest: dict[tuple[str, str], int] = {}
    read: list[tuple[int, str, str, str, str]] = []
    for index, digest, detail in rows:
        outcome, environment, valid_until = _words(detail, 3)
        newest[digest, environment] = index
        read.append((index, digest, outcome, environment, valid_until))
    return tuple(
        AffectedDecision(
            index,
            digest,
            outcome,
            environment,
            valid_until,
            outcome == "PERMIT"
            and valid_until > now
            and newest[digest, environment] == index
            and contained.get((digest, environment), -1) < index,
        )
        for index, digest, outcome, environment, valid_until in read
    )


def _words(detail: str, count: int) -> list[str]:
    return [*detail.split(" "), *["?"] * count][:count]
