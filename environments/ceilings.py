"""What the site allows at most: checked when an environment is written, kept again at every start."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fnmatch import fnmatchcase

from environments.errors import ImageNotAllowed, Problem, ResourcesTooLarge
from environments.quantities import format_duration, format_size
from environments.spec import EnvironmentSpec
from environments.values import Ceilings, IdlePolicy, Resources


def problems_above(spec: EnvironmentSpec, ceilings: Ceilings) -> tuple[Problem, ...]:
    """Every way in which the specification asks for more than the site allows."""
    return (*_image(spec.image, ceilings), *_sizes(spec, ceilings))


def check_image(image: str, ceilings: Ceilings) -> None:
    """Raises ImageNotAllowed."""
    for problem in _image(image, ceilings):
        raise ImageNotAllowed([problem], **problem.fields)


def lowered(resources: Resources, ceilings: Ceilings) -> Resources:
    """The same resources under ceilings that may have been lowered since the environment was written.

    Starting with less is better than not starting: the operator's change must not close every class.
    """
    cpu, memory = min(resources.cpu_limit, ceilings.cpu), min(resources.memory_limit, ceilings.memory)
    return Resources(
        cpu_limit=cpu,
        cpu_reservation=min(resources.cpu_reservation, cpu),
        memory_limit=memory,
        memory_reservation=min(resources.memory_reservation, memory),
        pids_limit=min(resources.pids_limit, ceilings.pids),
        shm_size=min(resources.shm_size, ceilings.shm),
    )


def shortened(policy: IdlePolicy, ceilings: Ceilings) -> IdlePolicy:
    """The same policy, with the site's longest duration."""
    limits = [limit for limit in (policy.max_duration, ceilings.max_duration) if limit is not None]
    return replace(policy, max_duration=min(limits, default=None))


def _image(image: str, ceilings: Ceilings) -> Iterator[Problem]:
    if not any(fnmatchcase(image, allowed) for allowed in ceilings.allowed_images):
        fields = {"image": image, "allowed": ", ".join(ceilings.allowed_images)}
        yield Problem("image", ImageNotAllowed.reason, ImageNotAllowed.message, fields=fields)


def _sizes(spec: EnvironmentSpec, ceilings: Ceilings) -> Iterator[Problem]:
    resources, longest = spec.resources, spec.idle.max_duration
    if resources.cpu > ceilings.cpu:
        yield _too_large("resources.cpu", f"{ceilings.cpu:g}")
    if resources.memory > ceilings.memory:
        yield _too_large("resources.memory", format_size(ceilings.memory))
    if resources.pids > ceilings.pids:
        yield _too_large("resources.pids", str(ceilings.pids))
    if resources.shm > ceilings.shm:
        yield _too_large("resources.shm", format_size(ceilings.shm))
    if ceilings.max_duration is not None and (longest is None or longest > ceilings.max_duration):
        yield _too_large("idle.max_duration", format_duration(ceilings.max_duration))


def _too_large(path: str, limit: str) -> Problem:
    return Problem(path, ResourcesTooLarge.reason, ResourcesTooLarge.message, fields={"limit": limit})
