"""Results as the AMQP backend of Celery 3 sends them, which newer versions do not have any more."""

from celery.backends.base import Backend
from kombu import Exchange, Queue


class Celery3Results(Backend):
    def _store_result(self, task_id, result, state, traceback=None, request=None, **kwargs):
        key = task_id.replace("-", "")
        exchange = Exchange("celeryresults", type="direct", durable=True)
        queue = Queue(key, exchange, key, durable=True, auto_delete=True, expires=7200)
        message = {"task_id": task_id, "status": state, "result": result, "traceback": traceback, "children": []}
        with self.app.producer_or_acquire() as producer:
            producer.publish(
                message,
                exchange=exchange,
                routing_key=key,
                declare=[queue],
                correlation_id=task_id,
                serializer="json",
            )
        return result

    def _get_task_meta_for(self, task_id):
        return {"status": "PENDING", "result": None}
