import json
from typing import Any

import boto3

client = boto3.client("dynamodb")


def lambda_handler(event: dict[str, Any], _: Any) -> dict[str, Any]:
    payment = json.loads(event["body"])
    item: Any = {name: {"S": str(value)} for name, value in payment.items()}
    client.put_item(TableName="Payments", Item=item)
    return {"statusCode": 200, "body": json.dumps({"payment": payment})}
