#!/usr/bin/env bash
set -eu
version=$(aws lambda publish-version --function-name "$FN" --query FunctionArn --output text)
aws cloudfront get-distribution-config --id "$DIST" > answer.json
jq --arg a "$version" '.DistributionConfig.CacheBehaviors.Items[0].LambdaFunctionAssociations = {Quantity:1,Items:[{LambdaFunctionARN:$a,EventType:"viewer-request",IncludeBody:false}]} | .DistributionConfig' answer.json > changed.json
aws cloudfront update-distribution --id "$DIST" --if-match "$(jq -r .ETag answer.json)" --distribution-config file://changed.json
