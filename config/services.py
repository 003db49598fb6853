"""The Hub's services and what each token may do: roles and scopes, as narrow as they can be."""

from __future__ import annotations

from traitlets.config import Config

from config.settings import Settings

# What the portal may do with the token of the person who looks at it: see and run their own servers.
ON_BEHALF = [
    "access:services!service=portal",
    "read:users:name!user",
    "read:servers!user",
    "start:servers!user",
    "delete:servers!user",
]


def configure(c: Config, settings: Settings) -> None:
    """Set services and roles. The portal's own token may do nothing: it acts with the person's."""
    c.JupyterHub.services = [
        {
            "name": "portal",
            "url": settings.portal_url,
            "api_token": settings.secret("portal_token"),
            "oauth_client_id": "service-portal",
            "oauth_redirect_uri": "/services/portal/oauth_callback",
            "oauth_no_confirm": True,
            "oauth_client_allowed_scopes": ON_BEHALF,
            "display": False,
            # Seconds the Hub waits for it at boot before it writes any route: a dead portal must cost little.
            "timeout": 1,
        },
        {"name": "worker", "api_token": settings.secret("worker_token")},
    ]
    c.JupyterHub.load_roles = [
        {"name": "user", "scopes": ["self", "access:services!service=portal"]},
        # In a student's server lies a token that says when it was last used, and nothing else.
        {"name": "server", "scopes": ["users:activity!user"]},
        {
            "name": "worker",
            "scopes": ["list:users", "read:servers", "delete:servers", "proxy"],
            "services": ["worker"],
        },
    ]
