"""What the launcher remembers of an installation, and the names it accepts."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from hub.cli.host.console import Failure
from hub.cli.host.site import Options, Site, parse_settings


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Site:
    monkeypatch.setenv("PAILLASSE_STATE", str(tmp_path))
    return Site.named("lab-2")


@pytest.mark.parametrize("name", ["paillasse", "a", "pt3f9a01", "lab-2", "a" * 20])
def test_names_that_a_network_a_secret_and_a_table_can_bear(name: str) -> None:
    assert Site.named(name).stack == name


@pytest.mark.parametrize("name", ["", "Lab", "2lab", "lab_2", "lab--2", "lab-", "-lab", "a" * 21, "é", "a b"])
def test_other_names_are_refused(name: str) -> None:
    with pytest.raises(Failure):
        Site.named(name)


def test_options_are_remembered_and_todays_win(site: Site) -> None:
    assert site.options({"port": None}) == Options()
    site.remember(
        "options.json", {"port": 9000, "bind": "127.0.0.1", "gone": "an option of an older version"}
    )
    assert site.options({"port": None, "bind": "::"}) == Options(port=9000, bind="::")


def test_what_is_remembered_is_for_its_owner_alone(site: Site) -> None:
    site.remember("first-run.json", {"join_link": "secret"})
    assert stat.S_IMODE((site.state / "first-run.json").stat().st_mode) == 0o600
    assert stat.S_IMODE(site.state.stat().st_mode) == 0o700
    assert site.read("first-run.json") == {"join_link": "secret"}
    assert site.read("nothing.json") is None


def test_settings_come_from_the_file_and_then_from_the_environment(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.state.mkdir(parents=True)
    (site.state / "settings.env").write_text("PAILLASSE_SITE_NAME='Faculté'\nPAILLASSE_LANGUAGE=fr\n")
    monkeypatch.setenv("PAILLASSE_LANGUAGE", "en")
    monkeypatch.setenv("PAILLASSE_STACK", "another")
    settings = site.settings()
    assert settings["PAILLASSE_SITE_NAME"] == "Faculté"
    assert settings["PAILLASSE_LANGUAGE"] == "en"
    assert "PAILLASSE_STACK" not in settings


def test_settings_are_plain_pairs() -> None:
    text = "# words\n\nPAILLASSE_A=1\n PAILLASSE_B = two words \nPAILLASSE_C=\"x='y'\"\nPAILLASSE_D=\n"
    assert parse_settings(text) == {
        "PAILLASSE_A": "1",
        "PAILLASSE_B": "two words",
        "PAILLASSE_C": "x='y'",
        "PAILLASSE_D": "",
    }


@pytest.mark.parametrize("line", ["export PAILLASSE_A=1", "PATH=/tmp", "PAILLASSE_A", "paillasse_a=1"])
def test_a_line_that_is_no_setting_is_named(line: str) -> None:
    with pytest.raises(Failure, match="3"):
        parse_settings(f"# one\n\n{line}\n")
