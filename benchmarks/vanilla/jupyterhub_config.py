"""JupyterHub with SwarmSpawner, by the book: https://jupyterhub-dockerspawner.readthedocs.io."""

import json
import os

c = get_config()  # noqa: F821 – given by JupyterHub

c.JupyterHub.hub_ip = "0.0.0.0"  # noqa: S104 – every network of the Hub's container, as documented
c.JupyterHub.hub_connect_ip = os.environ["BENCH_HUB"]
c.JupyterHub.db_url = "sqlite:////tmp/jupyterhub.sqlite"
c.JupyterHub.cookie_secret_file = "/tmp/cookie_secret"  # noqa: S108 – a container's own /tmp

c.ConfigurableHTTPProxy.should_start = False
c.ConfigurableHTTPProxy.api_url = os.environ["BENCH_PROXY_API"]

c.JupyterHub.authenticator_class = "dummy"
c.Authenticator.allow_all = True
c.JupyterHub.services = [{"name": "benchmark", "api_token": os.environ["BENCH_TOKEN"]}]
c.JupyterHub.load_roles = [
    {
        "name": "benchmark",
        "services": ["benchmark"],
        "scopes": ["admin:users", "admin:servers", "tokens", "read:servers", "access:servers"],
    }
]

c.JupyterHub.spawner_class = "dockerspawner.SwarmSpawner"
c.SwarmSpawner.network_name = os.environ["BENCH_NETWORK"]
c.SwarmSpawner.image = os.environ["BENCH_IMAGE"]
c.SwarmSpawner.prefix = "bench-vanilla"
# The only departure from the book: a kernel without IPVS has no virtual addresses.
c.SwarmSpawner.extra_endpoint_spec = {"mode": "dnsrr"}


async def choose_command(spawner):
    """Let the benchmark ask for JupyterHub's own command instead of the image's."""
    spawner.cmd = [spawner.user_options["command"]] if spawner.user_options.get("command") else None


c.SwarmSpawner.pre_spawn_hook = choose_command

limits = json.loads(os.environ["BENCH_RESOURCES"])
c.SwarmSpawner.cpu_limit = limits["cpu"]
c.SwarmSpawner.cpu_guarantee = limits["cpu_reservation"]
c.SwarmSpawner.mem_limit = limits["memory"]
c.SwarmSpawner.mem_guarantee = limits["memory_reservation"]
