"""A worker for vConductor, with Python's standard library only: copy this file beside your own.

    from vconductor_worker import Worker, JobFailed

    def handler(job, context):
        context.progress(50, "half")
        return {"parameters": {"seen": True}}

    Worker(url="http://127.0.0.1:8000", queue="my-queue", handler=handler).run()

The worker claims jobs, keeps them with heartbeats while the handler works, and tells the server how they came out. When
the server is away it goes on with what it has, and tries until the server is back. SIGTERM and SIGINT let the jobs in
hand finish for `drain_seconds`; then they go back to their queue. Python 3.9 or later.
"""

import http.client
import json
import random
import signal
import socket
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from concurrent.futures import ThreadPoolExecutor

CLAIM_WAIT_SECONDS = 20
PROGRESS_SECONDS = 0.3
LONGEST_PAUSE_SECONDS = 10


class JobFailed(Exception):
    """Raised by a handler to say more about a failure than a message."""

    def __init__(self, message, code="worker_failed", retryable=True):
        super().__init__(message)
        self.code = code
        self.retryable = retryable


class JobStopped(Exception):
    """Raised by `context.check()` and `context.sleep()` when the job is to stop."""


class ApiError(Exception):
    """The server's answer to a request that failed."""

    def __init__(self, status, body):
        self.status = status
        self.code = body.get("code") if isinstance(body, dict) else None
        super().__init__(f"{status} {body.get('detail') if isinstance(body, dict) else body}")

    @property
    def is_over(self):
        """The job is another worker's, or nobody's."""
        return self.code in ("run_not_active", "run_not_found")

    @property
    def is_passing(self):
        return self.status >= 500 or self.status in (408, 429)


class Client:
    """Requests to the REST API; answers are JSON."""

    def __init__(self, url, token=None):
        self.url = url.rstrip("/")
        self.headers = {"Content-Type": "application/json"}
        if token:
            self.headers["Authorization"] = f"Bearer {token}"

    def request(self, method, path, body=None, timeout=30):
        """Raises ApiError, or OSError when there was no answer, or not all of it."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data=data, method=method, headers=self.headers)
        try:
            status, text = self._send(request, timeout)
        except http.client.HTTPException as error:
            raise OSError(f"the answer broke off: {error!r}") from error
        if status < 300:
            return json.loads(text) if text else None
        try:
            reason = json.loads(text)
        except ValueError:
            reason = text.decode(errors="replace")
        raise ApiError(status, reason)

    @staticmethod
    def _send(request, timeout):
        try:
            with urllib.request.urlopen(request, timeout=timeout) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()

    def make_queue(self, name):
        """Makes a queue for remote workers; one that is there already stays as it is."""
        try:
            self.request("POST", f"/queue/{urllib.parse.quote(name, safe='')}?kind=remote")
        except ApiError as error:
            if error.code != "queue_exists":
                raise


class Context:
    """What a handler gets beside its job."""

    def __init__(self):
        self._stop = threading.Event()
        self._news = threading.Event()
        self._progress = {}
        self._jobs = []
        self.reason = None

    def progress(self, percent, message=None):
        """How far the job is, 0 to 100, and what it is doing. Sent with the next heartbeat, soon."""
        self._progress = {"progress": max(0, min(100, percent)), **({"message": message[:2000]} if message else {})}
        self._news.set()

    def queue_job(self, queue, payload=None, vcon_uuid=()):
        """A job to queue when this one is done: all of them with its end, or none."""
        self._jobs.append({"queue": queue, "payload": payload, "vcon_uuid": list(vcon_uuid)})

    @property
    def stopped(self):
        """Whether the job is to stop; `reason` is then cancelled, lost or stopping."""
        return self._stop.is_set()

    def check(self):
        """Raises JobStopped when the job is to stop: call it in long loops."""
        if self.stopped:
            raise JobStopped(self.reason)

    def sleep(self, seconds):
        """As time.sleep, but raises JobStopped as soon as the job is to stop."""
        if self._stop.wait(seconds):
            raise JobStopped(self.reason)

    def stop(self, reason):
        self.reason = self.reason or reason
        self._stop.set()
        self._news.set()


class Worker:
    """Takes jobs out of a queue and does them, until it is stopped.

    queue            made with POST /queue/NAME?kind=remote, or Client.make_queue
    handler          handler(job, context): what it returns is the result; what it raises is why the job failed
    concurrency      jobs at the same time, each in a thread of its own
    name             its name on the server
    lease_seconds    how long the server waits without a heartbeat before it gives a job to another worker
    drain_seconds    how long jobs may go on when the worker is told to stop
    """

    def __init__(
        self, url, queue, handler, token=None, concurrency=1, name=None, info=None, lease_seconds=30, drain_seconds=30, log=None
    ):
        self.client = Client(url, token)
        self.queue = queue
        self.handler = handler
        self.concurrency = concurrency
        self.name = name or socket.gethostname()
        self.info = info
        self.lease_seconds = lease_seconds
        self.drain_seconds = drain_seconds
        self.log = log or (lambda text: print(f"{time.strftime('%Y-%m-%dT%H:%M:%S')} {queue}: {text}", file=sys.stderr, flush=True))
        self._stopping = threading.Event()
        self._free = threading.Semaphore(concurrency)
        self._running = set()
        self._lock = threading.Lock()

    def stop(self, *_):
        """Takes no more jobs; `run` returns once those in hand have ended."""
        self._stopping.set()

    def run(self, handle_signals=True):
        """Works until it is stopped. Raises ApiError when the server will not have it: a bad token, a queue of another kind."""
        if handle_signals:
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, self.stop)
        claiming = threading.Thread(target=self._claim_until_stopped, daemon=True)
        self._refused = None
        self._pool = ThreadPoolExecutor(self.concurrency)
        self.log("started")
        claiming.start()
        # Not join(): the main thread is to hear of signals.
        while not self._stopping.wait(0.2):
            if not claiming.is_alive():
                break
        self.log("stopping")
        deadline = time.monotonic() + self.drain_seconds
        while self._running and time.monotonic() < deadline:
            time.sleep(0.05)
        with self._lock:
            for context in self._running:
                context.stop("stopping")
        # A claim that is on its way may still bring jobs: they are handed back.
        claiming.join(timeout=2)
        self._pool.shutdown(wait=True)
        if self._refused is not None:
            raise self._refused

    def _claim_until_stopped(self):
        pause = Pause()
        path = f"/work/{urllib.parse.quote(self.queue, safe='')}/claim"
        while not self._stopping.is_set():
            if not self._free.acquire(timeout=0.2):
                continue
            count = 1
            while self._free.acquire(blocking=False):
                count += 1
            body = {"worker": self.name, "count": min(count, 100), "wait": CLAIM_WAIT_SECONDS, "lease": self.lease_seconds}
            if self.info:
                body["info"] = self.info
            jobs = []
            try:
                jobs = self.client.request("POST", path, body, timeout=CLAIM_WAIT_SECONDS + 30)["jobs"]
                pause.reset()
            except ApiError as error:
                if error.status in (401, 403, 422):
                    self._refused = error
                    return
                self.log(f"unreachable: {error}")
                pause.wait(self._stopping)
            except (OSError, ValueError) as error:
                self.log(f"unreachable: {error}")
                pause.wait(self._stopping)
            for _ in range(count - len(jobs)):
                self._free.release()
            for job in jobs:
                self._begin(job)

    def _begin(self, job):
        if self._stopping.is_set():
            self._tell(job, "release", {"reason": "its worker stops"}, Context())
            self._free.release()
            return
        context = Context()
        with self._lock:
            self._running.add(context)
        self._pool.submit(self._do, job, context)

    def _do(self, job, context):
        ended = threading.Event()
        beating = threading.Thread(target=self._beat, args=(job, context, ended), daemon=True)
        beating.start()
        try:
            try:
                result = self.handler(job, context)
                body = {"result": result, "queue_jobs": context._jobs}
                self._tell(job, "complete", body, context)
            except Exception as error:  # Whatever a handler raises is why its job failed.
                self._failed(job, error, context)
        finally:
            ended.set()
            context._news.set()
            with self._lock:
                self._running.discard(context)
            self._free.release()

    def _failed(self, job, error, context):
        if context.reason == "stopping":
            self._tell(job, "release", {"reason": "its worker stops"}, context)
            return
        # What the server takes as the reason of a failure.
        reason = (str(error) or type(error).__name__).replace("\0", "").encode(errors="replace").decode()[:10_000]
        message = "cancelled" if context.stopped else reason
        body = {
            "message": message,
            "code": getattr(error, "code", None) if isinstance(error, JobFailed) else "worker_failed",
            "retryable": error.retryable if isinstance(error, JobFailed) else True,
        }
        self._tell(job, "fail", body, context)

    def _tell(self, job, ending, body, context):
        """As often as it takes: an ending may be told twice."""
        pause = Pause()
        tries = 0
        while context.reason != "lost":
            tries += 1
            try:
                self.client.request("POST", f"/work/runs/{job['run_id']}/{ending}", body)
                self.log(f"job {job['job_id']} {ending}{': ' + body['message'] if ending == 'fail' else ''}")
                return
            except ApiError as error:
                if error.is_over:
                    break
                if not error.is_passing:
                    self.log(f"job {job['job_id']} {ending}: {error}")
                    if ending != "fail":
                        self._tell(job, "fail", {"message": str(error), "retryable": False}, context)
                    return
                self.log(f"unreachable: {error}")
            except OSError as error:
                self.log(f"unreachable: {error}")
            # A worker is not kept from stopping by a server that is away: the job goes back when its lease has run out.
            if context.reason == "stopping" and tries >= 5:
                return
            pause.wait(threading.Event())
        self.log(f"job {job['job_id']} lost: another worker has it")

    def _beat(self, job, context, ended):
        wait = self.lease_seconds / 3
        while True:
            if context._news.wait(wait) and not ended.is_set():
                ended.wait(PROGRESS_SECONDS)
            if ended.is_set():
                return
            context._news.clear()
            news, context._progress = context._progress, {}
            wait = self.lease_seconds / 3
            try:
                path = f"/work/runs/{job['run_id']}/heartbeat"
                told = self.client.request("POST", path, {"lease": self.lease_seconds, **news}, timeout=10)
                if told["cancelled"]:
                    context.stop("cancelled")
                    context._news.clear()
            except ApiError as error:
                if error.is_over:
                    context.stop("lost")
                    return
                wait = min(wait, 1)
            except OSError:
                context._progress = {**news, **context._progress}
                wait = min(wait, 1)


class Pause:
    """Waits between tries: longer each time, and not all workers at the same moment."""

    def __init__(self):
        self.reset()

    def reset(self):
        self._seconds = 0.2

    def wait(self, stop):
        stop.wait(self._seconds * (0.5 + random.random()))
        self._seconds = min(LONGEST_PAUSE_SECONDS, self._seconds * 2)
