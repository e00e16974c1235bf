"""Names of tenants, environments, principals, roles and requirements: one form for all of them."""

from __future__ import annotations

import re
from typing import Final

NAME_FORM: Final = "[a-z0-9][a-z0-9._-]{0,63}"
_NAME: Final = re.compile(NAME_FORM)


def is_name(text: object) -> bool:
    """Whether ``text`` is a name: 1 to 64 of ``a-z 0-9 . _ -``, the first a letter or digit.

    One alphabet in one case: no two names look alike, and none needs quoting in a shell, a URL or a file name.
    """
    return isinstance(text, str) and _NAME.fullmatch(text) is not None
