"""The policy that a new workspace begins with."""

from __future__ import annotations

from typing import Final

STARTER: Final = """\
# What a model needs before it may run. Format: docs/spec/policy.md
# Check a change with `assaymark policy check FILE`; read it in plain words with `assaymark policy explain`.
format = "assaymark:policy/v1"

[environments.dev]
description = "experiments; no customer data"
validity = "24h"

[[environments.dev.require]]
id = "scan"
summary = "a complete scan without findings of high severity"
predicate = "assaymark:scan/v1"
roles = ["scanner"]

[[environments.dev.require.where]]
field = "complete"
equals = true
indeterminate-when = [false]  # something was not looked at: no answer, and never a yes

[[environments.dev.require.where]]
field = "highest"  # the highest severity among the findings
in = ["none", "info", "low", "medium"]

[environments.dev.contain]
roles = ["owner", "approver", "responder"]

[environments.production]
description = "serves customers"
validity = "1h"

[[environments.production.require]]
id = "scan"
summary = "a complete scan without findings of high severity"
predicate = "assaymark:scan/v1"
roles = ["scanner"]

[[environments.production.require.where]]
field = "complete"
equals = true
indeterminate-when = [false]

[[environments.production.require.where]]
field = "highest"
in = ["none", "info", "low", "medium"]

[[environments.production.require]]
id = "approvals"
summary = "two people, other than who submitted it, approve this exact model"
predicate = "assaymark:approval/v1"
roles = ["approver"]
threshold = 2
distinct-from = ["submitter"]

# Who may contain a model at once. Lifting needs everything above anew, logged after the containment.
[environments.production.contain]
roles = ["owner", "approver", "responder"]

# Who may let a model run without one of the above, for a time: `assaymark attest exception`.
[environments.production.exceptions]
roles = ["policy"]
max-duration = "90d"

# More that can be asked for; take the # away. `lineage` goes below [environments.production].
#
# lineage = "verified"  # every model and data set that it was made from is known, and none is contained
#
# [[environments.production.require]]
# id = "provenance"
# summary = "its training was recorded"
# predicate = "https://slsa.dev/provenance/v1"
# roles = ["builder"]
# where = [{ field = "buildDefinition.buildType", equals = "assaymark:record/v1" }]
#
# [[environments.production.require]]
# id = "data"
# summary = "somebody approves each data set, anew every half year"
# about = "data"
# predicate = "assaymark:approval/v1"
# roles = ["approver"]
# max-age = "180d"
# mode = "warn"  # shown and signed, and denies nothing yet
"""


def starter_policy() -> bytes:
    """The TOML bytes of the starter policy: ``dev`` and ``production``."""
    return STARTER.encode()
