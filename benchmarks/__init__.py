"""How fast and how dear a start is, each figure beside its reference on the same machine in the same run.

`python -m benchmarks` from the repository's root. README.md beside this file says what each figure means.
"""
