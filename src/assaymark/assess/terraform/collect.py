"""The collector of Terraform: what platforms' collectors take their own resources from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assaymark.assess.releases import Installed
from assaymark.assess.terraform.resources import terraform_resources
from assaymark.formats.located import listed, maps_in

if TYPE_CHECKING:
    from assaymark.assess.estate.estates import Estates
    from assaymark.assess.inputs import Inputs


def collect(inputs: Inputs, estates: Estates) -> None:
    """Adds all resources that Terraform declares, of whatever platform, and says which charts it installs how."""
    estates.terraform += terraform_resources(inputs)
    for one in estates.terraform:
        if one.kind == "helm_release" and one.text("chart"):
            texts = [str(text) for text in listed(one.values.get("values")) if isinstance(text, str)]
            sets = (*maps_in(one.values.get("set")), *maps_in(one.values.get("set_sensitive")))
            inputs.charts.install(
                Installed(one.file, one.line, one.text("chart"), one.text("name"), one.get("namespace"), texts, sets)
            )
