"""Who goes back to what they said before is told that it counts where it was first said."""

import json
from pathlib import Path

from tests.support.cli import make_model, make_team


def test_going_back_to_an_earlier_word_is_no_silent_nothing(tmp_path: Path) -> None:
    team = make_team(tmp_path)
    model = make_model(tmp_path)
    words = {}
    for name, ok in (("no", False), ("yes", True)):
        words[name] = tmp_path / f"{name}.json"
        words[name].write_text(json.dumps({"ok": ok}))

    def say(name: str) -> str:
        kind = "https://example.com/review/v1"
        said = team.run("attest", kind, model, "--predicate", words[name], "--key", team.key("alice"))
        assert said.code == 0, said
        return said.out + said.err

    assert "is newer and stands" not in say("no") + say("yes") + say("yes")
    assert "is newer and stands" in say("no")
