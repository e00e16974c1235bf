"""``patches_for``: written changes of the files that a finding is about.

Each is small and stands on lines that the finding names. *Safe* is one after which everything that ran still runs
as it did; those may be applied without a person looking, all others are shown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

from assaymark.assess.files import is_fetched
from assaymark.assess.kubernetes.overlays import Overlays
from assaymark.assess.patch import Patch, Place
from assaymark.assess.patches.clouds import CLOUD_WRITERS
from assaymark.assess.patches.keys import KEY_WRITERS
from assaymark.assess.patches.kubernetes import KUBERNETES_WRITERS
from assaymark.assess.patches.open_networks import NETWORK_WRITERS
from assaymark.assess.patches.policies import POLICY_WRITERS
from assaymark.assess.patches.source import FILES, PYTHON
from assaymark.assess.patches.tenants import TENANT_WRITERS
from assaymark.assess.patches.terraform import TERRAFORM_WRITERS
from assaymark.assess.patches.trust import TRUST_WRITERS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from assaymark.assess.estate.estates import Estates
    from assaymark.assess.inputs import Inputs
    from assaymark.core.report import Finding

    Writer: TypeAlias = Callable[[Place], Iterable[Patch]]

_WRITERS: Final[dict[str, Writer]] = {
    **FILES,
    **TERRAFORM_WRITERS,
    **CLOUD_WRITERS,
    **NETWORK_WRITERS,
    **POLICY_WRITERS,
    **TRUST_WRITERS,
    **KEY_WRITERS,
    **KUBERNETES_WRITERS,
    **TENANT_WRITERS,
}


def patches_for(finding: Finding, inputs: Inputs, estates: Estates) -> tuple[Patch, ...]:
    """The patches of a finding, to be applied together; none where nobody can write them without knowing more."""
    place = finding.locations[0]
    file = inputs.file(place.path)
    if file is None or place.line is None or file.archive or inputs.charts.has(place.path):
        return ()  # packed files are made again, not changed; a template's lines are not those of what comes of it
    if place.path in inputs.once(Overlays).changes:
        return ()  # a kustomization says what becomes of others' values, not what they are
    write = (PYTHON if place.path.endswith((".py", ".pyw")) else _WRITERS).get(finding.rule)
    if write is None:
        return ()
    found = write(Place(finding, file, place.line, inputs, estates))
    return tuple(one for one in found if not is_fetched(one.path))  # what others wrote is fetched anew
