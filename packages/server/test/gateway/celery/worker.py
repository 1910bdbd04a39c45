"""A worker of Celery, as services of the gateway have them."""

import os
import time

from celery import Celery

app = Celery("worker", broker=os.environ["BROKER"], backend=os.environ["BACKEND"])
app.conf.update(
    accept_content=["json"],
    task_serializer="json",
    result_serializer="json",
    task_track_started=True,
    worker_prefetch_multiplier=1,
    task_queue_max_priority=int(os.environ["MAX_PRIORITY"] or 0) or None,
)


def note(line):
    with open(os.environ["LOG"], "a") as log:
        log.write(line + "\n")


class DownloadError(Exception):
    pass


@app.task(name="worker.other")
def other(message):
    return {"other": message["service"]["misc"]}


@app.task(name="worker.stub", bind=True)
def stub(self, message):
    misc = message["service"]["misc"]
    note(self.request.id)
    if "fail" in misc:
        raise DownloadError("no such document: é")
    if "again" in misc and self.request.retries == 0:
        raise self.retry(countdown=0)
    if "silent" in misc:
        while True:
            time.sleep(0.05)
    if "wait" in misc:
        version = misc.get("version", "0.4.1")
        meta = {"current": 40, "total": 100, "worker_id_version": version, "host": "gpu", "type": "stub"}
        self.update_state(state="PROGRESS", meta=meta)
        while not os.path.exists(misc["wait"]):
            time.sleep(0.05)
    note(self.request.id + " done")
    return {"result": {"type": "Useless", "value": message, "confidence": float("nan")}}
