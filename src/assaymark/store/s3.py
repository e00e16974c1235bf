"""Files in S3, read by ranges, by the ``obstore`` library: credentials as the AWS tools take them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from assaymark.core.errors import UnavailableError, UsageError
from assaymark.core.limits import REMOTE_MAX_LISTED


@dataclass(frozen=True, slots=True)
class S3Source:
    """One object. ``store`` is a store of obstore."""

    store: Any
    key: str
    size: int
    tag: str | None

    def read(self, offset: int, length: int) -> bytes:
        """Exactly ``length`` bytes from ``offset``.

        Raises:
            UnavailableError: ``remote-read``, also when the object is no longer what it was.
        """
        import obstore
        from obstore.exceptions import BaseError

        options: Any = {"range": (offset, offset + length)}
        if self.tag:
            options["if_match"] = self.tag
        try:
            return bytes(obstore.get(self.store, self.key, options=options).bytes())
        except (BaseError, OSError, ValueError) as error:
            raise UnavailableError("remote-read", f"cannot be read: {_first_line(error)}", source=self.key) from None


def s3_sources(url: str) -> list[tuple[str, S3Source]]:
    """(name, source) of ``s3://bucket/key``, or of all objects below ``s3://bucket/prefix/``.

    Region, keys and a session's token are those of the environment (AWS_REGION, AWS_ACCESS_KEY_ID, ...), the endpoint
    that of AWS_ENDPOINT_URL; without keys, requests are not signed.

    Raises:
        UsageError: ``extra-missing`` without obstore, ``remote-url`` when there is no such object.
        UnavailableError: ``remote-read``.
    """
    try:
        import obstore
        from obstore.exceptions import BaseError
        from obstore.store import S3Store
    except ImportError:
        raise UsageError(
            "extra-missing", "reading S3 needs the extra s3", remedy='pip install "assaymark[s3]"'
        ) from None
    parts = urlsplit(url)
    key = parts.path.lstrip("/")
    if not parts.netloc:
        raise UsageError("remote-url", "an address in S3 is s3://BUCKET/KEY", source=url)
    options: dict[str, Any] = {}
    endpoint = os.environ.get("AWS_ENDPOINT_URL")
    if endpoint:
        options |= {"endpoint": endpoint, "virtual_hosted_style_request": False}
        options["client_options"] = {"allow_http": endpoint.startswith("http://")}
    if "AWS_ACCESS_KEY_ID" not in os.environ and "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI" not in os.environ:
        options["skip_signature"] = True
    try:
        store = S3Store(parts.netloc, **options)
        if key and not key.endswith("/"):
            found = [obstore.head(store, key)]
        else:
            found = [item for page in obstore.list(store, key or None) for item in page]
    except (BaseError, OSError, ValueError) as error:
        raise UnavailableError(
            "remote-read",
            f"cannot be listed: {_first_line(error)}",
            source=url,
            remedy="check bucket, key and credentials",
        ) from None
    if not found or len(found) > REMOTE_MAX_LISTED:
        message = "there is no such object" if not found else f"more than {REMOTE_MAX_LISTED} objects"
        raise UsageError("remote-url", message, source=url)
    prefix = key if key.endswith("/") or not key else key.rsplit("/", 1)[0] + "/" if "/" in key else ""
    return [
        (item["path"].removeprefix(prefix), S3Source(store, item["path"], item["size"], item.get("e_tag")))
        for item in found
    ]


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n", 1)[0][:200]
