"""Settings: defaults that work, and wrong values that stop the boot by name."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest

from config.settings import Settings, SettingsError


def test_an_empty_environment_is_a_whole_installation() -> None:
    settings = Settings.from_environ({})
    assert (settings.stack, settings.users_network) == ("paillasse", "paillasse-users")
    assert settings.database_url == "sqlite:////srv/paillasse/data/paillasse.sqlite"
    assert settings.hub_database_url == "sqlite:////srv/paillasse/data/jupyterhub.sqlite"
    assert (settings.max_memory, settings.max_duration) == (16 * 2**30, timedelta(days=7))
    assert settings.allowed_images == ("paillasse/*",)
    assert not settings.self_registration
    assert not settings.https


def test_a_variable_set_to_nothing_is_not_set() -> None:
    assert Settings.from_environ({"PAILLASSE_LANGUAGE": ""}).language == "fr"


def test_every_variable_is_read() -> None:
    source = Path(Settings.from_environ.__func__.__code__.co_filename).read_text()
    given = {
        "PAILLASSE_STACK": "tp",
        "PAILLASSE_DATA": "/data",
        "PAILLASSE_SECRETS": "/secrets",
        "PAILLASSE_DATABASE_URL": "postgresql+psycopg://u:p@db/x",
        "PAILLASSE_PUBLIC_URL": "https://tp.example.org/",
        "PAILLASSE_LANGUAGE": "en",
        "PAILLASSE_TIMEZONE": "UTC",
        "PAILLASSE_SITE_NAME": " TP ",
        "PAILLASSE_SUPPORT_CONTACT": "aide@example.org",
        "PAILLASSE_SELF_REGISTRATION": "True",
        "PAILLASSE_USERS_NETWORK": "net",
        "PAILLASSE_ALLOWED_IMAGES": "a/*, b/*",
        "PAILLASSE_MAX_CPU": "1.5",
        "PAILLASSE_MAX_MEMORY": "512m",
        "PAILLASSE_MAX_PIDS": "100",
        "PAILLASSE_MAX_SHM": "64M",
        "PAILLASSE_MAX_DURATION": "12h",
        "PAILLASSE_START_CONCURRENCY": "3",
        "PAILLASSE_START_TIMEOUT": "60",
        "PAILLASSE_SERVERS_PER_USER": "1",
        "PAILLASSE_HOME_DRIVER": "nfs",
        "PAILLASSE_HOME_DRIVER_OPTIONS": r"type=nfs,o=addr=10.0.0.1\,rw,device=:/homes",
        "PAILLASSE_HOME_GRACE": "90m",
        "PAILLASSE_IDLE_CHECK": "5",
        "PAILLASSE_ACTIVITY_INTERVAL": "10",
        "PAILLASSE_HUB_URL": "http://h:1",
        "PAILLASSE_PROXY_API_URL": "http://x:2",
        "PAILLASSE_PORTAL_URL": "http://p:3",
        "PAILLASSE_KEEPER_URL": "http://k:4",
    }
    assert {f"PAILLASSE_{name}" for name in re.findall(r'read\(\s*"([A-Z_]+)"', source)} == given.keys()
    settings, default = Settings.from_environ(given), Settings.from_environ({})
    for name in Settings.__dataclass_fields__:
        assert getattr(settings, name) != getattr(default, name), name
    assert settings.public_url == "https://tp.example.org"
    assert settings.https
    assert settings.allowed_images == ("a/*", "b/*")
    assert settings.max_memory == 512 * 2**20
    assert settings.home_driver_options == (("type", "nfs"), ("o", "addr=10.0.0.1,rw"), ("device", ":/homes"))
    assert settings.hub_database_url == "postgresql+psycopg://u:p@db/x?options=-csearch_path%3Dhub"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("STACK", "Not A Stack"),
        ("DATABASE_URL", "mysql://u:hunter2@h/x"),
        ("DATABASE_URL", "hunter2"),
        ("PUBLIC_URL", "paillasse.example.org"),
        ("PUBLIC_URL", "https://example.org/hub"),
        ("PUBLIC_URL", "https://u:hunter2@example.org"),
        ("LANGUAGE", "de"),
        ("TIMEZONE", "Mars/Olympus"),
        ("TIMEZONE", "/etc/passwd"),
        ("SITE_NAME", " "),
        ("SELF_REGISTRATION", "perhaps"),
        ("ALLOWED_IMAGES", " , "),
        ("MAX_CPU", "0"),
        ("MAX_CPU", "nan"),
        ("MAX_MEMORY", "16 GB"),
        ("MAX_MEMORY", "-1G"),
        ("MAX_PIDS", "0"),
        ("MAX_DURATION", "a week"),
        ("START_CONCURRENCY", "-1"),
        ("START_TIMEOUT", "1.5"),
        ("HOME_DRIVER_OPTIONS", "nonsense"),
    ],
)
def test_a_wrong_value_stops_the_boot_by_name_and_is_not_repeated(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"^PAILLASSE_{name} must ") as refused:
        Settings.from_environ({f"PAILLASSE_{name}": value})
    assert "hunter2" not in str(refused.value)


def test_a_secret_is_read_from_its_file(tmp_path: Path) -> None:
    (tmp_path / "proxy_token").write_text("abc\n")
    (tmp_path / "empty").write_text("\n")
    settings = Settings.from_environ({"PAILLASSE_SECRETS": str(tmp_path)})
    assert settings.secret("proxy_token") == "abc"
    for name in ("missing", "empty"):
        with pytest.raises(SettingsError, match="PAILLASSE_SECRETS.*" + name):
            settings.secret(name)
