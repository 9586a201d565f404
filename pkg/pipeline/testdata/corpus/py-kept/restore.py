import json
import boto3

client = boto3.client("cloudfront")
with open("backup.json") as f:
    config = json.load(f)
client.update_distribution(Id="E2ABCDEFGH", IfMatch=input(), DistributionConfig=config)
