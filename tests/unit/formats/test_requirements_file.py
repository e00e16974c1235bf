"""Requirements files, as pip's documentation and PEP 508 have them."""

from __future__ import annotations

import pytest

from assaymark.core.errors import InputError
from assaymark.formats.requirements_file import parse_requirement, read_requirements


@pytest.mark.parametrize(
    ("text", "name", "specifier", "exact", "url"),
    [
        ("requests", "requests", "", "", ""),
        ("Zope.Interface[a, b] >= 5 ; python_version < '3.12'", "zope-interface", ">= 5", "", ""),
        ("numpy == 2.3.0", "numpy", "== 2.3.0", "2.3.0", ""),
        ("numpy===2.3.0", "numpy", "===2.3.0", "2.3.0", ""),
        ("numpy==2.*", "numpy", "==2.*", "", ""),
        ("numpy~=2.3,!=2.3.1", "numpy", "~=2.3,!=2.3.1", "", ""),
        ("torch==2.9.0+cpu", "torch", "==2.9.0+cpu", "2.9.0+cpu", ""),
        ("pip @ https://a.b/pip.whl#sha256=0 ; os_name=='a'", "pip", "", "", "https://a.b/pip.whl#sha256=0"),
        ("git+https://a.b/c.git@v1#egg=C_d", "c-d", "", "", "git+https://a.b/c.git@v1#egg=C_d"),
        ("./local/x.whl", "", "", "", "./local/x.whl"),
        ("attrs (>=20)", "attrs", ">=20", "", ""),
    ],
)
def test_requirements(text: str, name: str, specifier: str, exact: str, url: str) -> None:
    one = parse_requirement(text)
    assert (one.name, one.specifier, one.exact, one.url) == (name, specifier, exact, url)


def test_lines_options_hashes_and_comments() -> None:
    text = "# a\n-i https://a.b/simple # why\n\nx==1 \\\n  --hash=sha256:00 \\\n  --hash=sha256:11\n-e ./y\n--require-hashes\n"
    index, x, y, hashes = read_requirements(text)
    assert (index.option, index.value, index.line) == ("-i", "https://a.b/simple", 2)
    assert (x.name, x.hashes, x.line) == ("x", 2, 4)
    assert y.editable
    assert hashes.option == "--require-hashes"


@pytest.mark.parametrize("text", ["import os\n", "=1\n", "<html>\n", "x y\n"])
def test_what_is_none(text: str) -> None:
    with pytest.raises(InputError) as raised:
        read_requirements(text)
    assert raised.value.code == "requirements-syntax"
