#!/bin/bash
aws cloudfront create-distribution --distribution-config file://dist.json > created.json
id=$(jq -r .Distribution.Id created.json)
aws cloudfront wait distribution-deployed --id "$id"
aws cloudfront get-distribution --id "$id" --query Distribution.DomainName --output text
aws cloudfront list-distributions --query 'DistributionList.Items[0].Id'
