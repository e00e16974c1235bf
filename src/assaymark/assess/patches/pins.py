"""Patches that pin: digests of images, commits of actions and models, where the input has them elsewhere."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Final

from assaymark.assess.patch import Patch, Place
from assaymark.assess.patches.tree import calls_at, spliced, with_argument
from assaymark.assess.source.modules import keyword, text_of
from assaymark.assess.source.pins import pins_of

if TYPE_CHECKING:
    from collections.abc import Iterator

_IMAGE: Final = re.compile(
    r"(?:^\s*FROM\s+(?:--\S+\s+)*|\bimage[\"']?\s*:\s*[\"']?|\bname[\"']?\s*:\s*[\"']?|docker://)"
    r"([A-Za-z0-9][\w./:-]*)(?=[\s\"',}]|$)",
    re.IGNORECASE,
)
_USES: Final = re.compile(
    r"(?P<start>.*\buses[\"']?\s*:\s*)(?P<quote>[\"']?)(?P<action>[\w.-]+/[\w./-]+)@(?P<tag>[\w./-]+)(?P=quote)(?P<rest>.*)"
)


def of_images(place: Place) -> Iterator[Patch]:
    """The digest beside the tag of an image, on each line that the finding names."""
    pins = place.inputs.once(pins_of)
    said = f"{place.finding.name} {place.finding.message}"
    for line in place.at_lines:
        text = place.at(line)
        match = _IMAGE.search(text)
        digest = pins.digest(match[1]) if match and match[1] in said else ""
        if match and digest:
            changed = f"{text[: match.start(1)]}{_tagged(match[1])}@{digest}{text[match.end(1) :]}"
            yield Patch(_title(match[1]), place.path, line, 1, (changed,), safe=False)


def of_image_argument(place: Place) -> Iterator[Patch]:
    """The same of a step of a pipeline that is written in Python."""
    pins = place.inputs.once(pins_of)
    for call in calls_at(place):
        for name in ("base_image", "image"):
            node = keyword(call, name)
            image = text_of(node)
            if node is not None and image and image == place.finding.name and pins.digest(image):
                yield spliced(place, [(node, f'"{_tagged(image)}@{pins.digest(image)}"')], _title(image))
                return


def _tagged(image: str) -> str:
    return image if ":" in image.rpartition("/")[2] else f"{image}:latest"


def _title(image: str) -> str:
    return f"name the digest that {_tagged(image)} has elsewhere in the input"


def of_actions(place: Place) -> Iterator[Patch]:
    """The commit that a tag of an action has elsewhere, with the tag as its comment."""
    pins = place.inputs.once(pins_of)
    for line in place.at_lines:
        match = _USES.fullmatch(place.at(line))
        commit = pins.commit(match["action"], match["tag"]) if match else ""
        if not match or not commit:
            continue
        quote, rest = match["quote"], match["rest"]
        # In what goes on behind it, as a flow mapping does, a comment would hide the rest.
        comment = f" # {match['tag']}" if not rest.strip() or rest.lstrip().startswith("#") else ""
        changed = f"{match['start']}{quote}{match['action']}@{commit}{quote}{comment}{rest}"
        title = f"name the commit that {match['action']}@{match['tag']} has elsewhere in the input"
        yield Patch(title, place.path, line, 1, (changed,), safe=False)


def of_actions_and_images(place: Place) -> Iterator[Patch]:
    """An action may be an image too (``docker://``)."""
    yield from of_images(place) if place.finding.name.startswith("docker://") else of_actions(place)


def of_models(place: Place) -> Iterator[Patch]:
    """The commit that the input names elsewhere for the model or data set that is fetched."""
    commits = place.estates.source.revisions
    for call in calls_at(place):
        called = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        if call.lineno != place.line or not place.finding.message.startswith(f"{called} "):
            continue
        names = [text_of(node) for node in (*call.args[:2], *(item.value for item in call.keywords))]
        known = [commits[name] for name in names if name in commits]
        if len(known) != 1 or len(known[0]) != 1 or any(item.arg is None for item in call.keywords):
            continue
        (commit,) = known[0]
        title = "name the commit that the input has elsewhere"
        given = keyword(call, "revision")
        if given is None:
            written = with_argument(place, call, f'revision="{commit}"', title)
            if written is not None:
                yield written
        elif isinstance(given, ast.Constant):
            yield spliced(place, [(given, f'"{commit}"')], title)
        return


def of_downloads(place: Place) -> Iterator[Patch]:
    """The same in commands: ``hf download owner/name --revision <commit>``."""
    name = place.finding.name
    known = place.estates.source.revisions.get(name, set())
    if len(known) != 1 or place.path.endswith(".ipynb"):
        return
    (commit,) = known
    pattern = re.compile(rf"\b(?:huggingface-cli|hf)\s+download\s+{re.escape(name)}(?=[\s\"';&|]|$)")
    for line in place.at_lines:
        text = place.at(line)
        match = pattern.search(text)
        if match is not None and "--revision" not in text:
            changed = f"{text[: match.end()]} --revision {commit}{text[match.end() :]}"
            title = "name the commit that the input has elsewhere"
            yield Patch(title, place.path, line, 1, (changed,), safe=False)
