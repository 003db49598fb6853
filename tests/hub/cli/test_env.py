"""`paillasse env …` as an operator types it: what it does, what it says, with which exit code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from environments import names
from hub.cli.app import app

YAML = (
    "# first year\nslug: lab\ntitle: {fr: Chimie, en: Chemistry}\nimage: paillasse/lab:1\nstatus: published\n"
)
CATALOGUE = Path(__file__).resolve().parents[3] / "environments" / "catalogue"


def env(*words: str, stdin: str | bytes = "", fails: bool = False) -> Result:
    result = CliRunner().invoke(app, ["env", *words], input=stdin)
    assert result.exit_code == (1 if fails else 0), result.output
    return result


def test_the_ready_environments_apply() -> None:
    assert "jupyterlab-python is created (published)." in env("apply", str(CATALOGUE)).stdout
    assert "jupyterlab-python is unchanged" in env("apply", str(CATALOGUE)).stdout


def test_a_text_goes_in_and_comes_out() -> None:
    assert env("apply", "-", stdin=YAML).stdout == "lab is created (published).\n"
    assert env("export", "lab").stdout == YAML
    assert env("diff", "-", stdin=YAML).stdout.strip() == ""
    changed = YAML.replace("lab:1", "lab:2")
    assert "+image: paillasse/lab:2" in env("diff", "-", stdin=changed).stdout
    assert env("apply", "-", "--reason", "new release", stdin=changed).stdout == (
        "lab is changed: revision 2 (published).\n"
    )
    assert env("list").stdout.split() == ["lab", "published", "2", "Chemistry"]
    assert json.loads(env("list", "--json").stdout)[0]["revision"] == 2


def test_an_edit_of_an_old_revision_is_refused() -> None:
    env("apply", "-", stdin=YAML)
    env("apply", "-", stdin=YAML + "# more\n")
    refused = env("apply", "-", "--revision", "1", stdin=YAML + "# other\n", fails=True)
    assert "revision 2" in refused.stderr
    assert "-# more\n+# other" in refused.stderr


def test_every_problem_of_every_file_is_told_and_nothing_applied(tmp_path: Path) -> None:
    folder = tmp_path / "environments"
    folder.mkdir()
    (folder / "a.yaml").write_text(YAML)
    (folder / "b.yaml").write_text("slug: B\ntitle: B\nimage: paillasse/b:1\nprivileged: true\n")
    (folder / "c.yml").write_text("slug: [\n")
    for verb in ("validate", "apply"):
        refused = env(verb, str(folder), fails=True)
        assert f"{folder}/b.yaml:1:1: slug: " in refused.stderr
        assert f"{folder}/b.yaml:4:1: privileged: " in refused.stderr
        assert f"{folder}/c.yml:2:1: " in refused.stderr
    assert env("list").stdout == ""


def test_what_cannot_be_read(tmp_path: Path) -> None:
    assert "No such file" in env("apply", str(tmp_path / "none.yaml"), fails=True).stderr
    (tmp_path / "empty").mkdir()
    assert "holds no .yaml file" in env("apply", str(tmp_path / "empty"), fails=True).stderr
    assert "UTF-8" in env("apply", "-", stdin=b"slug: \xff\n", fails=True).stderr
    assert "too long" in env("apply", "-", stdin="a: " + "x" * 10_000_000, fails=True).stderr


def test_a_join_link_with_its_terms() -> None:
    env("apply", "-", stdin=YAML)
    made = json.loads(env("link", "lab", "--json", "--expires-in", "12h", "--max-uses", "3").stdout)
    assert made["url"] == f"https://lab.example/join/{made['code']}"
    assert (made["slug"], made["uses"], made["max_uses"], made["revoked_at"]) == ("lab", 0, 3, None)
    assert made["expires_at"] is not None
    listed = env("links", "lab").stdout
    assert made["id"] in listed
    assert made["code"] not in listed
    assert "withdrawn" in env("revoke", made["id"]).stdout
    assert json.loads(env("links", "lab", "--json").stdout)[0]["revoked_at"] is not None


def test_a_join_link_for_people_to_read() -> None:
    env("apply", "-", stdin=YAML)
    url, code, _ = (line.split()[-1] for line in env("link", "lab").stdout.splitlines())
    assert url.endswith(f"/join/{code}")
    assert len(code) == len(names.new_join_code())


def test_what_is_not_there() -> None:
    for words in (["link", "nothing"], ["links", "nothing"], ["export", "nothing"], ["revoke", "nothing"]):
        assert env(*words, fails=True).stderr.strip()
    env("apply", "-", stdin=YAML)
    assert "not a duration" in env("link", "lab", "--expires-in", "soon", fails=True).stderr


def test_in_french(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "fr_FR.UTF-8")
    assert env("apply", "-", stdin=YAML).stdout == "lab est créé (publié).\n"
    assert "Chimie" in env("list").stdout
    told = env("validate", "-", stdin=YAML + "titel: x\n", fails=True).stderr
    assert "Vouliez-vous dire title\N{NO-BREAK SPACE}?" in told
    assert "Il n’y a rien" in env("export", "nothing", fails=True).stderr
