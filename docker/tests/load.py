#!/usr/bin/env python3
"""Load for rolling-restart.sh: four reads and one create in five requests, at a fixed rate, until SIGTERM.

load.py URL RATE, with the access token in TOKEN. Waits for what is in flight, then prints a JSON object. Keeps its connections
open, as a proxy does, and tries nothing twice.
"""

import http.client
import itertools
import json
import os
import signal
import sys
import threading
import time
from urllib.parse import urlsplit

WORKERS = 20
TIMEOUT = 15

stop = threading.Event()
ticket = itertools.count()
lock = threading.Lock()
milliseconds = []
created = 0
failures = []


def request(connection, number, headers):
    """One request; returns the status."""
    if number % 5 == 0:
        connection.request("POST", "/api/leads", '{"first_name": "Rolling", "source": "referral"}', headers)
    else:
        connection.request("GET", "/api/leads?limit=10", headers=headers)
    answer = connection.getresponse()
    answer.read()
    return answer.status


def work(address, rate, began):
    """Takes the next free slot of the timetable, waits for its time and uses it."""
    global created
    headers = {"authorization": "Bearer " + os.environ["TOKEN"], "content-type": "application/json"}
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=TIMEOUT)
    while not stop.is_set():
        number = next(ticket)
        if stop.wait(max(0, began + number / rate - time.monotonic())):
            break
        sent = time.monotonic()
        try:
            status = request(connection, number, headers)
        except (OSError, http.client.HTTPException) as error:
            status = repr(error)
            connection.close()
        with lock:
            milliseconds.append((time.monotonic() - sent) * 1000)
            created += status == 201
            if status not in (200, 201):
                failures.append(str(status))


def main():
    address, rate = urlsplit(sys.argv[1]), float(sys.argv[2])
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    began = time.monotonic()
    workers = [threading.Thread(target=work, args=(address, rate, began)) for _ in range(WORKERS)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    milliseconds.sort()
    print(json.dumps({
        "requests": len(milliseconds),
        "seconds": time.monotonic() - began,
        "failed": len(failures),
        "failures": sorted(set(failures)),
        "created": created,
        "p99_ms": milliseconds[int(len(milliseconds) * 0.99)] if milliseconds else 0,
    }))


main()
