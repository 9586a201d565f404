#!/bin/bash
# prints what to do; run the lines by hand
echo aws cloudfront delete-distribution --id "$ID" --if-match "$E"
grep -q 'aws ram delete-resource-share' runbook.md || exit 1
: 'aws cloudfront delete-vpc-origin --id x'
aws cloudfront delete-distribution help
aws cloudfront update-distribution --generate-cli-skeleton > skeleton.json
aws --endpoint-url http://localhost:4566 cloudfront delete-distribution --id E1 --if-match X
if false; then
  aws cloudfront delete-distribution --id E1 --if-match X
fi
