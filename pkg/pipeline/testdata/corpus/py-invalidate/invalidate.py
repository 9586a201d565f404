import time
import boto3
cf = boto3.client('cloudfront')
# cf.delete_distribution(Id='E1', IfMatch='x')
HELP = "cf.delete_distribution(Id, IfMatch)"
cf.create_invalidation(DistributionId='E1', InvalidationBatch={'Paths': {'Quantity': 1, 'Items': ['/*']}, 'CallerReference': str(time.time())})
