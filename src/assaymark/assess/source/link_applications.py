"""The linker of web applications: who reaches them without saying who they are, and what they run of what is sent.

An application is where it runs: the workload whose image is built from a Dockerfile that starts it. Manifests name
images and not Dockerfiles; what shows that one is the other is, from the surest: the name under which a compose file,
pipeline or script builds it, the folder or file that is called as the image is, and that one image and one Dockerfile
are left that serve something. All but the first leave the edge unknown. An application that nothing is seen to run
may be reached, or not: unknown, too.
"""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING, Final

from assaymark.assess.kinds import INTERNET
from assaymark.assess.kubernetes.ports import doors, port_node, port_nodes
from assaymark.assess.source.builds import bare
from assaymark.assess.source.link import overlaps
from assaymark.assess.source.places import standing
from assaymark.assess.source.runners import functions_of, runners, serves
from assaymark.assess.source.started import listening, started
from assaymark.core.graph import Edge, State
from assaymark.core.words import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

    from assaymark.assess.estate.estates import Estates
    from assaymark.assess.estate.source import BuiltImage, Flow, Route, Source, WebApplication
    from assaymark.assess.files import Reading
    from assaymark.assess.graph import Builder
    from assaymark.assess.source.runners import Runner
    from assaymark.core.graph import Because

_NOBODYS: Final = frozenset(("health", "sign-in", "static", "metrics"))
_SENT: Final = frozenset(("body", "headers", "query", "upload", "part", "stored"))
_RUN: Final = frozenset(("code", "command", "loader", "template"))


def link(estates: Estates, builder: Builder, reading: Reading, now: datetime) -> None:
    """Draws them. ``reading`` and ``now`` are not needed."""
    del reading, now
    source = estates.source
    if not source.applications:
        return
    drawing = _Drawing(source, builder)
    seen = set()
    for runner, images in drawing.found(runners(estates, builder)):
        for application, decides in drawing.started(runner, images):
            seen.add(application.path)
            drawing.run(application, runner, decides, _listening(runner, images))
        for built, decides in images:
            drawing.files(runner.node, drawing.contexts(built), built.because, decides)
    for runner, application, decides in drawing.functions(functions_of(estates, builder)):
        seen.add(application.path)
        drawing.run(application, runner, decides, frozenset())
    for application in source.applications:
        if application.path not in seen:
            drawing.alone(application)


class _Drawing:
    """What is known of the applications while they are drawn."""

    def __init__(self, source: Source, builder: Builder) -> None:
        self._source = source
        self._builder = builder
        self._modules: defaultdict[str, dict[str, list[WebApplication]]] = defaultdict(dict)
        for application in source.applications:
            for path in application.starters:
                name = _importable(path)
                self._modules[name.rpartition("/")[2]].setdefault(path, []).append(application)
        self._routes: defaultdict[str, list[Route]] = defaultdict(list)
        for route in source.routes:
            self._routes[route.because.path].append(route)
        self._flows: defaultdict[str, list[Flow]] = defaultdict(list)
        for flow in source.flows:
            if flow.label in _SENT and flow.sink in _RUN:
                self._flows[flow.because.path].append(flow)
        self._ports = port_nodes(builder.ids())
        self._keys = [one for one in builder.ids() if one.startswith("file:") and not standing(one[5:])]

    # which image a workload runs, and what that starts

    def found(self, runners: Iterable[Runner]) -> Iterator[tuple[Runner, list[tuple[BuiltImage, tuple[str, ...]]]]]:
        """Each workload with the Dockerfiles that its image may be built from."""
        known = [(runner, self._images(runner.image)) for runner in runners]
        own = [one for one in self._source.images if self._commanded(one)]
        left = {bare(runner.image) for runner, images in known if not images and serves(runner)}
        taken = {built.path for _, images in known for built, _ in images}
        alone = len(left) == 1 and len(own) == 1 and own[0].path not in taken
        for runner, images in known:
            if alone and not images and serves(runner):
                yield runner, [(own[0], (f"{runner.image} is built from {own[0].path}",))]
            else:
                yield runner, images

    def _images(self, image: str) -> list[tuple[BuiltImage, tuple[str, ...]]]:
        name = bare(image)
        last = name.rpartition("/")[2]
        by_path = {one.path: one for one in self._source.images}
        sure, likely = {}, {}
        for build in self._source.builds:
            if build.name == name and "*" not in name:
                sure[build.dockerfile] = ()
            elif build.name.rpartition("/")[2].strip("*") and overlaps(build.name, name):
                likely[build.dockerfile] = (f"{image} is what {build.because.path} builds",)
        if not sure and not likely and "*" not in last:
            for one in self._source.images:
                if last in _called(one):
                    likely[one.path] = (f"{image} is built from {one.path}",)
        return [(by_path[path], decides) for path, decides in sorted((sure or likely).items())]

    def contexts(self, built: BuiltImage) -> list[str]:
        """The folders that its build may copy from."""
        given = sorted({one.context for one in self._source.builds if one.dockerfile == built.path})
        return given or [built.folder]

    def started(
        self, runner: Runner, images: list[tuple[BuiltImage, tuple[str, ...]]]
    ) -> Iterator[tuple[WebApplication, tuple[str, ...]]]:
        """The applications that a workload starts, with what would decide it."""
        found: dict[str, tuple[WebApplication, tuple[str, ...]]] = {}
        for built, decides in images:
            for application, more in self._of_image(built, _told(runner, built)):
                known = found.get(application.path)
                if known is None or len(decides + more) < len(known[1]):
                    found[application.path] = (application, (*decides, *more))
        if not images and runner.command:
            for application in self._nearest(started(runner.command), runner.because.path):
                decides = (f"what {runner.image} starts is {application.path}",)
                found[application.path] = (application, decides)
        yield from (found[path] for path in sorted(found))

    def _nearest(self, names: list[str], path: str) -> list[WebApplication]:
        """The applications of these names in the folder of a file, or else in the nearest around it."""
        while path:
            path = path.rpartition("/")[0]
            found = self._named(names, [path])
            if found:
                return found
        return []

    def functions(
        self, runners: Iterable[tuple[Runner, str]]
    ) -> Iterator[tuple[Runner, WebApplication, tuple[str, ...]]]:
        """Each function with the module that its handler is in: of the folder of its code, else one of that name."""
        for runner, folder in runners:
            module, _, _ = runner.command.rpartition(".")
            name = module.replace(".", "/")
            found = [
                one
                for one in self._named([name], [folder])
                if one.framework == "Lambda" and f"/{_importable(one.path)}".endswith(f"/{name}")
            ]
            short = runner.node.rpartition(":")[2]
            for one in found:
                decides = (f"the code of {short} is {one.path}",)
                yield runner, one, () if folder and len(found) == 1 else decides

    def _commanded(self, built: BuiltImage) -> bool:
        return any(True for _ in self._of_image(built, built.command))

    def _of_image(self, built: BuiltImage, command: str) -> Iterator[tuple[WebApplication, tuple[str, ...]]]:
        contexts = self.contexts(built)
        named = self._named(started(command), contexts)
        if named:
            yield from ((one, ()) for one in named)
            return
        own = [one for one in self._source.applications if one.framework != "Lambda"]
        within = [one for one in own if any(self._inside(one.path, place) for place in contexts)]
        if len(within) == 1:
            yield within[0], (f"{within[0].path} is what the image of {built.path} starts",)

    def _named(self, names: list[str], folders: list[str]) -> list[WebApplication]:
        """The applications that modules of these names start, those nearest to the folders."""
        found: dict[str, WebApplication] = {}
        for name in names:
            known = self._modules.get(name.rpartition("/")[2], {})
            paths = [
                path
                for path in known
                if f"/{_importable(path)}".endswith(f"/{name}") and any(self._inside(path, one) for one in folders)
            ]
            nearest = min((path.count("/") for path in paths), default=0)
            for path in paths:
                if path.count("/") == nearest:
                    found |= {one.path: one for one in known[path]}
        return [found[path] for path in sorted(found)]

    def _inside(self, path: str, folder: str) -> bool:
        """Whether a file is it, lies in it as a folder, or is packed in it as an archive."""
        return path == folder or _inside(path, folder) or path in self._source.packed.get(folder, ())

    # edges

    def run(
        self, application: WebApplication, runner: Runner, decides: tuple[str, ...], ports: frozenset[int]
    ) -> None:
        """An application in a workload, on some of its ports; none where nobody knows."""
        builder = self._builder
        routes, flows = self._of(application)
        opened = [route for route in routes if _open(route)]
        node = self._node(application, opened, runner)
        where = (runner.because, *((opened or routes)[0].because,) * bool(routes))
        unsure = (*decides, *runner.perhaps)
        if runner.pod and opened:
            port = port_node(runner.node)
            if not builder.has(port):
                name = f"the ports of {runner.node.removeprefix('k8s:')}"
                builder.node(port, "port", name, (runner.because,), boundary=builder.boundary(runner.node))
            ways = doors(runner.node, ports, self._ports) if runner.callers is None else runner.callers
            for way, more in ways:
                perhaps = (*unsure, *more)
                state = State.UNKNOWN if perhaps else State.YES
                builder.edge(Edge(way, node, "open-invoke", _asks_nothing(opened), where, state, perhaps))
        elif runner.calls:
            how = f"what it is called with goes to {application.path}"
            state = State.UNKNOWN if decides else State.YES
            builder.edge(Edge(runner.node, node, "passes-calls", how, where, state, decides, effort=0))
        elif opened:
            self._from_internet(node, application, opened, decides)
        self._runs(node, runner.node, opened, flows, decides)
        self._loads(application, runner, decides)

    def _loads(self, application: WebApplication, runner: Runner, decides: tuple[str, ...]) -> None:
        """The buckets whose content an application runs when it loads it."""
        for bucket, place in self._source.loaded:
            if place.path not in application.parts:
                continue
            name = dict(runner.variables).get(bucket[1:], "") if bucket.startswith("$") else bucket
            store = f"arn:aws:s3:::{name.removeprefix('s3://').partition('/')[0]}"
            if name and self._builder.has(store):
                state = State.UNKNOWN if decides else State.YES
                how = f"{application.path} loads what lies there, and runs it"
                self._builder.edge(Edge(store, runner.node, "loaded-by", how, (place,), state, decides))

    def alone(self, application: WebApplication) -> None:
        """An application that nothing is seen to run."""
        routes, flows = self._of(application)
        opened = [route for route in routes if _open(route) and route.purpose != "called"]
        if not opened:
            return
        node = self._node(application, opened, None)
        self._from_internet(node, application, opened, ())
        if flows:
            process = f"process:{application.path}"
            name = f"the process of {application.path}"
            self._builder.node(process, "workload", name, (application.because,))
            self._runs(node, process, opened, flows, ())
            self.files(process, [application.path.rpartition("/")[0]], application.because, ())

    def files(self, node: str, folders: list[str], because: Because, decides: tuple[str, ...]) -> None:
        """Files with keys that lie where an image or process is made from."""
        packed = self._source.packed
        for file in self._keys:
            path = file[5:]
            if any(path in packed.get(folder, ()) for folder in folders):
                state = State.UNKNOWN if decides else State.YES
                self._builder.edge(Edge(node, file, "mounts", f"{path} is in it", (because,), state, decides, 0))
            elif any(folder not in packed and _inside(path, folder) for folder in folders):
                asks = (*decides, f"{path} is among what is deployed")
                how = f"{path} lies where it is made from"
                self._builder.edge(Edge(node, file, "mounts", how, (because,), State.UNKNOWN, asks, effort=0))

    def _of(self, application: WebApplication) -> tuple[list[Route], list[Flow]]:
        parts = sorted(path for path in application.parts if not standing(path))
        routes = [route for path in parts for route in self._routes.get(path, ())]
        return routes, [flow for path in parts for flow in self._flows.get(path, ())]

    def _node(self, application: WebApplication, opened: list[Route], runner: Runner | None) -> str:
        identifier = f"app:{application.path}" + (f"@{runner.node}" if runner is not None else "")
        boundary: Mapping[str, str] = self._builder.boundary(runner.node) if runner is not None else {}
        places = (application.because, *(route.because for route in opened[:1]))
        name = f"the {application.framework} application {application.path}"
        return self._builder.node(identifier, "endpoint", name, places, boundary=boundary, target="endpoint")

    def _from_internet(
        self, node: str, application: WebApplication, opened: list[Route], decides: tuple[str, ...]
    ) -> None:
        self._builder.node(INTERNET, "internet", "internet", entry="internet")
        unsure = (*decides, f"{application.path} is reached from the internet where it runs")
        because = (opened[0].because,)
        how = _asks_nothing(opened)
        self._builder.edge(Edge(INTERNET, node, "open-invoke", how, because, State.UNKNOWN, unsure))

    def _runs(
        self, node: str, workload: str, opened: list[Route], flows: list[Flow], decides: tuple[str, ...]
    ) -> None:
        """What is sent to it and run by it."""
        handlers = {route.handler for route in opened}
        flows = sorted(flows, key=lambda flow: (flow.function not in handlers, flow.because, flow.call))
        for flow in flows[:1]:
            named = flow.function in handlers
            unsure = decides if named else (*decides, f"who calls {flow.function} is let in")
            how = f"{flow.function} hands what is sent to {flow.call}"
            places = tuple(dict.fromkeys((flow.because, flow.origin)))
            state = State.UNKNOWN if unsure else State.YES
            self._builder.edge(Edge(node, workload, "runs-input", how, places, state, unsure))


def _listening(runner: Runner, images: list[tuple[BuiltImage, tuple[str, ...]]]) -> frozenset[int]:
    """The ports of what a workload starts: as it is told, else the usual ones and those that are declared."""
    command = " ; ".join(_told(runner, built) for built, _ in images) or runner.command
    variables = dict(pair for built, _ in images for pair in built.variables) | dict(runner.variables)
    return listening(
        command, variables, runner.listens or frozenset(port for built, _ in images for port in built.ports)
    )


def _told(runner: Runner, built: BuiltImage) -> str:
    """What a workload starts of an image: arguments alone go behind its entry point, commands replace all of it.

    Source: Kubernetes documentation, "Define a Command and Arguments for a Container".
    """
    if not runner.command:
        return built.command
    return f"{built.entrypoint} {runner.command}" if runner.adds and built.entrypoint else runner.command


def _open(route: Route) -> bool:
    return not (route.authenticated or route.inert or route.purpose in _NOBODYS or standing(route.because.path))


def _asks_nothing(opened: list[Route]) -> str:
    first = f"{'/'.join(opened[0].methods)} {opened[0].path}"
    if len(opened) == 1:
        return f"{first} asks for no authentication"
    return f"{first} and {counted(len(opened) - 1, 'other route')} ask for no authentication"


def _called(built: BuiltImage) -> set[str]:
    """What an image may be called that is built from it: as its folder, or as a part of the file's name."""
    name = built.path.rpartition("/")[2].lower()
    return {built.folder.rpartition("/")[2].lower(), *re.split(r"[.]", name)} - {"", "dockerfile", "containerfile"}


def _importable(path: str) -> str:
    """A path as an import or a command names it: without its ending, packages without ``__init__``."""
    return path.removesuffix(".py").removesuffix("/__init__").removesuffix("/__main__")


def _inside(path: str, folder: str) -> bool:
    return not folder or path.startswith(f"{folder}/")
