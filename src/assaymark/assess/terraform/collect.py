"""The collector of Terraform: what platforms' collectors take their own resources from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assaymark.assess.terraform.resources import terraform_resources

if TYPE_CHECKING:
    from assaymark.assess.estate.estates import Estates
    from assaymark.assess.inputs import Inputs


def collect(inputs: Inputs, estates: Estates) -> None:
    """Adds all resources that Terraform declares, of whatever platform."""
    estates.terraform += terraform_resources(inputs)
