"""The process that owns a running PostgreSQL and stops it when nobody uses it any more.

Every user of the cluster holds a shared lock on one file; the keeper waits for the exclusive lock.
The kernel drops a lock with its process, however that dies, so a killed site leaves no server
behind, and a command that started the server may go before a site that came later. Run by file
name with a bare interpreter: it imports the standard library alone and starts in milliseconds.
"""

from __future__ import annotations

import ctypes
import fcntl
import json
import os
import signal
import subprocess
import sys
import threading
from typing import Any

PR_SET_PDEATHSIG = 1


def _die_with_keeper(keeper: int) -> None:
    """In the child: have the kernel send a fast shutdown when the keeper itself is killed."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGINT)
        if os.getppid() != keeper:
            os._exit(1)


def main(order: dict[str, Any]) -> int:
    """Run PostgreSQL until it ends by itself or its last user is gone."""
    keeper = os.getpid()
    identity = (
        {"user": order["uid"], "group": order["gid"], "extra_groups": []}
        if os.geteuid() == 0
        else {}
    )
    with open(order["log"], "ab") as log:  # noqa: PTH123 -- pathlib costs start-up time
        server = subprocess.Popen(
            order["command"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd="/",
            env=order["environment"],
            # The keeper has one thread here, so code between fork and exec is safe.
            preexec_fn=lambda: _die_with_keeper(keeper),  # noqa: PLW1509
            **identity,
        )

    def fast_shutdown(*_: object) -> None:
        server.send_signal(signal.SIGINT)

    signal.signal(signal.SIGTERM, fast_shutdown)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)

    def wait_for_last_user() -> None:
        descriptor = os.open(order["users_lock"], os.O_RDWR)
        fcntl.flock(descriptor, fcntl.LOCK_EX)  # held until we exit: newcomers wait for our end
        fast_shutdown()

    threading.Thread(target=wait_for_last_user, daemon=True).start()
    return server.wait()


if __name__ == "__main__":
    sys.exit(main(json.loads(sys.argv[1])))
