"""Any bytes as assaymark.toml: refused, or texts and a digest."""

from assaymark.core.digest import is_digest
from assaymark.core.errors import InputError
from assaymark.service.workspace import WORKSPACE_FORMAT, parse_config

SEEDS = [
    f"""format = "{WORKSPACE_FORMAT}"
tenant = "default"
origin = "assaymark.local/default"
root = "sha256:{"0" * 64}"
owner = "alice"

[keys]
owner = "file:keys/owner.key"
log = "file:keys/log.key"
service = "file:keys/service.key"
""".encode()
]


def fuzz(data: bytes) -> None:
    try:
        config = parse_config(data, "assaymark.toml")
    except InputError:
        return
    assert is_digest(config.root)
    assert all((config.tenant, config.origin, config.owner, *config.keys.values()))
