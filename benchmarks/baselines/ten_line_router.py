import json
from typing import Any

import boto3

client = boto3.client("sqs")


def lambda_handler(event: dict[str, Any], _: Any) -> dict[str, Any]:
    bodies = [json.dumps(each["dynamodb"]["NewImage"]) for each in event["Records"]]
    entries: Any = [{"Id": str(n), "MessageBody": body} for n, body in enumerate(bodies)]
    client.send_message_batch(QueueUrl="http://localhost/q", Entries=entries)
    return {"batchItemFailures": []}
