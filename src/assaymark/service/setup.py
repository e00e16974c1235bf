"""Make a workspace: keys, trust root, log, policy. All of it appears at once or not at all."""

from __future__ import annotations

import errno
import secrets
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from assaymark.core.decision import DEFAULT_TENANT
from assaymark.core.digest import sha256_digest
from assaymark.core.errors import UnavailableError, UsageError
from assaymark.core.names import NAME_FORM, is_name
from assaymark.core.statement import POLICY, ROOT_PAYLOAD_TYPE, make_statement
from assaymark.core.subject import Subject
from assaymark.keys.file import generate
from assaymark.keys.signers import load_signer
from assaymark.policy.parse import parse_policy
from assaymark.policy.predicates import policy_predicate
from assaymark.policy.starter import starter_policy
from assaymark.service.publish import note_signer, sign, sign_statement
from assaymark.service.workspace import CONFIG_NAME, Config
from assaymark.store.files import make_folder, sync_folder, write_durable
from assaymark.store.log_media import DEFAULT_STORE, STORES
from assaymark.store.log_store import LogStore
from assaymark.tlog.note import vkey
from assaymark.trust.public_key import PublicKey
from assaymark.trust.root import LogTrust, Principal, Role, make_root

if TYPE_CHECKING:
    from pathlib import Path

    from assaymark.core.statement import Statement
    from assaymark.keys.signers import Signer

ROOT_VALIDITY_SECONDS: Final = 365 * 86_400
SERVICE: Final = "service"
# What the owner of a fresh workspace may do; approving is for others to be enrolled for.
OWNER_ROLES: Final = ("owner", "policy", "root")
# The workspace's own workload: its key signs what this machine found, decided and recorded.
SERVICE_ROLES: Final = ("builder", "scanner", "verifier")
# The role of a key that only signs attempts, as the guide enrols it; no policy needs to ask for it.
POINT_ROLE: Final = "point"


@dataclass(frozen=True, slots=True)
class Initialised:
    """A fresh workspace and what to tell its owner."""

    folder: Path
    owner: str
    root_digest: str
    root_expires: int
    origin: str
    environments: tuple[str, ...]
    owner_key: Path


def init_workspace(
    folder: Path,
    now: int,
    *,
    owner: str = "owner",
    tenant: str = DEFAULT_TENANT,
    passphrase: bytes | None = None,
    policy: bytes | None = None,
    store: str = DEFAULT_STORE,
) -> Initialised:
    """Make a workspace at ``folder``, which must not exist or be empty.

    It is built beside its place and renamed, so a failure leaves nothing behind. ``passphrase`` encrypts the
    owner's private key; the log's and the service's keys are the machine's, and are not encrypted. ``store`` is
    where the log's bytes lie: ``sqlite``, one file, or ``folder``, the layout that tlog clients read as it lies.

    Raises:
        UsageError: ``workspace-exists``, ``name-form`` or ``store-unknown``.
        InputError: the policy is malformed.
        UnavailableError: it cannot be written.
    """
    for name in (owner, tenant):
        if not is_name(name):
            raise UsageError("name-form", f"{name!r} is not a name", remedy=f"names have the form {NAME_FORM}")
    if owner == SERVICE:
        raise UsageError("name-form", f"{SERVICE!r} is the workspace's own workload", remedy="choose another name")
    if store not in STORES:
        raise UsageError("store-unknown", f"there is no store {store!r}", remedy="one of: " + ", ".join(STORES))
    _refuse_existing(folder)
    text = starter_policy() if policy is None else policy
    environments = tuple(item.name for item in parse_policy(text).environments)
    try:
        make_folder(folder.parent)
        draft = folder.parent / f".{folder.name}.new-{secrets.token_hex(4)}"
        draft.mkdir(mode=0o700)
    except OSError as error:
        raise _unwritable(folder, error) from None
    try:
        config, expires = _build(draft, now, owner, tenant, passphrase, text, store)
        write_durable(draft / CONFIG_NAME, config.to_toml().encode())
        draft.rename(folder)
        sync_folder(folder.parent)
    except OSError as error:
        raise _unwritable(folder, error) from None
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return Initialised(
        folder, owner, config.root, expires, config.origin, environments, folder / "keys" / "owner.key"
    )


def _refuse_existing(folder: Path) -> None:
    try:
        empty = not any(folder.iterdir())
    except FileNotFoundError:
        return
    except OSError as error:
        raise UsageError("workspace-exists", f"cannot be made: {error.strerror}", source=str(folder)) from None
    if not empty:
        what = "is a workspace already" if (folder / CONFIG_NAME).exists() else "is not empty"
        raise UsageError(
            "workspace-exists", f"the folder {what}; nothing was changed", source=str(folder), remedy="name another"
        )


def _unwritable(folder: Path, error: OSError) -> UnavailableError:
    code = "disk-full" if error.errno in (errno.ENOSPC, errno.EDQUOT) else "store-read-only"
    return UnavailableError(
        code, f"cannot be made: {error.strerror}", source=str(folder), remedy="name a folder that you can write to"
    )


def _build(
    draft: Path, now: int, owner: str, tenant: str, passphrase: bytes | None, policy: bytes, store: str
) -> tuple[Config, int]:
    keys = draft / "keys"
    keys.mkdir(mode=0o700)
    # A workspace is often made inside a repository, where the next commit of everything would publish the keys.
    write_durable(keys / ".gitignore", b"*\n")
    signers: dict[str, Signer] = {}
    for name in ("owner", "log", "service"):
        secret = passphrase if name == "owner" else None
        generate(keys / f"{name}.key", secret)
        signers[name] = load_signer(f"file:{keys / name}.key", (lambda: passphrase) if passphrase else None)
    origin = f"assaymark.local/{tenant}/{secrets.token_hex(8)}"
    expires = now + ROOT_VALIDITY_SECONDS
    public = {name: PublicKey(signer.scheme, signer.public) for name, signer in signers.items()}
    root = make_root(
        tenant=tenant,
        version=1,
        expires=expires,
        log=LogTrust(origin, (vkey(origin, signers["log"].public),)),
        keys=[public["owner"], public["service"]],
        principals=[
            Principal(owner, (public["owner"].key_id,)),
            Principal(SERVICE, (public["service"].key_id,), "workload", owner),
        ],
        roles=[
            *(Role(role, (owner,), 1 if role in ("root", "policy") else None) for role in OWNER_ROLES),
            *(Role(role, (SERVICE,)) for role in SERVICE_ROLES),
        ],
    )
    envelopes = [
        sign(ROOT_PAYLOAD_TYPE, root, [signers["owner"]]),
        sign_statement(policy_statement(policy, tenant, 0).payload, [signers["owner"]]),
    ]
    log_signer = note_signer(origin, signers["log"])
    log = LogStore.create(draft / "log", origin, log_signer, store=store)
    log.append([envelope.data for envelope in envelopes], now, log_signer)
    log.close()
    config = Config(
        tenant,
        origin,
        sha256_digest(root),
        owner,
        {name: f"file:keys/{name}.key" for name in ("owner", "log", "service")},
    )
    return config, expires


def policy_statement(text: bytes, tenant: str, after_entry: int) -> Statement:
    """The statement that puts a policy in force: docs/spec/policy.md.

    ``after_entry`` is one more than the index of the policy that it replaces, 0 for the first: going back to an
    earlier policy is a new statement.
    """
    subject = Subject("policy", sha256_digest(text), "policy")
    return make_statement((subject,), POLICY, policy_predicate(tenant, text.decode(), after_entry=after_entry))
