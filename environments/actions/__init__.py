"""Domain writes, one file per concern: each `action(session, …values…, now)` is one transaction."""
