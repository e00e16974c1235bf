"""Classes and functions that servers of models call with what clients send: what each of their parameters holds.

Sources: KServe ("Custom Predictor"), MLflow ("Custom Python Models"), LitServe ("LitAPI", "Authentication"), Cog
("Prediction interface"), TorchServe ("Custom handlers"), Truss ("Implementation"), SageMaker's inference toolkit
("input_fn" and its kin), Azure ML ("Entry script"), Chainlit ("on_message").
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from assaymark.assess.estate.source import Route
from assaymark.assess.source.flow_names import NUMBERS
from assaymark.assess.source.modules import keyword, text_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assaymark.assess.source.auth import Guards
    from assaymark.assess.source.modules import Function, Module, Project

_KSERVE: Final = {"preprocess": "body", "predict": "body", "explain": "body", "postprocess": "prediction"}
_TORCHSERVE: Final = {"handle": "body", "preprocess": "body", "postprocess": "prediction"}
_LITSERVE: Final = {"decode_request": "body", "predict": "body", "encode_response": "prediction"}
_METHODS: Final[dict[str, dict[str, str]]] = {  # the first parameter of a method, by the class that it is of
    **dict.fromkeys(("kserve.Model", "kserve.model.Model", "kserve.InferenceModel"), _KSERVE),
    **dict.fromkeys(("litserve.LitAPI", "litserve.api.LitAPI"), _LITSERVE),
    "ts.torch_handler.base_handler.BaseHandler": _TORCHSERVE,
}
_PYFUNC: Final = frozenset(("mlflow.pyfunc.PythonModel", "mlflow.pyfunc.model.PythonModel"))
_COG: Final = frozenset(("cog.BasePredictor", "cog.base_predictor.BasePredictor"))
_LIT: Final = frozenset(("litserve.LitAPI", "litserve.api.LitAPI"))
_SAGEMAKER: Final = {"input_fn": "body", "predict_fn": "body", "output_fn": "prediction", "transform_fn": "body"}
_RAW: Final = frozenset(("raw_data", "data", "request", "request_body", "input_data", "inputs"))
_TRUSS: Final = ("model/model.py", "Model")


def seeds(project: Project, module: Module, function: Function) -> Iterator[tuple[str, str]]:
    """The parameters of a function that a server fills, each with ``body``, ``upload`` or ``prediction``."""
    taken = [one for one in (*function.args.posonlyargs, *function.args.args) if one.arg not in ("self", "cls")]
    owner = module.owner.get(id(function))
    if owner is not None:
        yield from _of_class(project, module, owner, function, taken)
    elif function.name in _SAGEMAKER and {"model_fn", "input_fn"} & module.functions.keys():
        yield from _second(taken, _SAGEMAKER[function.name], function.name == "transform_fn")
    elif function.name == "run" and "init" in module.functions and len(taken) == 1 and taken[0].arg in _RAW:
        yield taken[0].arg, "body"
    elif any(module.dotted(one) == "chainlit.on_message" for one in function.decorator_list):
        yield from _second(taken, "body", False)


def _second(taken: list[ast.arg], label: str, later: bool) -> Iterator[tuple[str, str]]:
    """The first parameter, or the one after it."""
    yield from ((one.arg, label) for one in taken[int(later) : int(later) + 1])


def _of_class(
    project: Project, module: Module, owner: ast.ClassDef, function: Function, taken: list[ast.arg]
) -> Iterator[tuple[str, str]]:
    bases = set(project.bases(module, owner))
    truss = module.path.endswith(_TRUSS[0]) and owner.name == _TRUSS[1]
    methods = next((_METHODS[base] for base in sorted(bases) if base in _METHODS), _KSERVE if truss else {})
    if function.name in methods:
        yield from _second(taken, methods[function.name], False)
    elif bases & _PYFUNC and function.name == "predict":
        yield from _second(taken, "body", taken[:1] != [] and taken[0].arg == "context")
    elif bases & _COG and function.name == "predict":
        for one in [each for each in taken if module.dotted(each.annotation) not in NUMBERS]:
            files = one.annotation is not None and "Path" in ast.unparse(one.annotation)
            yield one.arg, "upload" if files else "body"


def lit_routes(project: Project, module: Module, guards: Guards) -> Iterator[Route]:
    """What LitServe answers with a class: guarded where the class authorizes, or middleware of its server does."""
    for owner in module.classes.values():
        methods = project.methods_of(module, owner)
        if not _LIT & set(project.bases(module, owner)) or not {"decode_request", "predict"} & methods.keys():
            continue
        servers = [
            (where, call)
            for where in project.modules
            for call, _ in where.calls
            if where.dotted(call.func) in _SERVERS
        ]
        asks = "authorize" in methods and guards.refuses(*methods["authorize"])
        wrapped = any(_guards(guards, where, call) for where, call in servers)
        where, function = methods.get("decode_request") or methods["predict"]
        made = (call for place in project.modules for call, _ in place.calls if _makes(project, place, call, owner))
        path = next((text for call in made if (text := text_of(keyword(call, "api_path")))), "")
        path = path or next((text for _, call in servers if (text := text_of(keyword(call, "api_path")))), "/predict")
        sized = any(keyword(call, "max_payload_size") is not None for _, call in servers)
        place = where.because(function)
        yield Route("LitServe", ("POST",), path, owner.name, place, asks or wrapped, "", "", body=True, limited=sized)


_SERVERS: Final = frozenset(("litserve.LitServer", "litserve.server.LitServer"))


def _makes(project: Project, module: Module, call: ast.Call, owner: ast.ClassDef) -> bool:
    known = project.class_of(module, call.func) if isinstance(call.func, (ast.Name, ast.Attribute)) else None
    return known is not None and known[1] is owner


def _guards(guards: Guards, module: Module, call: ast.Call) -> bool:
    """Whether middleware of a server, alone or beside its options, refuses callers."""
    given = keyword(call, "middlewares")
    for one in given.elts if isinstance(given, (ast.List, ast.Tuple)) else ():
        node = one.elts[0] if isinstance(one, ast.Tuple) and one.elts else one
        if guards.expression(module, node):
            return True
    return False
