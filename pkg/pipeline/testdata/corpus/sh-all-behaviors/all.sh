#!/bin/bash
aws cloudfront get-distribution-config --id "$D" > l.json
jq '.DistributionConfig | .CacheBehaviors.Items |= map(.ViewerProtocolPolicy = "https-only")' l.json > n.json
aws cloudfront update-distribution --id "$D" --if-match "$(jq -r .ETag l.json)" --distribution-config file://n.json
