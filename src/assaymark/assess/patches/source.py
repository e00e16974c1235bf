"""Which patches are written for what a team writes itself: rule to writer, for Python and for all other files."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, TypeAlias

from assaymark.assess.patches.build import over_tls, run_as_nobody, verified
from assaymark.assess.patches.pins import (
    of_actions_and_images,
    of_downloads,
    of_image_argument,
    of_images,
    of_models,
)
from assaymark.assess.patches.pipelines import federated, narrowed
from assaymark.assess.patches.python import (
    added,
    given,
    redacted,
    safe_yaml,
    started,
    verified_context,
)
from assaymark.assess.patches.requirements import of_component, of_repositories, of_requirements
from assaymark.assess.patches.scripts import moved
from assaymark.assess.patches.servers import asked
from assaymark.assess.patches.web import authenticated, limited

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from assaymark.assess.patch import Patch, Place

    Writer: TypeAlias = Callable[[Place], Iterator[Patch]]


def everywhere(write: Writer) -> Writer:
    """Writes for each place of a finding: what is said of several calls of a file is said once."""

    def each(place: Place) -> Iterator[Patch]:
        for line in place.at_lines:
            yield from write(replace(place, line=line))

    return each


PYTHON: Final[dict[str, Writer]] = {
    "build-image-unpinned": everywhere(of_image_argument),
    "deps-component-unpinned": everywhere(of_component),
    "load-keras": everywhere(given("safe_mode", "True", "load no code")),
    "load-pickle": everywhere(given("allow_pickle", "False", "load plain arrays only")),
    "load-remote-code": everywhere(given("trust_remote_code", "False", "run no code of the model's repository")),
    "load-torch": everywhere(added("weights_only", "True", "load weights only")),
    "load-unpinned-model": everywhere(of_models),
    "load-yaml": everywhere(safe_yaml),
    "log-credential": redacted,
    "log-prediction": redacted,
    "log-request": redacted,
    "source-tls-unverified": everywhere(verified_context),
    "web-debug": everywhere(started),
    "web-no-authentication": authenticated,
    "web-no-input-limit": limited,
    "web-open-origins": everywhere(
        given(
            ("allow_credentials", "supports_credentials"),
            "False",
            "let other sites call without their visitors' credentials",
        )
    ),
    "web-public-share": everywhere(given("share", "False", "keep the demonstration where it runs")),
}
FILES: Final[dict[str, Writer]] = {
    "build-image-unpinned": of_images,
    "build-root-user": run_as_nobody,
    "build-server-open": asked,
    "ci-action-unpinned": of_actions_and_images,
    "ci-permissions-wide": narrowed,
    "ci-script-injection": moved,
    "ci-static-cloud-key": federated,
    "deps-component-unpinned": of_requirements,
    "deps-insecure-index": over_tls,
    "deps-moving-source": of_repositories,
    "deps-unhashed": of_requirements,
    "deps-unpinned": of_requirements,
    "k8s-image-unpinned": of_images,
    "load-unpinned-model": of_downloads,
    "source-tls-unverified": verified,
}
