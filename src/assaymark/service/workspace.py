"""A workspace: one tenant's log, blobs, keys and configuration in one folder."""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from assaymark.core.digest import is_digest
from assaymark.core.errors import InputError, UsageError, VerificationError
from assaymark.core.statement import ROOT_PAYLOAD_TYPE, parse_envelope
from assaymark.keys.signers import load_signer
from assaymark.store.blobs import Blobs
from assaymark.store.log_store import LogStore
from assaymark.trust.root import verify_root_chain
from assaymark.trust.verify import verify_checkpoint

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from assaymark.core.statement import Envelope
    from assaymark.keys.signers import Signer
    from assaymark.tlog.checkpoint import Checkpoint
    from assaymark.trust.document import Root

WORKSPACE_FORMAT: Final = "assaymark:workspace/v1"
CONFIG_NAME: Final = "assaymark.toml"
_CONFIG_KEYS: Final = {"format", "tenant", "origin", "root", "owner", "keys"}
_KEY_NAMES: Final = {"owner", "log", "service"}
_CONFIG_MAX_BYTES: Final = 65_536


@dataclass(frozen=True, slots=True)
class Config:
    """What ``assaymark.toml`` says: the tenant, its log's origin, the pinned root and where keys are."""

    tenant: str
    origin: str
    root: str
    owner: str
    keys: dict[str, str]

    def to_toml(self) -> str:
        """The file's text."""
        lines = [
            "# An Assaymark workspace. The root digest is what verifiers pin; keys are named by URI.",
            f'format = "{WORKSPACE_FORMAT}"',
            f'tenant = "{self.tenant}"',
            f'origin = "{self.origin}"',
            f'root = "{self.root}"',
            f'owner = "{self.owner}"',
            "",
            "[keys]",
            *(f'{name} = "{uri}"' for name, uri in self.keys.items()),
        ]
        return "\n".join(lines) + "\n"


@dataclass(frozen=True, slots=True)
class TrustedTree:
    """The root in force and the tree that its log signed; both verified. ``roots`` are the chain's entries."""

    root: Root
    roots: tuple[int, ...]
    note: bytes
    checkpoint: Checkpoint


class Workspace:
    """An opened workspace. Reading needs no key; writing signs with the keys that the configuration names."""

    def __init__(self, folder: Path, config: Config) -> None:
        self.folder = folder
        self.config = config
        # A copy for auditors holds no key: nothing is ever written to it, its index included.
        self.log = LogStore.open(folder / "log", read_only=not (folder / "keys").is_dir())
        self._trusted: TrustedTree | None = None
        self.blobs = Blobs(folder / "blobs")

    def trust(self) -> TrustedTree:
        """The root chain from the pinned root on, and the log's newest checkpoint.

        Raises:
            InputError: something in the log is malformed, or ``workspace-config`` when it belongs to another tenant.
            VerificationError: the chain or the checkpoint was refused.
        """
        note, checkpoint = self.log.checkpoint()
        if self._trusted is not None and self._trusted.note == note:
            return self._trusted  # the same tree, so the same roots, and both were verified
        roots = tuple(self.log.by_predicate(ROOT_PAYLOAD_TYPE, below=checkpoint.size, newest_first=False))
        root = verify_root_chain(self.root_envelopes(roots), self.config.root)
        for name, said, is_ in (
            ("tenant", self.config.tenant, root.tenant),
            ("origin", self.config.origin, root.log.origin),
        ):
            if said != is_:
                raise InputError(
                    "workspace-config",
                    f"the {name} is {said!r}, and {is_!r} in the trust root",
                    source=str(self.folder / CONFIG_NAME),
                    position=name,
                    remedy="write what the root says",
                )
        self._trusted = TrustedTree(root, roots, note, verify_checkpoint(note, root))
        return self._trusted

    def hold_to(self, pinned: str) -> None:
        """Refuse a workspace that stands on another root than the one that the caller pinned.

        Raises:
            VerificationError: ``root-pin``.
        """
        if pinned != self.config.root:
            raise VerificationError(
                "root-pin", f"the workspace pins {self.config.root}, you {pinned}", source=str(self.folder)
            )

    def root_envelopes(self, indices: Iterable[int]) -> list[Envelope]:
        """The envelopes of root documents at these entries."""
        return [parse_envelope(self.log.entry(index)[1]) for index in indices]

    def signer(
        self, uri: str | None, passphrase: Callable[[], bytes] | None = None, *, name: str = "owner"
    ) -> Signer:
        """The signer at ``uri``, or the workspace's own key of that name.

        Raises:
            UsageError: the key is missing, readable by others, or wants a passphrase that is not given.
        """
        if uri is None:
            return load_signer(self._own_uri(name), passphrase)
        return load_signer(uri, passphrase)

    def _own_uri(self, name: str) -> str:
        uri = self.config.keys[name]
        scheme, _, rest = uri.partition(":")
        if scheme == "file" and not os.path.isabs(rest):  # noqa: PTH117 - a URI's text, not a path yet
            if not (self.folder / "keys").is_dir():
                raise UsageError(
                    "workspace-copy",
                    "this is a copy of a log, without keys: it can be read and checked, and nothing can be added",
                    source=str(self.folder),
                    remedy="name the workspace itself: --workspace W",
                )
            return f"file:{self.folder / rest}"
        return uri


def open_workspace(folder: Path) -> Workspace:
    """The workspace at ``folder``.

    Raises:
        UsageError: ``workspace-missing``.
        InputError: ``workspace-config``.
    """
    file = folder / CONFIG_NAME
    try:
        with file.open("rb") as stream:
            data = stream.read(_CONFIG_MAX_BYTES + 1)
    except (FileNotFoundError, NotADirectoryError):
        raise UsageError(
            "workspace-missing",
            "there is no workspace here",
            source=str(folder),
            remedy=f"make one with `assaymark init --workspace {folder}`",
        ) from None
    except OSError as error:
        raise UsageError("workspace-missing", f"cannot read: {error.strerror}", source=str(file)) from None
    return Workspace(folder, parse_config(data, str(file)))


def parse_config(data: bytes, source: str) -> Config:
    """Read ``assaymark.toml``; an unknown key is an error.

    Raises:
        InputError: ``workspace-config``.
    """
    if len(data) > _CONFIG_MAX_BYTES:
        raise InputError("workspace-config", f"larger than {_CONFIG_MAX_BYTES} bytes", source=source)
    try:
        document = tomllib.loads(data.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InputError("workspace-config", f"not TOML: {error}", source=source) from None
    if document.get("format") != WORKSPACE_FORMAT:
        raise InputError("workspace-config", f"not of format {WORKSPACE_FORMAT}", source=source, position="format")
    if set(document) != _CONFIG_KEYS:
        raise InputError(
            "workspace-config",
            "missing or unknown: " + ", ".join(sorted(set(document) ^ _CONFIG_KEYS)),
            source=source,
        )
    texts = {key: _text(document[key], key, source) for key in ("tenant", "origin", "root", "owner")}
    keys = document["keys"]
    if not isinstance(keys, dict) or set(keys) != _KEY_NAMES:
        raise InputError("workspace-config", "keys are owner, log and service", source=source, position="keys")
    if not is_digest(texts["root"]):
        raise InputError("workspace-config", "root is not a digest", source=source, position="root")
    return Config(**texts, keys={name: _text(uri, f"keys.{name}", source) for name, uri in keys.items()})


def _text(value: Any, position: str, source: str) -> str:
    if not isinstance(value, str) or not value:
        raise InputError("workspace-config", "expected text", source=source, position=position)
    return value
