"""The command line: `app` runs inside the platform, `host` on the machine that carries it."""
