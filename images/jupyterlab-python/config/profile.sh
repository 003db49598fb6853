# A terminal opens a login shell, for which Debian's /etc/profile sets PATH anew.
PATH="/opt/venv/bin:$PATH:$HOME/.local/bin"
