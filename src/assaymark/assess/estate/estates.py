"""``Estates``: what the files say, one for each platform. Collectors fill them; linkers and rules read them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from assaymark.assess.estate.aws import Estate as AwsEstate
from assaymark.assess.estate.azure import Azure
from assaymark.assess.estate.gcp import Gcp
from assaymark.assess.estate.kubernetes import Cluster
from assaymark.assess.estate.source import Source

if TYPE_CHECKING:
    from assaymark.assess.estate.terraform import TfResource


@dataclass(slots=True)
class Estates:
    """A platform that no file speaks of has an empty estate."""

    terraform: list[TfResource] = field(default_factory=list)  # what platforms' collectors take their own from
    aws: AwsEstate = field(default_factory=AwsEstate)
    kubernetes: Cluster = field(default_factory=Cluster)
    source: Source = field(default_factory=Source)
    azure: Azure = field(default_factory=Azure)
    gcp: Gcp = field(default_factory=Gcp)
    indexes: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)  # what was made of them once
