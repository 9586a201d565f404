import subprocess
subprocess.run(["aws", "cloudfront", "delete-distribution", "--id", dist, "--if-match", etag], check=True)
subprocess.check_call("aws ram delete-resource-share --resource-share-arn " + arn, shell=True)
print("aws cloudfront delete-vpc-origin --id x")
