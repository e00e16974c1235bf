"""The linker of web applications: who reaches them without saying who they are, and what they run of what is sent.

An application is where it runs: the workload whose image is built from a Dockerfile that starts it (``matching``). An
application that nothing is seen to run may be reached, or not: unknown, too.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

from assaymark.assess.kinds import INTERNET
from assaymark.assess.kubernetes.mesh_callers import Admitted
from assaymark.assess.kubernetes.mesh_policy import judged
from assaymark.assess.kubernetes.mesh_requests import Asked
from assaymark.assess.kubernetes.ports import doors, port_node, port_nodes
from assaymark.assess.source.matching import Images, Modules, importable, inside, told
from assaymark.assess.source.places import standing
from assaymark.assess.source.runners import functions_of, runners
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
    from assaymark.assess.source.matching import Likely
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
        self._images = Images(source)
        started_by = ((path, one) for one in source.applications for path in sorted(one.starters))
        self._modules: Modules[WebApplication] = Modules(started_by, source.packed)
        self._routes: defaultdict[str, list[Route]] = defaultdict(list)
        for route in source.routes:
            self._routes[route.because.path].append(route)
        self._flows: defaultdict[str, list[Flow]] = defaultdict(list)
        for flow in source.flows:
            if flow.label in _SENT and flow.sink in _RUN:
                self._flows[flow.because.path].append(flow)
        self._ports = port_nodes(builder.ids())
        self._keys = [one for one in builder.ids() if one.startswith("file:") and not standing(one[5:])]

    # what a workload starts

    def found(self, runners: Iterable[Runner]) -> Iterator[tuple[Runner, list[Likely]]]:
        """Each workload with the Dockerfiles that its image may be built from."""
        return self._images.found(runners, self._commanded)

    def contexts(self, built: BuiltImage) -> list[str]:
        """The folders that a build may copy from."""
        return self._images.contexts(built)

    def started(self, runner: Runner, images: list[Likely]) -> Iterator[tuple[WebApplication, tuple[str, ...]]]:
        """The applications that a workload starts, with what would decide it."""
        found: dict[str, tuple[WebApplication, tuple[str, ...]]] = {}
        for built, decides in images:
            for application, more in self._of_image(built, told(runner, built)):
                known = found.get(application.path)
                if known is None or len(decides + more) < len(known[1]):
                    found[application.path] = (application, (*decides, *more))
        if not images and runner.command:
            for application in self._modules.nearest(started(runner.command), runner.because.path):
                decides = (f"what {runner.image} starts is {application.path}",)
                found[application.path] = (application, decides)
        yield from (found[path] for path in sorted(found))

    def functions(
        self, runners: Iterable[tuple[Runner, str]]
    ) -> Iterator[tuple[Runner, WebApplication, tuple[str, ...]]]:
        """Each function with the module that its handler is in: of the folder of its code, else one of that name."""
        for runner, folder in runners:
            module, _, _ = runner.command.rpartition(".")
            name = module.replace(".", "/")
            found = [
                one
                for one in self._modules.named([name], [folder])
                if one.framework == "Lambda" and f"/{importable(one.path)}".endswith(f"/{name}")
            ]
            short = runner.node.rpartition(":")[2]
            for one in found:
                decides = (f"the code of {short} is {one.path}",)
                yield runner, one, () if folder and len(found) == 1 else decides

    def _commanded(self, built: BuiltImage) -> bool:
        return any(True for _ in self._of_image(built, built.command))

    def _of_image(self, built: BuiltImage, command: str) -> Iterator[tuple[WebApplication, tuple[str, ...]]]:
        contexts = self._images.contexts(built)
        named = list(self._images.started(command, built, self._modules))
        if named:
            yield from named
            return
        own = [one for one in self._source.applications if one.framework != "Lambda"]
        within = [one for one in own if any(self._inside(one.path, place) for place in contexts)]
        if len(within) == 1:
            yield within[0], (f"{within[0].path} is what the image of {built.path} starts",)

    def _inside(self, path: str, folder: str) -> bool:
        return inside(path, folder, self._source.packed)

    # edges

    def run(
        self, application: WebApplication, runner: Runner, decides: tuple[str, ...], ports: frozenset[int]
    ) -> None:
        """An application in a workload, on some of its ports; none where nobody knows."""
        builder = self._builder
        routes, flows = self._of(application)
        inside = runner.pod and not runner.open  # and nothing can tell a server to listen elsewhere
        opened = [route for route in routes if _open(route) and not (route.local and inside)]
        if any(route.local for route in opened) and runner.pod:
            decides = (*decides, f"{application.path} is told to listen on all addresses")
        if runner.pod and opened:
            for number, (admitted, some) in enumerate(_groups(runner, opened)):
                left = [one for one in opened if one not in some]
                node = self._node(application, some, runner, number)
                self._called(node, runner, some, decides, ports, admitted)
                self._runs(node, runner.node, some, _without(flows, left), decides)
            return
        node = self._node(application, opened, runner)
        where = (runner.because, *((opened or routes)[0].because,) * bool(routes))
        if runner.calls:
            how = f"what it is called with goes to {application.path}"
            state = State.UNKNOWN if decides else State.YES
            builder.edge(Edge(runner.node, node, "passes-calls", how, where, state, decides, effort=0))
        elif opened:
            self._from_internet(node, application, opened, decides)
        self._runs(node, runner.node, opened, flows, decides)

    def _called(
        self,
        node: str,
        runner: Runner,
        opened: list[Route],
        decides: tuple[str, ...],
        ports: frozenset[int],
        admitted: Admitted,
    ) -> None:
        """Who asks something of a pod: whoever reaches its ports, or those that a mesh lets in."""
        builder = self._builder
        port = port_node(runner.node)
        if not builder.has(port):
            name = f"any port of {runner.node.removeprefix('k8s:')}"
            builder.node(port, "port", name, (runner.because,), boundary=builder.boundary(runner.node))
        judge = judged(admitted) if admitted.anyone is State.UNKNOWN else ""
        unsure = (*decides, f"{judge} lets whoever comes pass") if judge else decides
        ways = admitted.callers if admitted.anyone is State.NO else doors(runner.node, ports, self._ports)
        for way, more in ways:
            perhaps = (*unsure, *more)
            state = State.UNKNOWN if perhaps else State.YES
            where = (runner.because, opened[0].because)
            builder.edge(Edge(way, node, "open-invoke", _asks_nothing(opened), where, state, perhaps))

    def alone(self, application: WebApplication) -> None:
        """An application that nothing is seen to run."""
        routes, flows = self._of(application)
        opened = [route for route in routes if _open(route) and route.purpose != "called" and not route.local]
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
            elif any(folder not in packed and inside(path, folder) for folder in folders):
                asks = (*decides, f"{path} is among what is deployed")
                how = f"{path} lies where it is made from"
                self._builder.edge(Edge(node, file, "mounts", how, (because,), State.UNKNOWN, asks, effort=0))

    def _of(self, application: WebApplication) -> tuple[list[Route], list[Flow]]:
        parts = sorted(path for path in application.parts if not standing(path))
        routes = [route for path in parts for route in self._routes.get(path, ())]
        return routes, [flow for path in parts for flow in self._flows.get(path, ())]

    def _node(self, application: WebApplication, opened: list[Route], runner: Runner | None, number: int = 0) -> str:
        identifier = f"app:{application.path}" + (f"@{runner.node}" if runner is not None else "")
        identifier += f"#{number + 1}" if number else ""  # the routes that a mesh lets others ask for
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


def _groups(runner: Runner, opened: list[Route]) -> list[tuple[Admitted, list[Route]]]:
    """The routes by whom a mesh lets ask for them: those that are open to anyone first."""
    if runner.admits is None:
        return [(Admitted(State.YES), opened)]
    found: list[tuple[Admitted, list[Route]]] = []
    for route in opened:
        known = route.path.startswith("/")
        each = [runner.admits(Asked(method, route.path) if known else None) for method in route.methods]
        best = min(each or [runner.admits(None)], key=lambda one: _RANK.index(one.anyone))
        group = next((some for admitted, some in found if admitted == best), None)
        if group is None:
            found.append((best, [route]))
        else:
            group.append(route)
    return sorted(found, key=lambda one: (_RANK.index(one[0].anyone), one[1][0].because))


_RANK: Final = (State.YES, State.UNKNOWN, State.NO)


def _without(flows: list[Flow], others: list[Route]) -> list[Flow]:
    """The flows but those of handlers that are asked for in another way alone."""
    names = {route.handler for route in others}
    return [one for one in flows if one.function not in names]


def _listening(runner: Runner, images: list[Likely]) -> frozenset[int]:
    """The ports of what a workload starts: as it is told, else the usual ones and those that are declared."""
    command = " ; ".join(told(runner, built) for built, _ in images) or runner.command
    variables = dict(pair for built, _ in images for pair in built.variables) | dict(runner.variables)
    return listening(
        command, variables, runner.listens or frozenset(port for built, _ in images for port in built.ports)
    )


def _open(route: Route) -> bool:
    return not (route.authenticated or route.inert or route.purpose in _NOBODYS or standing(route.because.path))


def _asks_nothing(opened: list[Route]) -> str:
    first = f"{'/'.join(opened[0].methods)} {opened[0].path}"
    if len(opened) == 1:
        return f"{first} asks for no authentication"
    return f"{first} and {counted(len(opened) - 1, 'other route')} ask for no authentication"
