"""Which repositories of ECR an image is taken from: who writes the repository decides what runs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from assaymark.assess.estate.aws import UNKNOWN_ACCOUNT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assaymark.assess.estate.aws import Estate, Resource

_IMAGE: Final = re.compile(
    r"(?P<account>[0-9]{12})\.dkr\.ecr(?:-fips)?\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(?:\.cn)?/"
    r"(?P<name>[a-z0-9][a-z0-9._/-]*)(?P<rest>(?::[\w.-]+)?(?:@sha256:[0-9a-f]+)?)"
)


def images_of(estate: Estate, text: str) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """For each image that a text names: the repository's ARN, the image, and what would decide that it is this one.

    Images by digest, and those of repositories whose tags cannot be moved, are what they were: none. A repository
    whose account no input names is known by its name.
    """
    if ".dkr.ecr" not in text:
        return
    for match in _IMAGE.finditer(text):
        if "@" in match["rest"]:
            continue
        for account in (match["account"], UNKNOWN_ACCOUNT):
            for arn in _repositories(estate, account, match["region"], match["name"]):
                shown = f"account {match['account']} is that of the repository {match['name']}"
                decides = (shown,) if account != match["account"] else ()
                if not _immutable(estate.resources[arn]):
                    yield arn, match[0], decides


def _repositories(estate: Estate, account: str, region: str, name: str) -> list[str]:
    if account != UNKNOWN_ACCOUNT:
        arn = f"arn:aws:ecr:{region}:{account}:repository/{name}"
        return [arn] if arn in estate.resources else []
    end = f":{account}:repository/{name}"
    return [arn for arn in estate.resources if arn.startswith("arn:aws:ecr:") and arn.endswith(end)]


def _immutable(repository: Resource) -> bool:
    found = repository.settings.get("image_tag_mutability") or repository.settings.get("imageTagMutability")
    return found == "IMMUTABLE"
