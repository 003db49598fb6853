"""What the machine's settings turn into: traits that exist, read by the class that is named."""

from __future__ import annotations

from pathlib import Path

from traitlets.config import Config
from traitlets.utils.importstring import import_item

from config import spawning
from config.settings import Settings
from environments import Ceilings


def configured(**environ: str) -> Config:
    c = Config()
    spawning.configure(
        c, Settings.from_environ({f"PAILLASSE_{key}": value for key, value in environ.items()})
    )
    return c


def test_every_trait_that_is_set_exists(tmp_path: Path) -> None:
    c = configured(DATA=str(tmp_path))
    kind = import_item(c.JupyterHub.spawner_class)
    assert kind.__name__ in c
    assert set(c[kind.__name__]) <= set(kind.class_trait_names(config=True))


def test_the_ceilings_are_those_of_the_domain() -> None:
    ceilings = Ceilings(**configured(MAX_CPU="3", SERVERS_PER_USER="2").SwarmEnvironmentSpawner.ceilings)
    assert (ceilings.cpu, ceilings.servers_per_user) == (3.0, 2)


def test_homes_follow_the_sites_driver() -> None:
    spawner = configured(
        HOME_DRIVER="local", HOME_DRIVER_OPTIONS=r"type=nfs,o=addr=10.0.0.1\,rw,device=:/homes/{volume}"
    ).SwarmEnvironmentSpawner
    assert spawner.volume_driver_options == {
        "type": "nfs",
        "o": "addr=10.0.0.1,rw",
        "device": ":/homes/{volume}",
    }


def test_our_clock_ends_before_the_hubs_even_after_the_queue() -> None:
    spawner = configured(START_TIMEOUT="60").SwarmEnvironmentSpawner
    assert spawner.answer_timeout == 60
    assert spawner.start_timeout > spawning.QUEUE + 60
