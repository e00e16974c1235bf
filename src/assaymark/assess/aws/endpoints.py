"""The collector of VPC endpoints, and of which workloads' requests may go through which.

A request that goes through an endpoint carries ``aws:SourceVpce`` and ``aws:SourceVpc``, and the endpoint's policy
must allow it too. A gateway is gone through from the subnets whose route table it is in; an interface from all of its
network, when it answers for the service's own names. Nothing else about networks is decided here: what a workload's
credentials can be used for elsewhere, no endpoint limits.

Sources: Amazon VPC, AWS PrivateLink Guide: "Gateway endpoints", "Access an AWS service using an interface VPC
endpoint", "Control access to VPC endpoints using endpoint policies".
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final

from assaymark.assess.estate.aws import Endpoint
from assaymark.assess.unresolved import Unresolved
from assaymark.assess.values import json_of, mappings
from assaymark.formats.located import Map, listed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from assaymark.assess.aws.records import Records
    from assaymark.assess.estate.terraform import TfResource
    from assaymark.assess.files import SourceFile

KINDS: Final = (
    "aws_main_route_table_association",
    "aws_route_table_association",
    "aws_subnet",
    "aws_vpc_endpoint",
    "aws_vpc_endpoint_policy",
    "aws_vpc_endpoint_route_table_association",
)
_SUBNETS: Final = ("subnet_id", "subnet_ids", "subnets", "SubnetId", "SubnetIds", "Subnets")
# The last words of an endpoint's service to the prefix of its actions, where they differ.
_PREFIXES: Final = {
    "bedrock-agent": "bedrock",
    "bedrock-agent-runtime": "bedrock",
    "bedrock-runtime": "bedrock",
    "elasticfilesystem-fips": "elasticfilesystem",
    "kms-fips": "kms",
    "monitoring": "cloudwatch",
    "s3express": "s3express",
    "streaming-rekognition": "rekognition",
    "sync-states": "states",
}


class Networks:
    """What was read: endpoints, the networks and route tables of subnets, and where workloads are."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self._vpcs: dict[str, str] = {}  # of a subnet
        self._tables: dict[str, str] = {}  # of a subnet; of a network its main one
        self._joined: defaultdict[str, set[str]] = defaultdict(set)  # route tables of an endpoint
        self._policies: dict[str, TfResource] = {}
        self._endpoints: list[TfResource] = []

    def place(self, resource: TfResource) -> None:
        """One of ``KINDS``."""
        match resource.kind:
            case "aws_subnet":
                self._vpcs[resource.text("id")] = resource.text("vpc_id")
            case "aws_route_table_association":
                self._tables[resource.text("subnet_id")] = resource.text("route_table_id")
            case "aws_main_route_table_association":
                self._tables[resource.text("vpc_id")] = resource.text("route_table_id")
            case "aws_vpc_endpoint_route_table_association":
                self._joined[resource.text("vpc_endpoint_id")].add(resource.text("route_table_id"))
            case "aws_vpc_endpoint_policy":
                self._policies[resource.text("vpc_endpoint_id")] = resource
            case _:
                self._endpoints.append(resource)

    def finish(self, resources: Iterable[TfResource]) -> None:
        """Adds the endpoints to the estate, and the workloads that may go through them."""
        estate = self._records.estate
        for one in self._endpoints:
            self._joined[one.text("id")] |= {str(table) for table in listed(one.get("route_table_ids"))}
            estate.endpoints.append(self._endpoint(one))
        for resource in resources if self._endpoints else ():
            arn = resource.text("task_definition") if resource.kind == "aws_ecs_service" else resource.arn
            found = [one.text("id") for one in self._endpoints if arn and self._passes(resource, one)]
            if found:
                known = estate.ways.get(arn, ())
                estate.ways[arn] = tuple(dict.fromkeys((*known, *found)))

    def _endpoint(self, one: TfResource) -> Endpoint:
        holder = self._policies.get(one.text("id"), one)
        policy, unread = None, False
        if holder.values.get("policy") is not None:
            name = f"the policy of {one.address}"
            policy = self._records.document(holder.json("policy"), name, holder.file, holder.values.at("policy"))
            unread = policy is None
        service = service_of(one.text("service_name"))
        return Endpoint(one.text("id"), one.text("vpc_id"), service, one.because(), policy, unread)

    def _passes(self, resource: TfResource, endpoint: TfResource) -> bool:
        """Whether what runs in a resource can send requests through an endpoint."""
        vpc = endpoint.text("vpc_id")
        subnets = [one for one in subnets_of(resource.values) if vpc and self._vpcs.get(one) == vpc]
        if endpoint.text("vpc_endpoint_type") == "Interface":
            answers = endpoint.get("private_dns_enabled") is True
            return answers and bool(subnets)
        tables = self._joined[endpoint.text("id")]
        return any(self._table(subnet, vpc) in tables for subnet in subnets)

    def _table(self, subnet: str, vpc: str) -> str:
        """The route table of a subnet: its own, else the network's main one."""
        main = self._tables.get(vpc) or f"{vpc}#main"
        return self._tables.get(subnet, main)


def service_of(name: str) -> str:
    """The prefix of the actions that an endpoint of that service is for: ``com.amazonaws.eu-west-1.s3`` is ``s3``."""
    parts = name.split(".")
    at = next((index for index, part in enumerate(parts) if part == "amazonaws"), -1)
    words = parts[at + 2 :] if at >= 0 and "vpce" not in parts else []
    return _PREFIXES.get(words[0], words[0]) if words else ""


def subnets_of(values: Any) -> Iterator[str]:
    """The subnets that a resource names, at any depth."""
    for value in mappings(values):
        for key in _SUBNETS:
            found = value.get(key)
            for one in [found] if isinstance(found, str) else listed(found):
                if isinstance(one, str) and not isinstance(one, Unresolved):
                    yield one


def exported(records: Records, file: SourceFile, value: Map) -> bool:
    """``ec2 describe-vpc-endpoints``; whether it was one."""
    found = False
    for item in listed(value.get("VpcEndpoints")):
        if not isinstance(item, Map) or not isinstance(item.get("VpcEndpointId"), str):
            continue
        found = True
        text = json_of(item.get("PolicyDocument"), item.at("PolicyDocument"))
        name = f"the policy of {item['VpcEndpointId']}"
        policy = records.document(text, name, file, item.at("PolicyDocument")) if isinstance(text, Map) else None
        interface = item.get("VpcEndpointType") == "Interface" and item.get("PrivateDnsEnabled") is True
        records.estate.endpoints.append(
            Endpoint(
                str(item["VpcEndpointId"]),
                str(item.get("VpcId")) if interface else "",
                service_of(str(item.get("ServiceName"))),
                file.because(item.line),
                policy,
                item.get("PolicyDocument") is not None and policy is None,
            )
        )
    return found


def routed(records: Records) -> None:
    """The workloads of exports that say their network, by the interfaces in it that answer for a service's names."""
    estate = records.estate
    for arn, resource in estate.resources.items() if estate.endpoints else ():
        vpcs = {value.get("VpcId") for value in mappings(resource.settings)} if resource.role else set()
        found = [one.id for one in estate.endpoints if one.vpc and one.vpc in vpcs]
        if found:
            estate.ways[arn] = tuple(dict.fromkeys((*estate.ways.get(arn, ()), *found)))
