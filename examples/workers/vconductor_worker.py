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

import email.utils
import http.client
import json
import random
import re
import signal
import socket
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

CLAIM_WAIT_SECONDS = 20
PROGRESS_SECONDS = 0.3
AGAIN_SECONDS = 1
LONGEST_PAUSE_SECONDS = 10
# A server, or what stands before it, does not keep a worker away for longer than this by its Retry-After.
LONGEST_ASKED_PAUSE_SECONDS = 60
# When the time to finish is up, handlers have so long to obey, and then the server so long to hear of what goes back.
GRACE_SECONDS, PARTING_SECONDS = 2, 3
# What the server takes as the reason of a failure, and as what a job is doing.
LONGEST_REASON = 10_000
SHORT_REASON = 200
LONGEST_MESSAGE = 2000


class JobFailed(Exception):
    """Raised by a handler to say more about a failure than a message.

    code: for programs; lower case letters, digits and `_`, a letter first, at most 100. Raises ValueError when it is none.
    """

    def __init__(self, message, code="worker_failed", retryable=True):
        super().__init__(message)
        if not isinstance(code, str) or not re.fullmatch("[a-z][a-z0-9_]{0,99}", code):
            raise ValueError(
                f"the code {code!r} of a JobFailed is not up to 100 of a-z, 0-9 and _ with a letter first (its message: {message})"
            )
        self.code = code
        self.retryable = retryable


class JobStopped(Exception):
    """Raised by `context.check()` and `context.sleep()` when the job is to stop."""


class ApiError(Exception):
    """The server's answer to a request that failed."""

    def __init__(self, status, body, retry_after=None):
        self.status = status
        self.retry_after = retry_after  # seconds, if the answer says so
        self.code = body.get("code") if isinstance(body, dict) else None
        super().__init__(f"{status} {body.get('detail') if isinstance(body, dict) else body}")

    @property
    def is_over(self):
        """The job is another worker's, or nobody's."""
        return self.code in ("run_not_active", "run_not_found")

    @property
    def is_passing(self):
        return self.status >= 500 or self.status in (408, 429)


class UnsendableError(ValueError):
    """What was to be sent cannot be written as JSON: a set, NaN, something that holds itself. Nothing was sent."""


class Client:
    """Requests to the REST API; answers are JSON."""

    def __init__(self, url, token=None):
        self.url = url.rstrip("/")
        self.headers = {"Content-Type": "application/json"}
        if token:
            self.headers["Authorization"] = f"Bearer {token}"

    def request(self, method, path, body=None, timeout=30):
        """Raises ApiError, UnsendableError, or OSError when there was no answer, or not all of it, or one that is no JSON."""
        try:
            data = None if body is None else json.dumps(body, allow_nan=False).encode()
        except (TypeError, ValueError, RecursionError) as error:
            raise UnsendableError(f"{method} {path}: the body cannot be written as JSON: {error}") from error
        request = urllib.request.Request(self.url + path, data=data, method=method, headers=self.headers)
        try:
            status, headers, text = self._send(request, timeout)
        except http.client.HTTPException as error:
            raise OSError(f"the answer broke off: {error!r}") from error
        try:
            answer = json.loads(text) if text else None
        except ValueError as error:
            if status < 300:
                raise OSError(f"the answer is no JSON: {error}") from error
            answer = text.decode(errors="replace")
        if status < 300:
            return answer
        raise ApiError(status, answer, _seconds(headers.get("Retry-After")))

    @staticmethod
    def _send(request, timeout):
        try:
            with urllib.request.urlopen(request, timeout=timeout) as answer:
                return answer.status, answer.headers, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.headers, error.read()

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
        self._ending = threading.Lock()
        self.reason = None

    def progress(self, percent, message=None):
        """How far the job is, 0 to 100, and what it is doing. Sent with the next heartbeat, soon."""
        text = _clean(message or "", LONGEST_MESSAGE)
        # float(): the heartbeat is to send it, whatever kind of number it is. Not a number is no progress.
        percent = float(percent)
        percent = max(0, min(100, percent)) if percent == percent else 0
        self._progress = {"progress": percent, **({"message": text} if text else {})}
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

    def may_end(self):
        """True for the first who asks, who then says how the job came out."""
        return self._ending.acquire(blocking=False)


class Worker:
    """Takes jobs out of a queue and does them, until it is stopped.

    queue            made with POST /queue/NAME?kind=remote, or Client.make_queue
    handler          handler(job, context): what it returns is the result; what it raises is why the job failed
    concurrency      jobs at the same time, each in a thread of its own
    name             its name on the server, by default the host's. Several under one name keep their jobs apart, but are
                     shown as one and disabled as one
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
        self._log = log or (lambda text: print(f"{time.strftime('%Y-%m-%dT%H:%M:%S')} {queue}: {text}", file=sys.stderr, flush=True))
        self._outage = Outage(self.log)
        self._stopping = threading.Event()
        self._parted = threading.Event()  # nothing is tried again
        self._free = threading.Semaphore(concurrency)
        self._running = {}
        self._changed = threading.Condition()
        self._refused = None

    def log(self, text):
        """Nothing that goes wrong here is a reason to leave a job."""
        try:
            self._log(text)
        except Exception:
            pass

    def stop(self, *_):
        """Takes no more jobs; `run` returns once those in hand have ended."""
        self._stopping.set()

    def run(self, handle_signals=True):
        """Works until it is stopped. Raises ApiError when the server will not have it: a bad token, a queue of another kind.

        Returns a few seconds after `drain_seconds` at the latest. A handler that does not look at `context` is left behind
        then: its job goes back to its queue, and what it returns is not sent.
        """
        if handle_signals:
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, self.stop)
        self.log("started")
        claiming = _start(self._claim_until_stopped)
        # Not join(): the main thread is to hear of signals.
        while claiming.is_alive() and not self._stopping.wait(0.2):
            pass
        self.log("stopping")
        self._outage.gone("claim")
        for context, _ in self._left_after(self.drain_seconds):
            context.stop("stopping")
        for context, job in self._left_after(GRACE_SECONDS):
            if context.may_end():
                _start(self._end, job, *HAND_BACK, context)
        # A claim that is on its way may still bring jobs: they are handed back.
        claiming.join(timeout=2)
        self._left_after(PARTING_SECONDS)
        self._parted.set()
        if self._refused is not None:
            raise self._refused

    def _left_after(self, seconds):
        """The jobs that are in hand after so long: none as soon as there are none."""
        with self._changed:
            self._changed.wait_for(lambda: not self._running, timeout=min(seconds, threading.TIMEOUT_MAX))
            return list(self._running.items())

    def _claim_until_stopped(self):
        pause, wait, state = Pause(), CLAIM_WAIT_SECONDS, None
        while not self._stopping.is_set():
            if not self._free.acquire(timeout=0.2):
                continue
            count = 1
            while self._free.acquire(blocking=False):
                count += 1
            jobs = []
            try:
                jobs, became = self._claim(count, wait)
                self._outage.answered("claim")
                pause.reset()
                wait = CLAIM_WAIT_SECONDS
            except Exception as error:  # Whatever comes in place of an answer, this thread is to outlive it.
                if isinstance(error, UnsendableError) or getattr(error, "status", None) in (401, 403, 422):
                    self._refused = error
                    return
                if getattr(error, "code", None) == "queue_not_found":
                    self._outage.answered("claim")
                    became = "there is no such queue yet; it is asked for again until there is"
                else:
                    self._outage.failed("claim", error)
                    became = None
                # The next one is to hear at once whether the server is back.
                wait = 0
                pause.wait(error, self._stopping)
            if became and became != state:
                self.log(became)
            state = became
            for _ in range(count - len(jobs)):
                self._free.release()
            for job in jobs:
                self._begin(job)

    def _claim(self, count, wait):
        """Jobs, and what became of the worker: None when it is as usual."""
        path = f"/work/{urllib.parse.quote(self.queue, safe='')}/claim"
        body = {"worker": self.name, "count": min(count, 100), "wait": wait, "lease": self.lease_seconds}
        if self.info:
            body["info"] = self.info
        answer = self.client.request("POST", path, body, timeout=wait + 30)
        # Between us and the server may be others, who answer with something else.
        jobs = answer.get("jobs") if isinstance(answer, dict) else None
        if not isinstance(jobs, list) or not all(isinstance(job, dict) and {"run_id", "job_id"} <= job.keys() for job in jobs):
            raise OSError("an answer without jobs")
        return jobs, "disabled on the server: it gets no jobs for now" if answer.get("drain") else None

    def _begin(self, job):
        context = Context()
        with self._changed:
            self._running[context] = job
        if not self._stopping.is_set():
            _start(self._do, job, context)
        elif context.may_end():
            _start(self._end, job, *HAND_BACK, context)

    def _do(self, job, context):
        """Each job has a thread of its own, which a process does not wait for: no handler keeps it from ending."""
        ended = threading.Event()
        _start(self._beat, job, context, ended)
        try:
            result = self.handler(job, context)
            ending, body = "complete", {"result": result, "queue_jobs": context._jobs}
        except BaseException as error:  # Whatever a handler raises is why its job failed, SystemExit too.
            ending, body = self._failure(error, context)
        if context.may_end():
            self._end(job, ending, body, context)
        ended.set()
        context._news.set()
        self._free.release()

    def _end(self, job, ending, body, context):
        self._tell(job, ending, body, context)
        self._outage.gone(context)
        with self._changed:
            del self._running[context]
            self._changed.notify_all()

    @staticmethod
    def _failure(error, context):
        if context.reason == "stopping":
            return HAND_BACK
        code, retryable = (error.code, error.retryable) if isinstance(error, JobFailed) else ("worker_failed", True)
        reason = "cancelled" if context.stopped else _clean(error, LONGEST_REASON) or type(error).__name__
        return "fail", {"message": reason, "code": code, "retryable": bool(retryable)}

    def _tell(self, job, ending, body, context):
        """As often as it takes: an ending may be told twice."""
        pause = Pause()
        while context.reason != "lost":
            try:
                self.client.request("POST", f"/work/runs/{job['run_id']}/{ending}", body)
                self._outage.answered(context)
                self.log(f"job {job['job_id']} {ending}{': ' + body['message'] if ending == 'fail' else ''}")
                return
            except Exception as error:
                if getattr(error, "is_over", False):
                    break
                if isinstance(error, UnsendableError) or not getattr(error, "is_passing", True):
                    self._outage.answered(context)
                    plainer = _plainer(ending, body, error)
                    if plainer is None:
                        self.log(f"job {job['job_id']} {ending}: {error}")
                    else:
                        self._tell(job, "fail", plainer, context)
                    return
                self._outage.failed(context, error)
                if self._parted.is_set():
                    self.log(f"job {job['job_id']} goes back to its queue when its lease has run out")
                    return
                pause.wait(error, self._parted)
        self.log(f"job {job['job_id']} lost: another worker has it")

    def _beat(self, job, context, ended):
        wait, hurries = self.lease_seconds / 3, True
        while True:
            # News is told soon, unless the server is away: then it is not asked more often for this.
            if not hurries:
                ended.wait(wait)
            elif context._news.wait(wait):
                ended.wait(PROGRESS_SECONDS)
            if ended.is_set() or self._parted.is_set():
                break
            context._news.clear()
            news, context._progress = context._progress, {}
            wait, hurries = self.lease_seconds / 3, True
            try:
                path = f"/work/runs/{job['run_id']}/heartbeat"
                told = self.client.request("POST", path, {"lease": self.lease_seconds, **news}, timeout=10)
                if told["cancelled"]:
                    context.stop("cancelled")
                    context._news.clear()
                self._outage.answered(ended)
            except Exception as error:
                if getattr(error, "is_over", False):
                    context.stop("lost")
                    break
                # What the server does not take is not said again: the lease counts for more.
                if getattr(error, "is_passing", True):
                    context._progress = {**news, **context._progress}
                wait, hurries = max(_least_pause(error), min(wait, AGAIN_SECONDS)), False
                self._outage.failed(ended, error)
        self._outage.gone(ended)


HAND_BACK = ("release", {"reason": "its worker stops"})


def _plainer(ending, body, error):
    """What to say in place of an ending that the server does not take: no job is to be without an end. None: nothing."""
    if ending == "fail":
        if body["code"] == "worker_failed" and len(body["message"]) <= SHORT_REASON:
            return None
        return {**body, "code": "worker_failed", "message": body["message"][:SHORT_REASON]}
    # Done again, the job would come out the same; one that is handed back did nothing wrong.
    return {"message": _clean(error, LONGEST_REASON), "code": "worker_failed", "retryable": ending == "release"}


def _clean(value, most):
    """What the server takes of a text: no NUL, no half of a surrogate pair, not too long."""
    try:
        text = str(value)
    except Exception:
        return "something that is no text"
    return text.replace("\0", "")[:most].encode(errors="replace").decode()


def _seconds(header):
    """Of Retry-After: it is a number of seconds, or a date."""
    if not header:
        return None
    try:
        return float(header)
    except ValueError:
        pass
    try:
        return email.utils.parsedate_to_datetime(header).timestamp() - time.time()
    except (TypeError, ValueError):
        return None


def _least_pause(error):
    """How long the server asks to be left alone."""
    return min(LONGEST_ASKED_PAUSE_SECONDS, getattr(error, "retry_after", None) or 0)


def _start(target, *args):
    thread = threading.Thread(target=target, args=args, daemon=True)
    thread.start()
    return thread


class Outage:
    """What all those of a worker who ask the server know of it together, so that an outage is told once and not by each."""

    def __init__(self, log):
        self._log = log
        self._waiting = set()
        self._heard = False
        self._lock = threading.Lock()

    def failed(self, asker, error):
        """`asker` will ask again, until it says `answered` or `gone`."""
        with self._lock:
            begins = not self._waiting
            self._waiting.add(asker)
            self._heard = False
            if begins:
                self._log(f"unreachable: {error}")

    def answered(self, asker):
        self._leave(asker, heard=True)

    def gone(self, asker):
        """It asks no more, and knows nothing new."""
        self._leave(asker)

    def _leave(self, asker, heard=False):
        with self._lock:
            self._heard = self._heard or heard
            if asker in self._waiting:
                self._waiting.remove(asker)
                if self._heard and not self._waiting:
                    self._log("reachable again")


class Pause:
    """Waits between tries: longer each time, and not all workers at the same moment."""

    def __init__(self):
        self.reset()

    def reset(self):
        self._seconds = 0.2

    def wait(self, error, stop):
        """error: why the last try failed"""
        stop.wait(max(_least_pause(error), self._seconds * (0.5 + random.random())))
        self._seconds = min(LONGEST_PAUSE_SECONDS, self._seconds * 2)
