"""A worker that counts the words of each party: the same as count-words.ts, in Python.

    python3 examples/workers/count_words.py

Settings, as environment variables: VCONDUCTOR_URL (http://127.0.0.1:8000), VCONDUCTOR_TOKEN, QUEUE (count-words),
WORKER_NAME, CONCURRENCY (2), LEASE_SECONDS (30), MAKE_QUEUE (yes), and PACE: seconds that it takes over each turn (0).
"""

import json
import os

from vconductor_worker import Client, JobFailed, Worker

URL = os.environ.get("VCONDUCTOR_URL", "http://127.0.0.1:8000")
TOKEN = os.environ.get("VCONDUCTOR_TOKEN")
QUEUE = os.environ.get("QUEUE", "count-words")
PACE = float(os.environ.get("PACE", "0"))


def count(job, context):
    vcon = (job["payload"] or {}).get("vcon")
    if vcon is None:
        raise JobFailed("the payload has no vcon", code="no_vcon", retryable=False)
    turns = vcon.get("dialog", [])
    words = {}
    for index, turn in enumerate(turns):
        context.progress(index / len(turns) * 100, f"turn {index + 1} of {len(turns)}")
        context.sleep(PACE)
        parties = turn.get("parties", 0)
        party = str(parties[0] if isinstance(parties, list) else parties)
        body = turn.get("body")
        words[party] = words.get(party, 0) + len(body.split() if isinstance(body, str) else [])
    return {"analysis": [{"type": "word_count", "vendor": "example", "encoding": "json", "body": json.dumps(words)}]}


if __name__ == "__main__":
    if os.environ.get("MAKE_QUEUE") != "no":
        Client(URL, TOKEN).make_queue(QUEUE)
    Worker(
        url=URL,
        token=TOKEN,
        queue=QUEUE,
        handler=count,
        name=os.environ.get("WORKER_NAME", "count-words-py"),
        concurrency=int(os.environ.get("CONCURRENCY", "2")),
        lease_seconds=float(os.environ.get("LEASE_SECONDS", "30")),
        info={"language": "Python"},
    ).run()
