"""TLS 1.3 for a server whose certificate is renewed while it runs."""

from __future__ import annotations

import os
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING

from assaymark.core.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """The certificate chain, its private key, and the authority of the clients' certificates, if they need one."""

    certificate: Path
    key: Path
    client_ca: Path | None = None

    def signs(self) -> tuple[tuple[int, int, int] | None, ...]:
        """What changes when one of the files does, links followed: a mounted Secret is swapped by its link."""
        signs: list[tuple[int, int, int] | None] = []
        for file in (self.certificate, self.key, *([self.client_ca] if self.client_ca else [])):
            try:
                found = os.stat(file)  # noqa: PTH116 - the link's target, whatever it is now
            except OSError:
                signs.append(None)
            else:
                signs.append((found.st_ino, found.st_mtime_ns, found.st_size))
        return tuple(signs)

    def context(self) -> ssl.SSLContext:
        """A context of these files as they are now.

        Raises:
            UsageError: ``tls-files``: one of them is missing, no PEM, encrypted, or certificate and key do not fit.
        """
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.num_tickets = 0  # nothing is resumed: each connection shows its certificate anew
        context.set_alpn_protocols(["http/1.1"])
        try:
            # An encrypted key is refused; OpenSSL would otherwise ask at the terminal.
            context.load_cert_chain(self.certificate, self.key, password=lambda: b"")
        except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
            raise _unusable(f"{self.certificate}, {self.key}", error) from None
        if self.client_ca is not None:
            try:
                context.load_verify_locations(self.client_ca)
            except (OSError, ValueError) as error:
                raise _unusable(str(self.client_ca), error) from None
            # Optional here, demanded for /validate: the kubelet's probes have no certificate to show.
            context.verify_mode = ssl.CERT_OPTIONAL
        return context


class RenewedTls:
    """The context that a server listens with, which hands each handshake to the newest one of the files."""

    def __init__(self, files: TlsFiles) -> None:
        self._files = files
        self._signs = files.signs()
        self._newest = files.context()
        self.context = files.context()
        self.context.sni_callback = self._swap

    def _swap(self, connection: ssl.SSLObject, _name: str | None, _context: ssl.SSLContext) -> None:
        connection.context = self._newest

    def renew(self) -> str:
        """Read the files again if one has changed. Returns what to tell the operator, empty when nothing changed.

        Files that do not fit (a certificate that is replaced before its key) leave the old ones in use.
        """
        signs = self._files.signs()
        if signs == self._signs:
            return ""
        try:
            newest = self._files.context()
        except UsageError as error:
            # Not remembered: the next look reads them again.
            return f"the certificate is not renewed yet: {error}"
        self._newest, self._signs = newest, signs
        return "the certificate was renewed"


def _unusable(source: str, error: Exception) -> UsageError:
    why = getattr(error, "reason", None) or getattr(error, "strerror", None) or "an encrypted key"
    return UsageError(
        "tls-files",
        f"cannot be used for TLS: {why}",
        source=source,
        remedy="name PEM files that fit each other: the certificate with its chain, and its key without a passphrase",
    )
