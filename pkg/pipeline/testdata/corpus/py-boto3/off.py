import boto3

cloudfront = boto3.client("cloudfront")


def off(dist):
    answer = cloudfront.get_distribution_config(Id=dist)
    config = answer["DistributionConfig"]
    config["Enabled"] = False
    cloudfront.update_distribution(Id=dist, IfMatch=answer["ETag"], DistributionConfig=config)
