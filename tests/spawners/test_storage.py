"""Who stands in the way of a start, and who may still write to a home."""

from __future__ import annotations

from typing import Any

from spawners import storage
from spawners.storage import Occupancy

HOME = "s-home-1"


def service(launch: str, *, person: str = "p", environment: str = "e", home: str = HOME) -> dict[str, Any]:
    marks = {
        storage.LABEL_LAUNCH: launch,
        storage.LABEL_PERSON: person,
        storage.LABEL_ENVIRONMENT: environment,
        storage.LABEL_SLUG: f"slug-{environment}",
        storage.LABEL_HOME: home,
    }
    return {"Spec": {"Labels": marks}}


def occupancy(*services: dict[str, Any], home: str | None = HOME) -> Occupancy:
    return storage.occupancy(services, person="p", environment="e", home=home, launch="new")


def test_nobody() -> None:
    assert occupancy() == Occupancy()
    assert occupancy(service("new")) == Occupancy(), "its own service is not in its way"


def test_a_trace_of_the_same_server_is_left_over() -> None:
    assert occupancy(service("old"), service("older")) == Occupancy(("old", "older"))


def test_another_environment_on_the_same_home_is_busy() -> None:
    assert occupancy(service("x", environment="other")) == Occupancy((), "slug-other")


def test_others_do_not_matter() -> None:
    assert occupancy(service("x", environment="other", home="s-home-2")) == Occupancy()
    assert occupancy(service("x", person="q")) == Occupancy()
    assert occupancy(service("x", environment="other", home=""), home=None) == Occupancy()


def task(home: str, state: str) -> dict[str, Any]:
    return {"Spec": {"ContainerSpec": {"Labels": {storage.LABEL_HOME: home}}}, "Status": {"State": state}}


def test_writers_are_compared_for_equality() -> None:
    tasks = [task(HOME, "running"), task(HOME, "failed"), task(HOME + "0", "running"), task(HOME, "assigned")]
    assert storage.writers(tasks, HOME) == 2


def test_a_path_is_a_bind_and_a_name_is_a_volume_with_its_driver() -> None:
    driver = storage.Driver("nfs", {"share": "x"})
    assert storage.operator_mount("/data", "/d", read_only=True, driver=driver)["Type"] == "bind"
    named = storage.operator_mount("data", "/d", read_only=True, driver=driver)
    assert named["Type"] == "volume"
    assert named["ReadOnly"] is True
    assert named["VolumeOptions"]["DriverConfig"] == {"Name": "nfs", "Options": {"share": "x"}}
