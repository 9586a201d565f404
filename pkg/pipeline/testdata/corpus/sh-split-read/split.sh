#!/bin/bash
aws cloudfront get-distribution-config --id "$D" --query DistributionConfig > c.json
jq '.Comment = "x"' c.json > n.json
E=$(aws cloudfront get-distribution-config --id "$D" --query ETag --output text)
aws cloudfront update-distribution --id "$D" --if-match "$E" --distribution-config file://n.json
