import json
from typing import Any

import boto3

client = boto3.client("dynamodb")


def lambda_handler(event: dict[str, Any], _: Any) -> dict[str, Any]:
    for record in event["Records"]:
        message = json.loads(record["body"])
        key: Any = {"payment_id": {"S": message["payment_id"]}}
        client.put_item(TableName="AuditDeliveries", Item=key)
    return {"batchItemFailures": []}
