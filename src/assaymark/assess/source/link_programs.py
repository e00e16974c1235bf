"""The linker of programs that run what they load from stores: who writes the store runs in what runs the program.

A program is any module that a workload starts: of an image whose Dockerfile or command names it, of a script that a
job names by its address, of a pipeline's step. What a store is called is in the source, in the environment or in the
command; where none shows it, the stores that the workload may read stand for it, unknown.
"""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, Final

from assaymark.assess.estate.loads import Store
from assaymark.assess.source.addresses import address, plain, shown
from assaymark.assess.source.inline_runs import inline_runners
from assaymark.assess.source.jobs import jobs
from assaymark.assess.source.matching import Images, Modules, importable, told
from assaymark.assess.source.on_disk import OnDisk, as_fetched, channel_variables, loaded
from assaymark.assess.source.runners import Runner, functions_of, runners
from assaymark.assess.source.started import started
from assaymark.assess.source.store_nodes import Stores
from assaymark.assess.source.told import Told
from assaymark.assess.terraform.declared import declared
from assaymark.core.graph import Edge, State

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from assaymark.assess.estate.estates import Estates
    from assaymark.assess.estate.loads import Load, Program, Task
    from assaymark.assess.estate.source import BuiltImage
    from assaymark.assess.files import Reading
    from assaymark.assess.graph import Builder
    from assaymark.assess.source.matching import Likely

_FEW: Final = 5  # stores that a workload may read, any of which a name may mean
_UPLOADS: Final = ("aws_s3_object", "aws_s3_bucket_object", "google_storage_bucket_object")
_SERVER: Final = "MLFLOW_TRACKING_URI"


def link(estates: Estates, builder: Builder, reading: Reading, now: datetime) -> None:
    """Draws them. ``now`` is not needed."""
    del now
    if estates.source.programs:
        _Drawing(estates, builder, reading).all()


class _Drawing:
    def __init__(self, estates: Estates, builder: Builder, reading: Reading) -> None:
        self._estates = estates
        self._source = estates.source
        self._builder = builder
        self._reading = reading
        self._images = Images(estates.source)
        programs = ((one.path, one) for one in estates.source.programs)
        self._programs: Modules[Program] = Modules(programs, estates.source.packed)
        self._stores = Stores(estates, builder)
        self._disk = OnDisk(estates, self._images)

    def all(self) -> None:
        """Each workload with the programs that it starts."""
        every = [*runners(self._estates, self._builder), *jobs(self._estates, self._builder)]
        for runner, images in self._images.found(every, self._commanded):
            for program, decides in self._started(runner, images):
                self._program(program, runner, self._of(runner, images), decides, images=images)
        for runner, folder in functions_of(self._estates, self._builder):
            name = runner.command.rpartition(".")[0].replace(".", "/")
            found = self._programs.named([name], [folder]) if name else []
            short = runner.node.rpartition(":")[2]
            for program in found:
                decides = () if folder and len(found) == 1 else (f"the code of {short} is {program.path}",)
                self._program(program, runner, Told("", dict(runner.variables)), decides)
        for runner, program, lines in inline_runners(self._estates, self._builder):
            self._program(program, runner, Told(runner.command, dict(runner.variables)), (), lines)
        for task in self._source.tasks:
            self._task(task)

    def _commanded(self, built: BuiltImage) -> bool:
        return any(True for _ in self._images.started(built.command, built, self._programs))

    def _started(self, runner: Runner, images: list[Likely]) -> Iterator[tuple[Program, tuple[str, ...]]]:
        """The programs that a workload starts, with what would decide it."""
        found: dict[str, tuple[Program, tuple[str, ...]]] = {}
        for built, decides in images:
            for program, more in self._images.started(told(runner, built), built, self._programs):
                if program.path not in found or len(decides + more) < len(found[program.path][1]):
                    found[program.path] = (program, (*decides, *more))
        uploaded = [one for one in self._uploaded(runner.command) if one.path not in found] if not images else []
        found |= {one.path: (one, ()) for one in uploaded}
        if not images and not uploaded and runner.command:
            names = started(runner.command)
            for program in self._programs.nearest(names, runner.because.path) or self._last(names):
                what = runner.image or runner.node.rpartition("/")[2].rpartition(":")[2]
                found[program.path] = (program, (f"what {what} starts is {program.path}",))
        yield from (found[path] for path in sorted(found))

    def _uploaded(self, command: str) -> list[Program]:
        """Programs that a template puts where a command has them from: an object of a bucket, and its file."""
        found = []
        kinds = declared(self._estates).by_kind
        for one in (each for kind in _UPLOADS for each in kinds[kind]):
            key, path = one.text("key") or one.text("name"), one.text("source")
            bucket = one.text("bucket").removeprefix("arn:aws:s3:::")
            if key and path.endswith(".py") and f"//{bucket}/{key}" in command:
                base = posixpath.dirname(one.file.path)
                whole = posixpath.normpath(posixpath.join(base, path.replace("${path.module}", ".")))
                found += [each for each in self._source.programs if each.path == whole]
        return found

    def _last(self, names: list[str]) -> list[Program]:
        """Programs whose file is called so, wherever it lies: what is put into a bucket keeps little but that."""
        found = self._programs.named([name.rpartition("/")[2] for name in names], [""])
        return found if len({importable(one.path) for one in found}) == 1 else []

    def _of(self, runner: Runner, images: list[Likely]) -> Told:
        """What a workload tells its program."""
        variables = {name: value for built, _ in images for name, value in built.variables}
        variables |= channel_variables(self._disk.of(runner, images))
        command = next((told(runner, built) for built, _ in images), runner.command)
        return Told(command, variables | dict(runner.variables), open_=runner.open)

    def _task(self, task: Task) -> None:
        """What a pipeline's job or a service of a compose file runs."""
        if not (task.made or self._builder.has(task.id)):
            return
        images = [(one, ()) for one in self._source.images if one.path == task.dockerfile]
        likely: list[Likely] = [*images] or (self._images.of(task.image) if task.image else [])
        runner = Runner(task.id, task.image, task.command, task.because, adds=True, variables=task.variables)
        for program, decides in self._started(runner, likely):
            if likely or task.made:
                self._program(program, runner, self._of(runner, likely), decides, name=task.name, images=likely)
        if not likely and not task.made:
            for program in self._programs.named(started(task.command), [task.folder]):
                self._program(program, runner, Told(task.command, dict(task.variables)), ())

    def _program(
        self,
        program: Program,
        runner: Runner,
        given: Told,
        decides: tuple[str, ...],
        lines: range | None = None,
        name: str = "",
        images: list[Likely] | None = None,
    ) -> None:
        """The stores of which a program runs what lies there, or on its disk."""
        files = self._disk.of(runner, images or [])
        folder = next((built.workdir for built, _ in images or ()), "")
        for load in self._source.loads:
            within = load.because.path in program.parts and load.origin.path in program.parts
            if within and (lines is None or (load.because.line or 0) in lines):
                for store, more in self._resolved(load, program, given):
                    if store.platform in ("path", "address"):
                        for one, unsure in loaded(store.name, files, folder):
                            every = (*decides, *load.decides, *more, *unsure)
                            self._load(as_fetched(load, one), one.store, runner, every, name)
                    else:
                        self._load(load, store, runner, (*decides, *load.decides, *more), name)

    def _resolved(self, load: Load, program: Program, given: Told) -> Iterator[tuple[Store, tuple[str, ...]]]:
        """The store of a load as the workload names it, with what would decide that."""
        words, more = given.words(load.store.name, program.path)
        if load.store.platform == "address":
            store = address(words)
            if store is None or store.platform == "address":
                store = Store("address", words)
        elif load.store.platform == "path":
            store = Store("path", words)
        else:
            within, others = given.words(load.store.within, program.path)
            store, more = Store(load.store.platform, words, within), (*more, *others)
        if store.platform != "mlflow":
            yield store, more
            return
        servers = [words for words, place in self._source.trackings if place.path in program.parts]
        if not servers:
            server, _ = given.words((given.variable(_SERVER),), program.path)
            servers = [server] if plain(server) else []
        for one in servers:
            where, others = given.words(one, program.path)
            yield Store("mlflow", words, where), (*more, *others)

    def _load(self, load: Load, store: Store, runner: Runner, decides: tuple[str, ...], name: str) -> None:
        how = f"{load.because.path} loads what lies there with {load.call}, and runs it"
        places = tuple(dict.fromkeys((load.because, load.origin, runner.because)))
        nodes = self._stores.of(store, (load.origin,))
        if nodes:
            self._made(runner, name)
        for node, more in nodes:
            unsure = tuple(dict.fromkeys((*decides, *more)))
            state = State.UNKNOWN if unsure else State.YES
            self._builder.edge(Edge(node, runner.node, "loaded-by", how, places, state, unsure))
        if not nodes and not plain(store.name):
            self._unnamed(load, store, runner, decides, how)

    def _made(self, runner: Runner, name: str) -> None:
        """The node of a service, with the files that have its keys."""
        if self._builder.has(runner.node):
            return
        self._builder.node(runner.node, "workload", name, (runner.because,))
        for file in [one for one in self._builder.ids() if one.startswith("file:")]:
            if file[5:] == runner.because.path:
                how = "its file has the key"
                asks = (f"the key in {file[5:]} is one that it is given",)
                edge = Edge(runner.node, file, "mounts", how, (runner.because,), State.UNKNOWN, asks, effort=0)
                self._builder.edge(edge)

    def _unnamed(self, load: Load, store: Store, runner: Runner, decides: tuple[str, ...], how: str) -> None:
        """Where the name is not seen: the stores that the workload may read, if these are few."""
        if store.platform not in ("s3", "gs", "azure"):
            return
        said = shown(load.store.name)
        said = "what it is called with" if said == "*" else said
        readable = self._stores.readable(runner.node, store.platform) if self._builder.has(runner.node) else []
        places = (load.because, load.origin)
        for node in readable if len(readable) <= _FEW else ():
            unsure = (*decides, f"{said} names {node.rpartition(':')[2].rpartition('/')[2]} where it runs")
            self._builder.edge(Edge(node, runner.node, "loaded-by", how, places, State.UNKNOWN, unsure))
        if not 0 < len(readable) <= _FEW:
            text = f"{load.because.path} runs what lies in a store that {said} names: the input does not show which"
            self._reading.gap(text)
