"""Images of containers as they are kept, made by the layouts' specifications."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from hashlib import sha256
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def layer(files: Mapping[str, bytes], *, links: Mapping[str, str] | None = None, hard: bool = True) -> bytes:
    """A tar archive; ``links`` are hard links, or symbolic ones."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            if name.endswith("/"):
                info.type = tarfile.DIRTYPE
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
        for name, target in (links or {}).items():
            info = tarfile.TarInfo(name)
            info.type, info.linkname = (tarfile.LNKTYPE if hard else tarfile.SYMTYPE), target
            archive.addfile(info)
    return out.getvalue()


def saved(names: list[str], config: Mapping[str, Any], layers: Iterable[bytes]) -> bytes:
    """As ``docker save`` writes it."""
    files = {f"layer{number}/layer.tar": data for number, data in enumerate(layers)}
    listing = [{"Config": "config.json", "RepoTags": names, "Layers": list(files)}]
    return layer({"manifest.json": _json(listing), "config.json": _json(config), **files})


def layout(
    name: str, config: Mapping[str, Any], layers: Iterable[bytes], *, platforms: bool = False
) -> dict[str, bytes]:
    """The files of an OCI image layout; with ``platforms`` an index of them, and an attestation, is between."""
    blobs: dict[str, bytes] = {}

    def blob(data: bytes, kind: str, **more: Any) -> dict[str, Any]:
        digest = sha256(data).hexdigest()
        blobs[f"blobs/sha256/{digest}"] = data
        return {
            "mediaType": f"application/vnd.oci.image.{kind}",
            "digest": f"sha256:{digest}",
            "size": len(data),
        } | more

    def manifest(config: Mapping[str, Any], layers: Iterable[bytes], **more: Any) -> dict[str, Any]:
        value = {
            "schemaVersion": 2,
            "config": blob(_json(config), "config.v1+json"),
            "layers": [blob(gzip.compress(one), "layer.v1.tar+gzip") for one in layers],
        }
        return blob(_json(value), "manifest.v1+json", **more)

    notes = {"annotations": {"org.opencontainers.image.ref.name": name}}
    if platforms:
        several = [
            manifest({"config": {"Env": ["ARM=1"]}}, [], platform={"os": "linux", "architecture": "arm64"}),
            manifest(config, layers, platform={"os": "linux", "architecture": "amd64"}),
            manifest({}, [], platform={"os": "unknown", "architecture": "unknown"}),
        ]
        top = blob(_json({"schemaVersion": 2, "manifests": several}), "index.v1+json", **notes)
    else:
        top = manifest(config, layers, **notes)
    return {
        "oci-layout": _json({"imageLayoutVersion": "1.0.0"}),
        "index.json": _json({"schemaVersion": 2, "manifests": [top]}),
        **blobs,
    }


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()
