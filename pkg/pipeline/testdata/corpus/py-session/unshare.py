import boto3
session = boto3.Session(profile_name="team")
client = session.client("ram", region_name="us-east-1")
for share in client.get_resource_shares(resourceOwner="SELF")["resourceShares"]:
    client.delete_resource_share(resourceShareArn=share["resourceShareArn"])
