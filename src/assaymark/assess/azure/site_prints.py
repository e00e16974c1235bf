"""What the command line prints of a site apart from the site: sign-in, access restrictions, configuration.

``az webapp auth show``, ``az webapp config access-restriction show`` and ``az webapp config show`` name the site by
an id, or not at all: then the file's name does, or the site is the only one. Source: Azure CLI, reference of ``az
webapp auth`` and ``az webapp config``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from assaymark.assess.azure.documents import field, text
from assaymark.assess.azure.shapes import settings_of
from assaymark.assess.azure.sites import SITES
from assaymark.formats.located import Map

if TYPE_CHECKING:
    from assaymark.assess.azure.records import Records
    from assaymark.assess.estate.azure import Resource
    from assaymark.assess.files import SourceFile

_CONFIG: Final = "Microsoft.Web/sites/config"
_PLACE: Final = re.compile(r"/providers/microsoft\.web/sites/[^/]+(?:/slots/[^/]+)?/config/[^/]+", re.IGNORECASE)


def read_site_print(records: Records, file: SourceFile, value: Map) -> bool:
    """Adds what a document says of a site that it is not itself; whether it was one."""
    identifier = text(value, "id")
    if _PLACE.search(identifier):
        kind = text(value, "type")
        if "/" in kind:
            return False  # a resource like others
        records.resource(identifier, _CONFIG, file.because(value.line), settings=settings_of(_CONFIG.lower(), value))
        return True
    part = "" if identifier else _part(value)
    if not part:
        return False
    site = _named(records, file)
    if site is None:
        reason = "settings of a site that no file names: its name in the file's name would"
        records.reading.skip(file.path, reason, value.line)
        return True
    place = f"{site.id}/config/{part}"
    records.resource(place, _CONFIG, file.because(value.line), settings=settings_of(_CONFIG.lower(), value))
    return True


def _part(value: Map) -> str:
    """Which part of a site's configuration a document without an id is; empty for none."""
    if "ipSecurityRestrictions" in value and "scmIpSecurityRestrictionsUseMain" in value:
        return "web"
    if isinstance(field(value, "globalValidation"), Map) and isinstance(field(value, "platform"), Map):
        return "authsettingsv2"
    classic = "unauthenticatedClientAction" in value and "enabled" in value
    return "authsettings" if classic and ("tokenStoreEnabled" in value or "runtimeVersion" in value) else ""


def _named(records: Records, file: SourceFile) -> Resource | None:
    """The site that a file's name names, the longest name first; else the only one."""
    sites = [one for one in records.estate.resources.values() if one.kind in SITES]
    path = file.path.lower()
    found = [one for one in sites if re.search(rf"(?<![a-z0-9]){re.escape(one.name.lower())}(?![a-z0-9])", path)]
    longest = max((len(one.name) for one in found), default=0)
    best = [one for one in found if len(one.name) == longest] or sites
    return best[0] if len(best) == 1 else None
