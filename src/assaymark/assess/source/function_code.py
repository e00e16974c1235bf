"""``code_of``: where in the input the code of a function of AWS Lambda lies, as what declares it says.

Sources: AWS SAM and CloudFormation ("CodeUri", "Code" as ``aws cloudformation package`` takes it); Terraform's
``aws_lambda_function`` ("filename") and ``archive_file`` ("source_dir", "source_file", "output_path").
"""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, TypeGuard

from assaymark.assess.terraform.declared import declared
from assaymark.assess.unresolved import Unresolved

if TYPE_CHECKING:
    from assaymark.assess.estate.aws import Resource
    from assaymark.assess.estate.estates import Estates


def code_of(estates: Estates, resource: Resource) -> str:
    """The folder, archive or module with the code of a function; empty where no file of the input says it."""
    where = resource.because.path
    given = resource.settings.get("code_uri")
    if _is_path(given):
        return _placed(where, given)
    given = resource.settings.get("filename")
    if not _is_path(given):
        return ""
    code = _placed(where, given)
    for made in declared(estates).by_kind["archive_file"]:
        output = made.get("output_path")
        if _is_path(output) and _placed(made.file.path, output) == code:
            sources = (made.get(name) for name in ("source_dir", "source_file"))
            return next((_placed(made.file.path, one) for one in sources if _is_path(one)), "")
    return code if code in estates.source.packed else ""


def _is_path(given: object) -> TypeGuard[str]:
    return isinstance(given, str) and bool(given) and not isinstance(given, Unresolved) and ":" not in given


def _placed(path: str, given: str) -> str:
    """A path that the file at ``path`` names: from its folder, or with that in it, as ``path.module`` gives."""
    folder = posixpath.dirname(path)
    within = folder and given.startswith(f"{folder}/")
    found = posixpath.normpath(given if within else posixpath.join(folder, given))
    return "" if found == "." else found.strip("/")
