"""Scanner of scripts and source of other languages: reported, and what fetches or decodes what it then runs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from assaymark.core.errors import InputError
from assaymark.formats.text import read_text
from assaymark.scanning.notes import shown

if TYPE_CHECKING:
    from assaymark.scanning.content import Content

# Each alternative is linear: what may repeat is bounded.
_DANGEROUS: Final = re.compile(
    r"(?:curl|wget|fetch|base64|openssl|xxd|gunzip)\b[^\n|;&]{0,300}\|\s*(?:sudo\s+)?(?:ba|z|da|k|fi)?sh\b"
    r"|(?:curl|wget|fetch|base64)\b[^\n|;&]{0,300}\|\s*(?:sudo\s+)?(?:python|perl|ruby|node|php)"
    r"|\b(?:ba|z)?sh\s+(?:-c\s+[\"']?)?[<$]\(\s*(?:curl|wget|base64)|\beval\s+[\"']?\$\(|\beval\s+[\"']?`"
    r"|(?:chmod\s+(?:\+x|[0-7]*7[0-7]*)\s[^\n;&]{0,200}[;&\n]\s*\.?/)|/dev/(?:tcp|udp)/|\bn(?:c|cat|etcat)\s+[^\n]{0,100}-[ec]\b"
    r"|\bbash\s+-i\b|\brm\s+-[rf]{1,2}\s+(?:/|~|\$HOME)(?:\s|$)|authorized_keys|/etc/(?:shadow|crontab|ld\.so\.preload)"
    r"|(?i:powershell[^\n]{0,100}-e(?:nc|ncodedcommand)?\s|Invoke-Expression|\bIEX\b|DownloadString|DownloadFile"
    r"|FromBase64String|certutil[^\n]{0,60}-urlcache|bitsadmin|mshta|regsvr32|rundll32|WScript\.Shell|reg\s+add)"
    r"|child_process|eval\s*\(\s*(?:atob|Buffer|unescape|String\.fromCharCode|base64_decode|gzinflate)|\bnew\s+Function\s*\("
    r"|\bos\.execute\s*\(|\bio\.popen\s*\(|\bloadstring\s*\(|\bshell_exec\s*\(|\bpassthru\s*\(|\bproc_open\s*\("
    r"|Runtime\.getRuntime\(\)\.exec|ProcessBuilder|\bstd::process::Command|\bos/exec\b|\bsystem\s*\(\s*[\"']|\bpopen\s*\("
    r"|\bexecve?p?\s*\(",
    re.MULTILINE,
)


def scan_script(content: Content) -> None:
    """A script, or source code of another language than Python."""
    try:
        text = read_text(content.view)
    except InputError as error:
        content.notes.skip(f"named as source code, and not text: {error.message}", content.member)
        return
    content.notes.finding("script-file", "source code or a script, which somebody may run", member=content.member)
    judge_script(content, text.decode(), "")
    content.notes.saw("script", content.member)


def judge_script(content: Content, text: str, where: str) -> None:
    """Note the first place where a script fetches, decodes or starts what it runs."""
    found = _DANGEROUS.search(text)
    if found is None:
        return
    line = text.count("\n", 0, found.start()) + 1
    place = f"{where}, " if where else ""
    content.notes.finding(
        "script-dangerous",
        f"{place}line {line}: {shown(found[0].strip()[:100])!r} runs what it fetches, decodes or is told",
        member=content.member,
        line=None if where else line,
    )


def scan_path_file(content: Content) -> None:
    """A ``.pth`` of text: Python's ``site`` runs its lines that begin with ``import`` at every start."""
    text = read_text(content.view)
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip(b"\xef\xbb\xbf").startswith((b"import ", b"import\t")):
            content.notes.finding(
                "path-file-code",
                f"line {number}: {shown(line[:100].decode('utf-8', 'replace'))!r} runs whenever Python starts",
                member=content.member,
                line=number,
            )
            return
    content.notes.skip("named .pth (PyTorch), but its content is text", content.member)
