"""What a template may use: reviewed data, by what Jinja 3 and transformers provide.

Left out on purpose: ``lipsum``, ``cycler``, ``joiner`` and ``self``, whose objects lead to Python's modules; the
filter ``attr``; ``format``, which reads attributes by the text of its argument (CVE-2016-10745, CVE-2024-56326).
"""

from __future__ import annotations

import re
from typing import Final


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Functions of the environment. raise_exception and strftime_now are transformers'.
FUNCTIONS: Final = _words("raise_exception strftime_now namespace range dict caller loop super")
# Objects that lead to Python's modules wherever Jinja, Flask or Django put them there.
LEADING: Final = _words(
    "lipsum cycler joiner self config request session g url_for get_flashed_messages environ application "
    "import open exec eval os sys subprocess builtins"
)
# Methods of text, lists, dicts and of the loop. All of them only make values, or change a list that a template made.
METHODS: Final = _words(
    "strip lstrip rstrip split rsplit splitlines startswith endswith upper lower title capitalize casefold swapcase "
    "replace find rfind index rindex count join isdigit isdecimal isnumeric isalpha isalnum isupper islower isspace "
    "istitle zfill ljust rjust center partition rpartition removeprefix removesuffix expandtabs "
    "append extend insert pop remove reverse sort copy clear "
    "items keys values get setdefault update popitem "
    "cycle changed strftime isoformat date time"
)
FILTERS: Final = _words(
    "abs batch capitalize center count d default dictsort e escape filesizeformat first float forceescape groupby "
    "indent int items join last length list lower map max min pprint random reject rejectattr replace reverse round "
    "safe select selectattr slice sort string striptags sum title tojson trim truncate unique upper urlencode urlize "
    "wordcount wordwrap xmlattr from_json fromjson from_yaml to_json to_yaml to_nice_json to_nice_yaml bool"
)
TESTS: Final = _words(
    "boolean callable defined divisibleby eq equalto escaped even false filter float ge gt greaterthan in integer "
    "iterable le lessthan lower lt mapping ne none number odd sameas sequence string test true undefined upper"
)
# Filters whose argument "attribute" is a path of attributes.
BY_ATTRIBUTE: Final = _words("groupby join map max min reject rejectattr select selectattr sort sum unique")
# The first argument of these is such a path too.
ATTRIBUTE_FIRST: Final = _words("groupby selectattr rejectattr")
# Their first argument is a filter, or a test, by its name.
NAMES_FILTER: Final = _words("map")
NAMES_TEST: Final = _words("select reject")
# Filters and tests that give a number or a truth.
NUMERIC: Final = _words("length count int float abs round wordcount")
NUMERIC_METHODS: Final = _words(
    "find rfind index rindex count startswith endswith isdigit isdecimal isnumeric isalpha isalnum isupper islower "
    "isspace istitle changed"
)
LOOP_NUMBERS: Final = _words("index index0 revindex revindex0 length depth depth0 first last")
# Filters that hand on parts of what they get, as it is.
PARTS: Final = _words(
    "first last list sort unique trim random select reject selectattr rejectattr items dictsort batch slice default "
    "d groupby map max min"
)
PART_METHODS: Final = _words(
    "items keys values get pop copy popitem strip lstrip rstrip split rsplit splitlines partition rpartition "
    "removeprefix removesuffix"
)

# Attributes that do not begin with an underscore and lead from generators, frames, functions and classes to modules.
_LEADING_PREFIXES: Final = ("_", "gi_", "cr_", "ag_", "f_", "tb_", "co_", "func_", "im_")
_WAY_OUT: Final = re.compile(r"__|mro|format_map|(?:gi|cr|ag|f|tb|co|func|im)_[a-z]")
_LEADING_ATTRIBUTES: Final = _words("mro format_map")


def leads_out(attribute: str) -> bool:
    """Whether an attribute of this name may lead to Python's classes, functions and modules."""
    return attribute.startswith(_LEADING_PREFIXES) or attribute in _LEADING_ATTRIBUTES


def holds_way_out(text: str) -> bool:
    """Whether a piece of a literal may be such a name: templates cut texts."""
    return leads_out(text) or _WAY_OUT.search(text) is not None
