"""Whether the lineage of a subject holds, where an environment asks for that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assaymark.core.decision import Outcome, Reason, Request
from assaymark.core.errors import InputError
from assaymark.core.subject import Subject
from assaymark.core.times import format_time
from assaymark.core.words import counted
from assaymark.policy.containment import fold
from assaymark.policy.document import LINEAGE
from assaymark.policy.remedies import printable

if TYPE_CHECKING:
    from assaymark.policy.document import Environment
    from assaymark.policy.subjects import Subjects


def lineage_reason(environment: Environment, subjects: Subjects, below: int) -> tuple[Reason, bool]:
    """Every link holds and no ancestor is contained here; the first that does not is named.

    Also whether an exception may help: never against a containment, of an ancestor neither.
    """
    request = subjects.request
    show = f"assaymark lineage show {request.subject.digest}"
    try:
        lineage = subjects.lineage(below)
    except InputError as error:
        return Reason(LINEAGE, Outcome.INDETERMINATE, f"the lineage is not known: {error.message}", show), True
    known = {item.digest for item in lineage.ancestors[1:]}
    # Under each kind that it is claimed as: what lifts a containment of a data set need not lift that of a model.
    claimed = {(link.parent, link.kind): link for link in lineage.links if link.parent in known}
    for link in claimed.values():
        ancestor = Subject(link.name, link.parent, link.kind)
        state = fold(environment, subjects.closure, Request(ancestor, request.scope))
        if state.contained:
            message = (
                f"{ancestor.kind} {printable(ancestor.name)} ({ancestor.digest}), which it was made from, is"
                f" contained since {format_time(state.logged_at)} (entry {state.since}): {printable(state.why)}"
            )
            return Reason(LINEAGE, Outcome.DENY, message, f"{show}  # make the model anew without it"), False
    for link in lineage.broken:
        parent = f" to {link.kind} {printable(link.name)} ({link.parent})" if link.parent else ""
        message = f"the link of {link.child}{parent} is {link.state}: {link.message}"
        return Reason(LINEAGE, Outcome.DENY, message, f"{show}  # shows every link"), True
    count = len(lineage.ancestors) - 1
    message = f"each link to {counted(count, 'ancestor')} holds" if count else "it names no ancestor"
    return Reason(LINEAGE, Outcome.PERMIT, message), True
