"""Small acts on the engine that the ways to start share."""

from __future__ import annotations

import ipaddress

import docker
from docker.errors import NotFound
from docker.types import IPAMConfig, IPAMPool

from benchmarks.harness import until

GONE_SECONDS = 60.0
POOL = ipaddress.ip_network("10.192.0.0/12")
SUBNET_BITS = 20


def make_network(client: docker.DockerClient, name: str) -> None:
    """An attachable overlay of the size `./paillasse up` makes; one left by an earlier run is used again."""
    if client.networks.list(names=[name]):
        return
    used = [
        ipaddress.ip_network(pool["Subnet"])
        for network in client.networks.list()
        for pool in network.attrs["IPAM"].get("Config") or ()
        if "Subnet" in pool and ":" not in pool["Subnet"]
    ]
    free = next(net for net in POOL.subnets(new_prefix=SUBNET_BITS) if not any(map(net.overlaps, used)))
    ipam = IPAMConfig(pool_configs=[IPAMPool(subnet=str(free))])
    client.networks.create(name, driver="overlay", attachable=True, ipam=ipam)


def remove_network(client: docker.DockerClient, name: str) -> None:
    """Remove a network of ours; the engine lists it for a moment longer, when it cannot be used any more."""
    for network in client.networks.list(names=[name]):
        network.remove()
    until(lambda: not client.networks.list(names=[name]), GONE_SECONDS, f"the network {name} is still there")


def containers(client: docker.DockerClient, service_prefix: str) -> list[str]:
    """Containers, running or not, of the services whose names begin so."""
    label = "com.docker.swarm.service.name"
    return [
        each.id
        for each in client.containers.list(all=True, filters={"label": label}, ignore_removed=True)
        if each.labels[label].startswith(service_prefix)
    ]


def remove_services(client: docker.DockerClient, prefix: str) -> None:
    """Remove the services whose names begin so, and wait until their containers are gone."""
    for service in client.services.list(filters={"name": prefix}):
        if service.name.startswith(prefix):
            service.remove()
    wait_gone(client, prefix)


def wait_gone(client: docker.DockerClient, prefix: str) -> None:
    """Wait until no container of these services is left."""
    until(lambda: not containers(client, prefix), GONE_SECONDS, f"containers of {prefix}… are still there")


def remove_volumes(client: docker.DockerClient, prefix: str) -> None:
    """Remove the volumes whose names begin so."""
    for volume in client.volumes.list(filters={"name": prefix}):
        if volume.name.startswith(prefix):
            volume.remove()


def remove_container(client: docker.DockerClient, name: str) -> None:
    """Remove a container of ours, if it is there."""
    try:
        client.containers.get(name).remove(force=True)
    except NotFound:
        return
