"""The collectors: what reads an architecture's files, in the order in which they are asked.

Each is ``collect(inputs: Inputs, estates: Estates) -> None``: it takes the documents that it knows by their
content, adds what they say to an estate, names the paths it read in ``inputs.reading.read``, and what it could not
resolve as skipped.
"""

from __future__ import annotations

from typing import Final

from assaymark.core.part import Part

COLLECTORS: Final[tuple[Part, ...]] = (
    Part(
        "terraform",
        "collector",
        "Terraform and OpenTofu: plans and states as JSON, HCL as far as it can be resolved",
        (),
        "assaymark.assess.terraform.collect:collect",
    ),
    Part(
        "cloudformation",
        "collector",
        "templates of CloudFormation and SAM, JSON or YAML",
        (),
        "assaymark.assess.aws.from_cloudformation:collect",
    ),
    Part(
        "aws-export",
        "collector",
        "what the AWS CLI writes: authorization details, policies of identities, keys, buckets, organisations",
        (),
        "assaymark.assess.aws.exports:collect",
    ),
    Part(
        "aws-terraform",
        "collector",
        "AWS resources that Terraform declares",
        (),
        "assaymark.assess.aws.from_terraform:collect",
    ),
    Part("aws-gateways", "collector", "routes of API Gateway", (), "assaymark.assess.aws.gateways:collect"),
    Part(
        "aws-distributions",
        "collector",
        "distributions of CloudFront: what they pass on of what anyone asks",
        (),
        "assaymark.assess.aws.distributions:collect",
    ),
    Part(
        "gcp-terraform",
        "collector",
        "Google Cloud resources that Terraform declares",
        (),
        "assaymark.assess.gcp.from_terraform:collect",
    ),
    Part(
        "azure-terraform",
        "collector",
        "Azure and Entra ID resources that Terraform declares",
        (),
        "assaymark.assess.azure.from_terraform:collect",
    ),
    Part(
        "gcp-export",
        "collector",
        "what gcloud and the asset inventory of Google Cloud write",
        (),
        "assaymark.assess.gcp.exports:collect",
    ),
    Part(
        "azure-template",
        "collector",
        "templates of Azure Resource Manager, and what Bicep compiles to",
        (),
        "assaymark.assess.azure.templates:collect",
    ),
    Part(
        "azure-export",
        "collector",
        "what the Azure CLI and API write: assignments, roles, principals, resources",
        (),
        "assaymark.assess.azure.exports:collect",
    ),
    Part(
        "kubernetes",
        "collector",
        "objects of clusters: manifests, exports, and what Terraform declares",
        (),
        "assaymark.assess.kubernetes.collect:collect",
    ),
    Part(
        "source",
        "collector",
        "a team's own source: Python, notebooks, images, dependencies, pipelines, logging, and secrets in them",
        (),
        "assaymark.assess.source.collect:collect",
    ),
    Part("unread", "collector", "what is in languages that nobody reads", (), "assaymark.assess.unread:collect"),
)

LINKERS: Final[tuple[Part, ...]] = (
    Part("aws", "linker", "who may do what in AWS accounts", (), "assaymark.assess.aws.link:link"),
    Part("azure", "linker", "who may do what in Azure", (), "assaymark.assess.azure.link:link"),
    Part("gcp", "linker", "who may do what in Google Cloud", (), "assaymark.assess.gcp.link:link"),
    Part(
        "kubernetes",
        "linker",
        "who may do what in a cluster, and what reaches what",
        (),
        "assaymark.assess.kubernetes.link:link",
    ),
    Part("source", "linker", "what pipelines may take on", (), "assaymark.assess.source.link:link"),
    Part("aws-network", "linker", "what of AWS the internet reaches", (), "assaymark.assess.aws.reachable:link"),
    Part("azure-network", "linker", "what of Azure it reaches", (), "assaymark.assess.azure.reachable:link"),
    Part("gcp-network", "linker", "what of Google Cloud it reaches", (), "assaymark.assess.gcp.reachable:link"),
    Part("keys", "linker", "whose long-lived keys are held where", (), "assaymark.assess.link_keys:link"),
    Part(
        "applications",
        "linker",
        "who reaches web applications, and what these run",
        (),
        "assaymark.assess.source.link_applications:link",
    ),
    Part("crossing", "linker", "what leads from one platform to another", (), "assaymark.assess.crossing:link"),
    Part(
        "programs",
        "linker",
        "who writes what programs load and run",
        (),
        "assaymark.assess.source.link_programs:link",
    ),
    Part("told", "linker", "what workloads are told to load", (), "assaymark.assess.link_told_places:link"),
    Part("anyone", "linker", "what anybody on the internet can make itself", (), "assaymark.assess.anyone:link"),
)
