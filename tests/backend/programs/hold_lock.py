"""Hold a lock until killed: hold_lock.py URL NAMESPACE NAME LEASE; says "held"."""

import sys
from dataclasses import replace

from seedqueue.backend.broker import Broker
from seedqueue.backend.pace import Pace


def main() -> None:
    url, namespace, name, lease = sys.argv[1:]
    with Broker(url, namespace, replace(Pace(), lock_lease=float(lease))).lock(name):
        print("held", flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
