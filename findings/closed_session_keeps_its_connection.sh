#!/usr/bin/env bash
# A requests session that is closed leaves its idle connections open as long as an exception of an earlier request is kept:
# urllib3 2 closes a pool's connections when the pool is collected, and the exception's traceback knows the pool. A server
# that lets clients' idle connections end by themselves waits for it.
#
# Versions: requests 2.34.2, urllib3 2.8.0.
# Seen: the server's side is open after `close()`, and closed once the exception is let go of; without an exception that is
# kept it is closed by `close()`.
# Fails when that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install requests==2.34.2 urllib3==2.8.0
cd "$folder"
cat >look.py <<'PYTHON'
import gc
import select
import socket
import threading

import requests

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK"


def is_open(side):
    """Whether the client has not closed its side, given a moment for that."""
    readable, _, _ = select.select([side], [], [], 0.5)
    return not readable or side.recv(1) != b""


def ask(keep):
    """A session whose first request fails and whose second is answered; is its connection open after close()?"""
    gc.disable()
    session = requests.Session()
    session.trust_env = False
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        kept = []
        try:
            session.get(url, timeout=5)  # nobody listens yet
        except requests.ConnectionError as error:
            kept.append(error if keep else None)
        gc.collect()
        listener.listen()
        listener.settimeout(5)
        sides = []

        def serve():
            side, _ = listener.accept()
            side.recv(65536)
            side.sendall(ANSWER)
            sides.append(side)

        server = threading.Thread(target=serve)
        server.start()
        session.get(url, timeout=5)
        server.join(5)
        (side,) = sides
        session.close()
        after_close = is_open(side)
        kept.clear()
        gc.collect()
        after_all = is_open(side) if after_close else False
        side.close()
    return after_close, after_all


print("kept:", *ask(True))
print("not kept:", *ask(False))
PYTHON
seen=$(venv/bin/python look.py)
printf '%s\n' "$seen"
[[ $seen == 'kept: True False
not kept: False False' ]]
