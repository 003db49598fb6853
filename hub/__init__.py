"""The web edge: portal, worker, login and command line."""
