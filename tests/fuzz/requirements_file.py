"""Any bytes as a requirements file: an InputError, or lines each of which is an option, a name or an address."""

from assaymark.core.errors import InputError
from assaymark.formats.requirements_file import read_requirements

SEEDS = [
    b"x[a]==1 \\\n --hash=sha256:00\n-e git+https://a.b/c#egg=d\n",
    b"--extra-index-url https://a.b\ny>=2; os_name=='a'\n",
]


def fuzz(data: bytes) -> None:
    try:
        found = read_requirements(data.decode("utf-8", "replace"))
    except InputError:
        return
    assert all(one.option or one.name or one.url for one in found)
