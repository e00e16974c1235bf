"""Statements that deny, added to the policies of buckets: plain text, other networks."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from typing import TYPE_CHECKING

from assaymark.assess.edits import text_of_file
from assaymark.assess.terraform.declared import block_of, declared, lone, referable
from assaymark.formats.hcl.tree import Attribute, Call, Literal, Name, Object, Tuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assaymark.assess.estate.terraform import TfResource
    from assaymark.assess.patch import Patch, Place
    from assaymark.assess.terraform.written import Written
    from assaymark.formats.hcl.tree import Block, Expression


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement that denies everyone an action on resources where conditions hold.

    ``resources`` and the conditions' values are expressions; a condition is an operator, a key and a value.
    """

    sid: str
    action: str
    resources: tuple[str, ...]
    conditions: tuple[tuple[str, str, str], ...]

    def object(self, indent: str) -> list[str]:
        """The lines of an object of HCL."""
        operators: dict[str, list[str]] = {}
        for operator, key, value in self.conditions:
            operators.setdefault(operator, []).append(f'"{key}" = {value}')
        conditions = ", ".join(f"{operator} = {{ {', '.join(keys)} }}" for operator, keys in operators.items())
        return [
            "{",
            f'{indent}  Sid       = "{self.sid}"',
            f'{indent}  Effect    = "Deny"',
            f'{indent}  Principal = "*"',
            f'{indent}  Action    = "{self.action}"',
            f"{indent}  Resource  = [{', '.join(self.resources)}]",
            f"{indent}  Condition = {{ {conditions} }}",
            f"{indent}}}",
        ]

    def block(self) -> list[str]:
        """The lines of a block of an ``aws_iam_policy_document``."""
        lines = ["statement {", f'  sid       = "{self.sid}"', '  effect    = "Deny"']
        lines += [f'  actions   = ["{self.action}"]', f"  resources = [{', '.join(self.resources)}]"]
        lines += ["  principals {", '    type        = "*"', '    identifiers = ["*"]', "  }"]
        for operator, key, value in self.conditions:
            lines += ["  condition {", f'    test     = "{operator}"', f'    variable = "{key}"']
            lines += [f"    values   = [{value}]", "  }"]
        return [*lines, "}"]


def denied(place: Place, bucket: TfResource, statement: Statement, title: str) -> Iterator[Patch]:
    """The statement in the bucket's policy, or in one that is made where the folder has none for any bucket.

    A bucket takes one policy: where it is not plain which is the bucket's, nothing is written.
    """
    index = declared(place.estates)
    own = [one for one in index.naming("aws_s3_bucket_policy", "bucket", bucket) if referable(one, bucket.file.path)]
    if len(own) == 1:
        yield from _extended(place, own[0], statement, title)
        return
    if own or posixpath.dirname(bucket.file.path) in _open_folders(place):
        return
    name = f"{bucket.address.partition('.')[2]}_{_snake(statement.sid)}"
    if not index.free(bucket.file.path, f"aws_s3_bucket_policy.{name}"):
        return
    inserted = (
        "",
        f'resource "aws_s3_bucket_policy" "{name}" {{',
        f"  bucket = {bucket.address}.id",
        "  policy = jsonencode({",
        '    Version = "2012-10-17"',
        f"    Statement = [{statement.object('    ')[0]}",
        *statement.object("    ")[1:-1],
        "    }]",
        "  })",
        "}",
    )
    yield text_of_file(bucket.file).appended(inserted, title)


def _open_folders(place: Place) -> set[str]:
    """The folders with a policy whose bucket nobody can see: it may be of any of theirs."""
    found: set[str] | None = place.estates.indexes.get("folders of open policies")
    if found is None:
        index = declared(place.estates)
        known = {name for one in index.by_kind["aws_s3_bucket"] for name in (one.text("bucket"), one.text("id"))}
        found = {
            posixpath.dirname(one.file.path)
            for one in index.by_kind["aws_s3_bucket_policy"]
            if not one.text("bucket") or one.text("bucket") not in known
        }
        place.estates.indexes["folders of open policies"] = found
    return found


def _snake(sid: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in sid).strip("_")


def _extended(place: Place, policy: TfResource, statement: Statement, title: str) -> Iterator[Patch]:
    shown = block_of(policy)
    value = shown[1].body.attributes.get("policy") if shown is not None else None
    if shown is None or value is None:
        return
    file = shown[0]
    if isinstance(value, Call) and value.name == "jsonencode" and len(value.arguments) == 1:
        change = _into_list(file, value.arguments[0], statement)
        if change is not None:
            yield from file.text.replaced([change], title)
        return
    document = _document(place, value, policy)
    if document is not None:
        change = document[0].added(document[1], statement.block())
        if change is not None:
            yield from document[0].text.replaced([change], title)


def _into_list(file: Written, policy: Expression, statement: Statement) -> tuple[int, int, str] | None:
    """The change that puts a statement before the others of a policy that is an object."""
    for key, value in policy.items if isinstance(policy, Object) else ():
        if isinstance(key, Literal) and key.value == "Statement" and isinstance(value, Tuple) and value.items:
            start, _ = file.spans[id(value)]
            indent = file.text.indent(file.text.line_at(start))
            lines = statement.object(indent)
            first, _ = file.spans[id(value.items[0])]
            between = file.text.text[start + 1 : first]
            if between.strip():
                return None
            return start + 1, first, "\n".join(lines) + (f",\n{indent}  " if "\n" in between else ", ")
    return None


def _document(place: Place, value: Expression, policy: TfResource) -> tuple[Written, Block] | None:
    """The data source that ``data.aws_iam_policy_document.NAME.json`` means, when the policy alone uses it."""
    if not (isinstance(value, Attribute) and value.name == "json" and isinstance(value.of, Attribute)):
        return None
    of = value.of
    kind = of.of
    if not (isinstance(kind, Attribute) and isinstance(kind.of, Name) and kind.of.name == "data"):
        return None
    if kind.name != "aws_iam_policy_document":
        return None
    shown = block_of(policy)
    if shown is None:
        return None
    file = shown[0]
    named = f"data.aws_iam_policy_document.{of.name}."
    found = [one for one in file.body.blocks if one.kind == "data" and one.labels == (kind.name, of.name)]
    del place
    return (file, found[0]) if len(found) == 1 and file.text.text.count(named) == 1 else None


def bucket_of(place: Place) -> TfResource | None:
    """The one bucket of Terraform that a finding names."""
    found = [one for one in declared(place.estates).by_arn[place.finding.name] if one.kind == "aws_s3_bucket"]
    return found[0] if len(found) == 1 and lone(found[0]) and block_of(found[0]) is not None else None


def in_network(place: Place) -> Iterator[Patch]:
    """Objects of a bucket for those alone who come by the network's endpoint of S3, and for AWS's own services."""
    index = declared(place.estates)
    bucket = bucket_of(place)
    if bucket is None:
        return
    endpoints = [
        f"{one.address}.id"
        for one in index.beside("aws_vpc_endpoint", bucket.file.path)
        if one.text("service_name").endswith(".s3")
    ]
    if not endpoints:
        return
    value = endpoints[0] if len(endpoints) == 1 else f"[{', '.join(endpoints)}]"
    conditions = (
        ("StringNotEquals", "aws:SourceVpce", value),
        ("BoolIfExists", "aws:ViaAWSService", '"false"'),
        ("BoolIfExists", "aws:PrincipalIsAWSService", '"false"'),
    )
    statement = Statement("OwnNetwork", "s3:*Object*", (f'"${{{bucket.address}.arn}}/*"',), conditions)
    title = "let objects be used from one's own network alone; jobs and people outside of it are refused"
    if index.naming("aws_s3_bucket_policy", "bucket", bucket):  # else the one against plain text comes first
        yield from denied(place, bucket, statement, title)
