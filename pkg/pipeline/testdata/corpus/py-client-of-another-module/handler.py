from clients import get_cloudfront_client


def drop(dist):
    cloudfront = get_cloudfront_client()
    answer = cloudfront.get_distribution_config(Id=dist)
    config = answer["DistributionConfig"]
    config["Enabled"] = False
    cloudfront.update_distribution(Id=dist, IfMatch=answer["ETag"], DistributionConfig=config)
    cloudfront.delete_distribution(Id=dist, IfMatch=answer["ETag"])
