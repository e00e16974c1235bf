"""``command_remarks``: what is remarkable in a shell command, wherever it is written."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from assaymark.assess.estate.source import Remark
from assaymark.core.errors import InputError
from assaymark.core.report import Confidence, Severity
from assaymark.formats.requirements_file import parse_requirement

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assaymark.core.graph import Because

_SHELL: Final = (
    r"(?:sudo\s+(?:-\w+\s+)*)?(?:/(?:usr/)?bin/)?(?:env\s+)?(?:ba|z|da|k|a)?sh\b"
    r"|(?:sudo\s+)?python[\d.]*\b(?!\s+-m\s+json)"
)
_PIPE: Final = re.compile(
    rf"\b(?:curl|wget|fetch)\b[^|;&\n]{{0,500}}\|\s*(?:(?:tee|tac|cat)\b[^|;&\n]{{0,500}}\|\s*)*(?:{_SHELL})"
    rf"|(?:{_SHELL})\s+(?:-c\s+)?[\"']?(?:<\(|\$\(|`)\s*(?:curl|wget)\b|\beval\s+[\"']?(?:\$\(|`)\s*(?:curl|wget)\b"
    r"|\bi(?:wr|rm)\b[^|;\n]{0,500}\|\s*iex\b"
)
_UNVERIFIED: Final = re.compile(
    r"\bcurl\b(?:[^|;&\n]{0,500}\s)?(?:-[a-zA-Z]{0,20}k[a-zA-Z]{0,20}|--insecure)(?=\s|$)|\bwget\b[^|;&\n]{0,500}--no-check-certificate"
    r"|\bGIT_SSL_NO_VERIFY=(?:1|true)|\bNODE_TLS_REJECT_UNAUTHORIZED=[\"']?0|http\.sslVerify[= ]+[\"']?false"
    r"|\bPYTHONHTTPSVERIFY=[\"']?0|--no-gpg-check\b|--allow-unauthenticated\b(?=.*apt)|\bapt-get\b[^|;&\n]{0,500}--allow-unauthenticated"
)
_DOWNLOAD: Final = re.compile(r"\b(?:curl|wget)\b[^|;&\n]{0,500}?(https?://[^\s\"'|;&)]+)", re.IGNORECASE)
_SENDS: Final = re.compile(
    r"\bcurl\b[^|;&\n]{0,500}\s(?:-T|--upload-file|-d|--data[\w-]*|-F|--form|-X\s*(?:POST|PUT|DELETE|PATCH))\b"
)
_RUNS_LATER: Final = re.compile(
    r"\.(?:sh|py|run|deb|rpm|whl|bin|pt|pth|pkl|pickle|joblib|ckpt|h5|keras|onnx|safetensors|gguf|tar|tar\.gz|tgz|zip|gz|so)"
    r"(?:$|[?#])",
    re.IGNORECASE,
)
_VERIFIES: Final = re.compile(
    r"sha(?:256|512)sum|shasum|gpg\s+(?:--\w+\s+)*--verify|cosign\s+verify|minisign|openssl\s+dgst|b2sum"
)
_PIP: Final = re.compile(
    r"(?:^|[\s;&|(/\"'])(?:pip[\d.]*|uv\s+pip)\s+(?:--?[\w-]+(?:=\S+)?\s+)*install\s+([^;&|\n)]*)"
)
_CONDA: Final = re.compile(r"(?:^|[\s;&|])(?:conda|mamba|micromamba)\s+install\s+([^;&|\n]*)")
_TRUSTS: Final = re.compile(
    r"(?:^|\s)--trust[-_]remote[-_]code(?![-_\w])(?!(?:=|\s+)[\"']?(?:false|0|no)\b)", re.IGNORECASE
)
_HUB: Final = re.compile(r"\b(?:huggingface-cli|hf)\s+download\s+([A-Za-z0-9][\w.-]*/[\w.-]+)([^;&|\n]*)")
# A longer command is looked at in parts, each of which shares some text with the next.
_LONGEST: Final = 60_000
_SHARED: Final = 2_000
_TAKES: Final = frozenset(
    (
        *(
            "-r",
            "--requirement",
            "-c",
            "--constraint",
            "-t",
            "--target",
            "--prefix",
            "--root",
            "--python",
            "-p",
            "-i",
        ),
        *("--index-url", "--extra-index-url", "--trusted-host", "-f", "--find-links", "--timeout", "--retries"),
        *(
            "--cache-dir",
            "--platform",
            "--python-version",
            "--upgrade-strategy",
            "--progress-bar",
            "--index-strategy",
        ),
        *("--only-binary", "--no-binary", "--config-settings", "-C", "--global-option", "--src", "--proxy", "--cert"),
        *("--default-timeout", "--index", "--default-index", "--report", "--log", "--abi", "--implementation"),
    )
)
_TOOLS: Final = frozenset(
    ("pip", "setuptools", "wheel", "uv", "poetry", "pipenv", "pip-tools", "build", "virtualenv")
)


def command_remarks(text: str, because: Because, where: str) -> list[Remark]:
    """What a command does that others may turn against who runs it. ``where``: what it is a command of."""
    if len(text) > _LONGEST:
        parts = [text[start : start + _LONGEST] for start in range(0, len(text), _LONGEST - _SHARED)]
        return [remark for part in parts for remark in command_remarks(part, because, where)]
    found = []
    if _PIPE.search(text):
        shown = _short(next((line for line in text.split("\n") if _PIPE.search(line)), text))
        message = f"{where} runs what an address gives, unseen: {shown}"
        found.append(Remark("build-pipe-to-shell", shown, message, (because,)))
    if _UNVERIFIED.search(text):
        message = f"{where} does not verify who it talks to: {_short(text)}"
        found.append(Remark("source-tls-unverified", _short(text), message, (because,)))
    if _TRUSTS.search(text):
        message = f"{where} runs Python of the model's repository (--trust-remote-code)"
        found.append(Remark("load-remote-code", "--trust-remote-code", message, (because,)))
    found += _downloads(text, because, where)
    found += pip_remarks(text, because, where)
    for match in _HUB.finditer(text):
        if not re.search(r"--revision[= ]+[0-9a-f]{40}", match[2]):
            message = f"{where} downloads {match[1]} without a commit: its owner may change it any time"
            found.append(Remark("load-unpinned-model", match[1], message, (because,)))
    return found


def _downloads(text: str, because: Because, where: str) -> Iterator[Remark]:
    if _PIPE.search(text) or _VERIFIES.search(text) or _SENDS.search(text):
        return
    for match in _DOWNLOAD.finditer(text):
        address = match[1]
        plain = address.lower().startswith("http://") and not re.match(
            r"http://(?:localhost|127\.|\[::1\]|0\.0\.0\.0)", address
        )
        if plain and "healthcheck" not in where.lower():
            message = f"{where} takes a file over plain HTTP: {address[:100]}"
            yield Remark("build-remote-file", address[:100], message, (because,))
        elif _RUNS_LATER.search(address):
            message = f"{where} takes a file that nothing verifies: {address[:100]}"
            yield Remark("build-remote-file", address[:100], message, (because,), None, Confidence.MEDIUM)


_EXPRESSION: Final = re.compile(r"\$\{\{[^}\n]{0,200}\}\}")  # one word, however it is written
_AT_ADDRESS: Final = re.compile(r"(?<=\S)\s{1,9}@\s{1,9}(?=[a-z+]{1,20}://)")
_AT_COMMIT: Final = re.compile(  # the pipeline's own commit is one as well
    r"@(?:[0-9a-f]{40}|\$\{\{[\w.]*\bsha\}\}|\$\{?(?:GITHUB_SHA|CI_COMMIT_SHA|BUILD_SOURCEVERSION)\}?)(?:#|$|[\"'])"
)
_COMMENT: Final = re.compile(r"\s#.*")
_SAYS: Final = re.compile(r"""\b(?:echo|printf)\b\s+(?:-\w+\s+)*(?:"[^"]*|'[^']*)$""")


def pip_remarks(text: str, because: Because, where: str) -> Iterator[Remark]:
    """What ``pip install`` in a command leaves open."""
    text = _EXPRESSION.sub(lambda match: match[0].replace(" ", ""), text)
    for match in _PIP.finditer(text):
        if _SAYS.search(text[: match.start()]):
            continue  # words that a command prints
        words = _AT_ADDRESS.sub("@", _COMMENT.sub("", match[1])).split()
        hashed = "--require-hashes" in words
        yield from _indexes(words, because, where, hashed=hashed)
        loose = []
        for word in _requirements(words):
            try:
                one = parse_requirement(word)
            except InputError:
                continue
            if one.url:
                yield from moving(one.url, because, where)
            elif not one.exact and one.name not in _TOOLS:
                loose.append(word)
        if loose:
            message = f"{where} installs whatever is newest of {', '.join(loose[:8])}"
            yield Remark("deps-unpinned", f"pip install {' '.join(loose[:8])}", message, (because,))
    for match in _CONDA.finditer(text):
        words = match[1].split()
        loose = [
            word
            for previous, word in zip(["", *words], words, strict=False)
            if not word.startswith("-")
            and "=" not in word
            and previous not in ("-c", "--channel", "-n", "--name", "-p", "--file")
            and re.fullmatch(r"[a-z][\w.-]*(?:[<>][\w.=<>,]*)?", word)
        ]
        if loose:
            message = f"{where} installs whatever is newest of {', '.join(loose[:8])}"
            yield Remark("deps-unpinned", f"conda install {' '.join(loose[:8])}", message, (because,))


def _requirements(words: list[str]) -> Iterator[str]:
    skip = False
    for word in words:
        if skip or word in _TAKES:
            skip = not skip and word in _TAKES
            continue
        bare = word.strip("\"'")
        if bare.startswith(("-", "$", ">", "<", "2>", ".", "/")) or bare in (".", "\\", ""):
            continue
        if bare.endswith((".whl", ".tar.gz", ".txt")) and "://" not in bare:
            continue
        yield bare


def _indexes(words: list[str], because: Because, where: str, *, hashed: bool) -> Iterator[Remark]:
    for index, word in enumerate(words):
        option, equals, value = word.partition("=")
        if not equals:
            value = words[index + 1] if index + 1 < len(words) else ""
        yield from index_remarks(option, value.strip("\"'"), because, where, hashed=hashed)


def index_remarks(option: str, value: str, because: Because, where: str, *, hashed: bool) -> Iterator[Remark]:
    """What an option that names an index leaves open."""
    if option == "--extra-index-url" and not hashed:
        known = bool(
            re.match(
                r"https://(?:download\.pytorch\.org|pypi\.nvidia\.com|pypi\.ngc\.nvidia\.com|data\.pyg\.org)/?", value
            )
        )
        message = (
            f"{where} takes each package from whichever of several indexes has the higher version: {_bare(value)}"
        )
        yield Remark("deps-extra-index", _bare(value), message, (because,), Severity.MEDIUM if known else None)
    if option == "--trusted-host" and value:
        message = f"{where} takes packages from {value} without verifying its certificate"
        yield Remark("deps-insecure-index", value, message, (because,))
    if option in (
        "--index-url",
        "-i",
        "--extra-index-url",
        "--find-links",
        "-f",
        "--default-index",
        "--index",
    ) and re.match(r"http://(?!localhost|127\.)", value):
        yield Remark(
            "deps-insecure-index", _bare(value), f"{where} takes packages over plain HTTP: {_bare(value)}", (because,)
        )


def moving(url: str, because: Because, where: str) -> Iterator[Remark]:
    """What a requirement by an address leaves open."""
    bare = _bare(url)
    if url.startswith((".", "/", "file:")):
        return
    if re.match(r"(?:git|hg|svn|bzr)", url, re.IGNORECASE):
        if not _AT_COMMIT.search(url):
            message = (
                f"{where} is installed from a repository without a commit, so its owner decides what it is: {bare}"
            )
            yield Remark("deps-moving-source", bare, message, (because,))
        return
    if url.lower().startswith("http://"):
        message = f"{where} is installed over plain HTTP: {bare}"
        yield Remark("deps-moving-source", bare, message, (because,), Severity.HIGH)
    elif not re.search(r"[#&]sha(?:256|384|512)=[0-9a-f]{64}", url):
        message = f"{where} is installed from an address without a digest: {bare}"
        yield Remark("deps-moving-source", bare, message, (because,))


def _bare(url: str) -> str:
    """An address without credentials."""
    return re.sub(r"//[^/@\s]*@", "//", url)[:120]


def _short(text: str) -> str:
    """A command as it is shown: without credentials, and without what may be one."""
    shown = re.sub(r"//[^/@\s]*@", "//", " ".join(text.split()))
    shown = re.sub(r"(?i)((?:bearer|token|passw\w*|secret|key)[\"']?\s*[=: ]\s*)[^\s\"']+", r"\1***", shown)
    return re.sub(r"[A-Za-z0-9+_=]{24,}", lambda match: f"{match[0][:4]}...", shown)[:100]
