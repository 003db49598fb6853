"""How servers start: the spawner, by name, and what the site allows."""

from __future__ import annotations

from traitlets.config import Config

from config.settings import Settings

# Seconds a start may spend in the queue and waiting for its home, on top of the time to answer.
QUEUE = 1800
MARGIN = 15


def configure(c: Config, settings: Settings) -> None:
    """Set the traits of the spawner; the limits of one server come from its environment."""
    c.JupyterHub.spawner_class = "spawners.swarm.SwarmEnvironmentSpawner"
    spawner = c.SwarmEnvironmentSpawner
    spawner.stack = settings.stack
    spawner.database_url = settings.database_url
    spawner.language = settings.language
    spawner.activity_interval = settings.activity_interval
    spawner.home_grace = int(settings.home_grace.total_seconds())
    spawner.ceilings = {
        "cpu": settings.max_cpu,
        "memory": settings.max_memory,
        "pids": settings.max_pids,
        "shm": settings.max_shm,
        "max_duration": settings.max_duration,
        "allowed_images": settings.allowed_images,
        "servers_per_user": settings.servers_per_user,
    }
    spawner.network_name = settings.users_network
    spawner.use_internal_ip = True
    spawner.volume_driver = settings.home_driver
    spawner.volume_driver_options = dict(settings.home_driver_options)
    spawner.start_concurrency = settings.start_concurrency
    spawner.answer_timeout = settings.start_timeout
    # The Hub's own clock runs in the queue, too; ours names the cause, so it must end first.
    spawner.start_timeout = QUEUE + settings.start_timeout + MARGIN
    # The start returned because the server answered: the Hub's own look is the second.
    spawner.http_timeout = 30
