"""The engine edge: JupyterHub spawners that start environments, and the keeper of their traces."""
