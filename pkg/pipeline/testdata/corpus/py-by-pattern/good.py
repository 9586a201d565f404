import boto3
cf = boto3.client("cloudfront")


def update(dist):
    while True:
        answer = cf.get_distribution_config(Id=dist)
        config = answer["DistributionConfig"]
        for behavior in config["CacheBehaviors"]["Items"]:
            if behavior["PathPattern"] == "/app/*":
                behavior["Compress"] = True
        try:
            return cf.update_distribution(Id=dist, IfMatch=answer["ETag"], DistributionConfig=config)
        except cf.exceptions.PreconditionFailed:
            continue
