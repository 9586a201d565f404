from aws_cdk import pipelines
synth = pipelines.ShellStep("Synth", commands=["npm ci", "npx cdk synth"])
post = pipelines.ShellStep("Drop", commands=[
    "aws cloudfront delete-vpc-origin --id $VO --if-match $E",
])
