"""The Swarm service of a launch, by equality, and what each limit turns into."""

from __future__ import annotations

import pytest

from environments import Home, HomeKind
from spawners import service_spec, storage
from spawners.service_spec import Extras, Site
from tests.spawners.launches import LAUNCH, MB, launch, resources

SITE = Site("paillasse", "paillasse-users")
HUB = {"JUPYTERHUB_API_TOKEN": "t", "JUPYTERHUB_USER": "ada"}


def build(of=LAUNCH, site=SITE, **kw):
    return service_spec.build(of, site, image="sha256:0", hub=HUB, **kw)


def test_the_whole_service() -> None:
    marks = {
        "paillasse.stack": "paillasse",
        "paillasse.launch": "abcdefghij22",
        "paillasse.person": "person222222",
        "paillasse.environment": "envpython222",
        "paillasse.slug": "python-intro",
        "paillasse.home": "paillasse-home-homehome2222",
    }
    assert build() == {
        "name": "paillasse-abcdefghij22",
        "labels": marks,
        "endpoint_spec": {"Mode": "dnsrr"},
        "task_template": {
            "ContainerSpec": {
                "Image": "sha256:0",
                "Command": None,
                "Args": None,
                "Hostname": "python-intro",
                "Env": [
                    "OMP_NUM_THREADS=2",
                    "OPENBLAS_NUM_THREADS=2",
                    "MKL_NUM_THREADS=2",
                    "NUMEXPR_NUM_THREADS=2",
                    "LANG=fr_FR.UTF-8",
                    "LC_ALL=fr_FR.UTF-8",
                    "JUPYTERHUB_API_TOKEN=t",
                    "JUPYTERHUB_USER=ada",
                ],
                "Labels": marks,
                "StopGracePeriod": 10_000_000_000,
                "Mounts": [
                    {
                        "Type": "volume",
                        "Source": "paillasse-home-homehome2222",
                        "Target": "/home/student/work",
                        "ReadOnly": False,
                        "VolumeOptions": {
                            "Labels": {
                                "paillasse.stack": "paillasse",
                                "paillasse.home": "paillasse-home-homehome2222",
                                "paillasse.person": "person222222",
                            },
                            "DriverConfig": {"Name": "local"},
                        },
                    },
                    {
                        "Type": "tmpfs",
                        "Target": "/dev/shm",  # noqa: S108
                        "TmpfsOptions": {"SizeBytes": 128 * MB, "Mode": 0o1777},
                    },
                ],
                "Privileges": {"NoNewPrivileges": True},
                "Init": True,
                "CapabilityDrop": ["ALL"],
            },
            "Resources": {
                "Limits": {"NanoCPUs": 1_500_000_000, "MemoryBytes": 512 * MB, "Pids": 256},
                "Reservations": {"NanoCPUs": 100_000_000, "MemoryBytes": 64 * MB},
            },
            "RestartPolicy": {"Condition": "none"},
            "LogDriver": {"Name": "json-file", "Options": {"max-size": "10m", "max-file": "3"}},
            "Networks": [{"Target": "paillasse-users"}],
        },
    }


def test_a_start_has_a_name_of_its_own() -> None:
    assert build(launch(launch_id="zzzzzzzzzz22"))["name"] == "paillasse-zzzzzzzzzz22"


def test_without_a_home_nothing_is_mounted_or_locked() -> None:
    spec = build(launch(home=Home(HomeKind.NONE, ""), home_volume=None))
    assert "paillasse.home" not in spec["labels"]
    assert [mount["Type"] for mount in spec["task_template"]["ContainerSpec"]["Mounts"]] == ["tmpfs"]


def test_a_volume_driver_gets_its_options_with_the_volumes_name() -> None:
    driver = storage.Driver("local", {"type": "nfs", "o": "addr=10.0.0.1,rw", "device": ":/homes/{volume}"})
    mount = build(site=Site("paillasse", "n", driver))["task_template"]["ContainerSpec"]["Mounts"][0]
    assert mount["Type"] == "volume"
    assert mount["VolumeOptions"]["DriverConfig"] == {
        "Name": "local",
        "Options": {"type": "nfs", "o": "addr=10.0.0.1,rw", "device": ":/homes/paillasse-home-homehome2222"},
    }


@pytest.mark.parametrize(("limit", "threads"), [(0.25, "1"), (1, "1"), (1.5, "2"), (4, "4")])
def test_threads_follow_the_cpu_limit(limit: float, threads: str) -> None:
    found = service_spec.environment(launch(resources=resources(cpu_limit=limit)), {})
    assert {found[name] for name in service_spec.THREAD_VARIABLES} == {threads}


def test_a_teacher_may_set_variables_but_not_the_hubs() -> None:
    theirs = (
        ("OMP_NUM_THREADS", "7"),
        ("JUPYTERHUB_API_TOKEN", "stolen"),
        ("JPY_API_TOKEN", "stolen"),
        ("A", "b"),
    )
    found = service_spec.environment(launch(environment=theirs), HUB)
    assert found["OMP_NUM_THREADS"] == "7"
    assert found["A"] == "b"
    assert found["JUPYTERHUB_API_TOKEN"] == "t"
    assert "JPY_API_TOKEN" not in found


@pytest.mark.parametrize(
    ("language", "locale"), [("fr", "fr_FR.UTF-8"), ("en", "en_US.UTF-8"), ("de", "en_US.UTF-8")]
)
def test_locale(language: str, locale: str) -> None:
    assert service_spec.environment(launch(language=language), {})["LANG"] == locale


def test_a_limit_above_the_node_is_lowered_to_what_the_engine_accepts() -> None:
    wanted = launch(resources=resources(cpu_limit=64))
    assert build(wanted, cpus=2.0)["task_template"]["Resources"]["Limits"]["NanoCPUs"] == 2_000_000_000
    assert build(wanted)["task_template"]["Resources"]["Limits"]["NanoCPUs"] == 64_000_000_000


def test_a_command_replaces_the_images_own() -> None:
    container = build(launch(command=("jupyterhub-singleuser", "--debug")))["task_template"]["ContainerSpec"]
    assert container["Args"] == ["jupyterhub-singleuser", "--debug"]
    assert container["Command"] is None


def test_extra_specs_of_the_operator_win_and_keep_their_meaning() -> None:
    extras = Extras(
        container={"read_only": True, "cap_drop": ["NET_RAW"]},
        resources={"generic_resources": {"gpu": 1}},
        placement={"constraints": ["node.role==worker"]},
        task={"force_update": 1},
        endpoint={"mode": "vip"},
        create={"labels": {"a": "b"}},
        mounts=[storage.operator_mount("shared", "/shared", read_only=True, driver=storage.Driver())],
    )
    spec = build(extras=extras)
    task = spec["task_template"]
    assert task["ContainerSpec"]["ReadOnly"] is True
    assert task["ContainerSpec"]["CapabilityDrop"] == ["NET_RAW"]
    assert task["ContainerSpec"]["Mounts"][-1]["Type"] == "volume"
    assert task["Resources"]["Reservations"]["GenericResources"] == [
        {"DiscreteResourceSpec": {"Kind": "gpu", "Value": 1}}
    ]
    assert task["Resources"]["Limits"]["Pids"] == 256
    assert task["Placement"]["Constraints"] == ["node.role==worker"]
    assert task["ForceUpdate"] == 1
    assert spec["endpoint_spec"] == {"Mode": "vip"}
    assert spec["labels"] == {"a": "b"}
