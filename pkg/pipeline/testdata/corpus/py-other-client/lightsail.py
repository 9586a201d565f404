import boto3
lightsail = boto3.client("lightsail")
lightsail.delete_distribution(distributionName="cloudfront-like")
lightsail.update_distribution(distributionName="x", isEnabled=False)
