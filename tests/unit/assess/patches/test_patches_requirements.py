"""Versions and digests of requirements come from a lock of the input: for all that pip asks for, or not at all."""

from __future__ import annotations

import pytest
from tests.support.patched import patched

from assaymark.assess.patches.requirements import admits


def digest(number: int) -> str:
    return f"{number:064x}"


def package(name: str, version: str, *needs: str, number: int = 1, more: str = "") -> str:
    listed = ", ".join("{ " + need + " }" for need in needs)
    return f"""
[[package]]
name = "{name}"
version = "{version}"
source = {{ registry = "https://packages.acme.io/simple" }}
dependencies = [{listed}]
sdist = {{ url = "https://packages.acme.io/{name}.tar.gz", hash = "sha256:{digest(number)}", size = 1 }}
wheels = [
    {{ url = "https://packages.acme.io/{name}.whl", hash = "sha256:{digest(number + 1)}", size = 1 }},
]
{more}"""


UV = (
    'version = 1\n\n[[package]]\nname = "models"\nversion = "1"\nsource = { editable = "." }\n'
    + package("torch", "2.6.0", 'name = "filelock"', "name = \"colors\", marker = \"sys_platform == 'win32'\"", number=16)
    + package("filelock", "3.16.1", number=32)
    + package("colors", "0.4.6", number=48)
    + package("numpy", "2.3.0", number=64)
    + package(
        "server", "0.30.0", 'name = "click"', number=80,
        more='\n[package.optional-dependencies]\nfast = [\n    { name = "loop" },\n]\n',
    )
    + package("click", "8.1.7", number=96)
    + package("loop", "0.20.0", number=112)
)  # fmt: skip
RULES = ("deps-unpinned", "deps-unhashed")


def test_all_lines_and_what_they_need_get_their_digests() -> None:
    text = "# what serves\ntorch>=2.6  # GPU\nnumpy==2.3.0\n"
    done = patched({"uv.lock": UV, "requirements.txt": text}, *RULES)
    done.check(*RULES)
    assert (
        done.files["requirements.txt"]
        == f"""\
# what serves
torch==2.6.0 \\
    --hash=sha256:{digest(16)} \\
    --hash=sha256:{digest(17)}  # GPU
numpy==2.3.0 \\
    --hash=sha256:{digest(64)} \\
    --hash=sha256:{digest(65)}
colors==0.4.6 ; sys_platform == 'win32' \\
    --hash=sha256:{digest(48)} \\
    --hash=sha256:{digest(49)}
filelock==3.16.1 \\
    --hash=sha256:{digest(32)} \\
    --hash=sha256:{digest(33)}
"""
    )


def test_extras_bring_what_they_need() -> None:
    done = patched({"uv.lock": UV, "service/requirements.txt": "Server[fast] >=0.29 ; python_version >= '3.9'\n"})
    new = done.files["service/requirements.txt"]
    assert new.startswith("Server[fast]==0.30.0 ; python_version >= '3.9' \\\n")
    assert "loop==0.20.0 ; python_version >= '3.9' \\\n" in new
    assert "click==8.1.7 ; python_version >= '3.9' \\\n" in new


PINNED = {
    "another file includes it": {
        "requirements.txt": "numpy\n",
        "dev/requirements-dev.txt": "-r ../requirements.txt\n",
    },
    "it includes another": {"requirements.txt": "-r base.txt\nnumpy\n", "base.txt": "click==8.1.7\n"},
    "it installs the project": {"requirements.txt": "-e .\nnumpy\n"},
    "a line is from elsewhere": {"requirements.txt": "tool @ https://acme.io/tool.whl\nnumpy\n"},
}


@pytest.mark.parametrize("why", PINNED)
def test_versions_alone_where_digests_would_be_asked_for_elsewhere_too(why: str) -> None:
    files = {"uv.lock": UV} | PINNED[why]
    done = patched(files, *RULES)
    old = files["requirements.txt"]
    assert done.files["requirements.txt"] == old.replace("numpy\n", "numpy==2.3.0\n")
    assert not [one for one in done.after if one.rule == "deps-unpinned" and "numpy" in one.message]


NOTHING = {
    "no lock": {},
    "a lock of another folder": {"other/uv.lock": UV},
    "a version that is not wanted": {"uv.lock": UV.replace('"2.3.0"', '"1.9.0"')},
    "a version that may not be wanted": {"uv.lock": UV.replace('"2.3.0"', '"2.3.0rc1"')},
    "two versions": {"uv.lock": UV + package("numpy", "2.2.0", number=7)},
    "not in the lock": {"uv.lock": UV.replace('"numpy"', '"numpy2"')},
    "a version of one index only": {"uv.lock": UV.replace('"2.3.0"', '"2.3.0+cpu"')},
    "no lock at all": {"uv.lock": "[[package"},
}


@pytest.mark.parametrize("why", NOTHING)
def test_nothing_where_no_lock_has_it(why: str) -> None:
    done = patched({"service/requirements.txt": "numpy>=2\n"} | NOTHING[why], *RULES)
    assert done.patches == ()


def test_a_lock_of_other_versions_is_not_this_files() -> None:
    assert patched({"uv.lock": UV, "requirements.txt": "torch==2.5.0\nnumpy\n"}, *RULES).patches == ()


def test_packages_of_several_indexes_are_left() -> None:
    mixed = UV.replace("packages.acme.io/simple", "other.acme.io/simple", 1)
    assert patched({"uv.lock": mixed, "requirements.txt": "torch\nnumpy\n"}, *RULES).patches == ()


def test_markers_of_a_line_that_others_need_too_are_not_guessed() -> None:
    done = patched({"uv.lock": UV, "requirements.txt": "torch\nfilelock ; python_version < '3.12'\n"}, *RULES)
    assert done.files["requirements.txt"] == "torch==2.6.0\nfilelock==3.16.1 ; python_version < '3.12'\n"


UNCLEAR = {
    "a version of two": UV + package("filelock", "3.0", number=5),
    "a folder": UV.replace('registry = "https://packages.acme.io/simple" }\ndependencies = []\nsdist = { url = '
                           '"https://packages.acme.io/filelock', 'path = "x" }\ndependencies = []\nsdist = { url = "x'),
    "an extra of the project": UV.replace("sys_platform == 'win32'", "extra == 'gpu'"),
    "more markers than a line has": UV
    + package("top", "1", *(f"name = \"side{one}\", marker = \"platform_node == '{one}'\"" for one in range(9)), number=200)
    + "".join(package(f"side{one}", "1", 'name = "filelock"', number=300 + one) for one in range(9)),
}  # fmt: skip


@pytest.mark.parametrize("why", UNCLEAR)
def test_versions_alone_where_it_is_not_clear_what_is_needed(why: str) -> None:
    text = "top\n" if "markers" in why else "torch\n"
    new = patched({"uv.lock": UNCLEAR[why], "requirements.txt": text}, *RULES).files["requirements.txt"]
    assert new == text.replace("top", "top==1").replace("torch", "torch==2.6.0")


POETRY = f"""\
[[package]]
name = "Flask"
version = "3.1.0"
optional = false
files = [
    {{file = "flask.whl", hash = "sha256:{digest(1)}"}},
]

[package.dependencies]
colorama = {{version = "*", markers = "sys_platform == \\"win32\\""}}
asgiref = {{version = ">=3.2", optional = true, markers = "extra == \\"async\\""}}

[package.extras]
async = ["asgiref (>=3.2)"]

[[package]]
name = "colorama"
version = "0.4.6"
files = [
    {{file = "colorama.whl", hash = "sha256:{digest(2)}"}},
]

[[package]]
name = "asgiref"
version = "3.8.1"
files = [
    {{file = "asgiref.whl", hash = "sha256:{digest(3)}"}},
]
"""


def test_poetry_says_what_needs_what_too() -> None:
    done = patched({"poetry.lock": POETRY, "requirements.txt": "flask~=3.0\n"}, *RULES)
    done.check(*RULES)
    assert 'colorama==0.4.6 ; sys_platform == "win32" \\\n' in done.files["requirements.txt"]
    assert "asgiref" not in done.files["requirements.txt"]
    more = patched({"poetry.lock": POETRY, "requirements.txt": "flask[async]\n"}, *RULES)
    assert "\nasgiref==3.8.1 \\\n" in more.files["requirements.txt"]


LOCKS = {
    "pylock.toml": f"""\
lock-version = "1.0"
created-by = "a tool"

[[packages]]
name = "numpy"
version = "2.3.0"
wheels = [{{ name = "numpy.whl", url = "https://packages.acme.io/numpy.whl", hashes = {{ sha256 = "{digest(1)}" }} }}]

[[packages]]
name = "click"
version = "8.1.7"
sdist = {{ name = "click.tar.gz", url = "https://packages.acme.io/click.tar.gz", hashes = {{ sha256 = "{digest(2)}" }} }}
""",
    "Pipfile.lock": f"""\
{{"default": {{"numpy": {{"version": "==2.3.0", "hashes": ["sha256:{digest(1)}"]}},
 "click": {{"version": "==8.1.7", "hashes": ["sha256:{digest(2)}"]}}}}, "develop": {{}}}}
""",
    "requirements.lock.txt": f"""\
--index-url https://packages.acme.io/simple
numpy==2.3.0 \\
    --hash=sha256:{digest(1)}  # via models
click==8.1.7 --hash=sha256:{digest(2)}
""",
}


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_that_does_not_say_what_needs_what_is_taken_whole(name: str) -> None:
    files = {name: LOCKS[name], "requirements.txt": "numpy\nclick>=8\n"}
    done = patched(files, *RULES)
    done.check(*RULES)
    assert f"numpy==2.3.0 \\\n    --hash=sha256:{digest(1)}\n" in done.files["requirements.txt"]
    part = patched(files | {"requirements.txt": "numpy\n"}, *RULES)
    assert part.files["requirements.txt"] == "numpy==2.3.0\n"


COMMIT = "08eba0b27e820071cde6df949e0beb9ba4906955"
SOURCES = {
    "uv.lock": f"""
[[package]]
name = "tools"
version = "1"
source = {{ git = "https://github.com/acme/tools?branch=main#{COMMIT}" }}

[[package]]
name = "more"
version = "1"
source = {{ git = "https://github.com/acme/more.git#{COMMIT}" }}
""",
    "poetry.lock": f"""
[[package]]
name = "tools"
version = "1"

[package.source]
type = "git"
url = "https://github.com/acme/tools.git"
reference = "main"
resolved_reference = "{COMMIT}"

[[package]]
name = "more"
version = "1"

[package.source]
type = "git"
url = "https://github.com/Acme/more"
reference = "HEAD"
resolved_reference = "{COMMIT}"
""",
}


@pytest.mark.parametrize("lock", SOURCES)
def test_repositories_get_the_commit_that_the_lock_has(lock: str) -> None:
    text = (
        "tools @ git+https://github.com/acme/tools@main ; python_version > '3'\n"
        "git+https://bot:x@github.com/acme/more.git#egg=more  # all\n"
    )
    done = patched({lock: SOURCES[lock], "requirements.txt": text}, "deps-moving-source")
    done.check("deps-moving-source")
    assert done.files["requirements.txt"] == (
        f"tools @ git+https://github.com/acme/tools@{COMMIT} ; python_version > '3'\n"
        f"git+https://bot:x@github.com/acme/more.git@{COMMIT}#egg=more  # all\n"
    )
    other = text.replace("@main", "@v2").replace("more.git", "more.git@main")
    assert patched({lock: SOURCES[lock], "requirements.txt": other}, "deps-moving-source").patches == ()


def test_commands_and_steps_name_versions() -> None:
    files = {
        "uv.lock": UV,
        "Dockerfile": "FROM a@sha256:" + digest(9) + '\nRUN pip install --no-cache-dir numpy "torch>=2.6" && pip check\nUSER 5\n',
        "train.py": 'from kfp import dsl\n\n\n@dsl.component(packages_to_install=["numpy", "torch>=2", "click==8.0"])\n'
        "def train() -> str:\n    return ''\n",
    }  # fmt: skip
    done = patched(files, "deps-unpinned", "deps-component-unpinned")
    done.check("deps-unpinned", "deps-component-unpinned")
    assert 'RUN pip install --no-cache-dir numpy==2.3.0 "torch==2.6.0" && pip check\n' in done.files["Dockerfile"]
    assert 'packages_to_install=["numpy==2.3.0", "torch==2.6.0", "click==8.0"]' in done.files["train.py"]


@pytest.mark.parametrize(("marker", "expected"), [
    ('extra == "async"', ""),
    ('extra == "async" and os_name == "nt"', ' ; os_name == "nt"'),
    ('os_name == "nt" and extra == "async"', ' ; os_name == "nt"'),
    ('extra == "async" or extra == "all"', None),
])  # fmt: skip
def test_markers_of_extras(marker: str, expected: str | None) -> None:
    lock = POETRY.replace('extra == \\"async\\"', marker.replace('"', '\\"'))
    assert lock != POETRY or expected == ""
    new = patched({"poetry.lock": lock, "requirements.txt": "flask[async]\n"}, *RULES).files["requirements.txt"]
    assert new == "flask[async]==3.1.0\n" if expected is None else f"\nasgiref==3.8.1{expected} \\\n" in new


def test_a_word_that_stands_twice_is_left() -> None:
    text = f"FROM a@sha256:{digest(9)}\nRUN pip install numpy && echo numpy\nUSER 5\n"
    assert patched({"uv.lock": UV, "Dockerfile": text}, "deps-unpinned").patches == ()


@pytest.mark.parametrize(("specifier", "version", "expected"), [
    ("", "1.0", True),
    ("", "1.0rc1", True),
    (">=1,<2", "1.5", True),
    (">=1,<2", "2.0", False),
    (">=1.5", "1.10", True),
    ("==1.0", "1.0.0", True),
    ("==1.0.*", "1.0.7", True),
    ("==1.0.*", "1.1", False),
    ("!=1.0.*", "1.1", True),
    ("~=1.4", "1.9", True),
    ("~=1.4.2", "1.5.0", False),
    ("~=1", "1.5", False),
    ("===1.0", "1.0", True),
    ("===1.0", "1.0.0", False),
    (">=1", "1.0rc1", False),
    ("==1.0rc1", "1.0rc1", True),
    ("!=1.3", "1.3.0", False),
    ("<2", "1.9", True),
    ("<=1.9", "1.9.0", True),
    (">1", "1.0", False),
    ("^1.2", "1.3", False),
])  # fmt: skip
def test_what_a_specifier_surely_lets_in(specifier: str, version: str, *, expected: bool) -> None:
    assert admits(specifier, version) is expected
