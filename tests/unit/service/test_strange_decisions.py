"""Whoever may append a decision that cannot be read stops neither verify nor the end of a stolen key."""

from pathlib import Path

from tests.support.cli import make_model, make_team

from assaymark.core.statement import DECISION, make_statement
from assaymark.core.subject import Subject
from assaymark.service.publish import publish, sign_statement
from assaymark.service.workspace import open_workspace


def test_a_decision_that_cannot_be_read_is_passed_over(tmp_path: Path) -> None:
    team = make_team(tmp_path)
    team.enrol("eve", "root")
    model = make_model(tmp_path)
    team.admit(model)
    workspace = open_workspace(team.workspace)
    digest = team.ask("verify", model, "--for", "production").json["subject"]
    statement = make_statement((Subject("model", digest),), DECISION, {"verificationResult": "PASSED"})
    envelope = sign_statement(statement.payload, [workspace.signer(None, name="service")])
    _, checkpoint = workspace.log.checkpoint()
    now = workspace.log.entry(checkpoint.size - 1)[0].logged_at
    publish(workspace, [envelope], now)
    assert team.run("verify", model, "--for", "production").code == 0
    ended = team.run(
        "keys", "compromise", "bob", "--since", "0", "--reason", "stolen", "--sign-with", team.key("eve")
    )
    assert ended.code == 0, ended
    assert team.run("verify", model, "--for", "production").code == 1
