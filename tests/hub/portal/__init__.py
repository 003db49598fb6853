"""The portal over HTTP, against a Hub and a keeper that keep their contracts."""
