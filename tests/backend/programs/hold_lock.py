"""Hold a lock until killed: hold_lock.py URL NAMESPACE NAME LEASE; says "held"."""

import sys

from seedqueue.backend import broker


def main() -> None:
    url, namespace, name, lease = sys.argv[1:]
    broker.LOCK_LEASE = float(lease)
    with broker.Broker(url, namespace).lock(name):
        print("held", flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
