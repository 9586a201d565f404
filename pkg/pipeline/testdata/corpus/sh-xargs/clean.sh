#!/bin/sh
aws ram get-resource-shares --resource-owner SELF --query 'resourceShares[].resourceShareArn' --output text | tr '\t' '\n' |
  xargs -n1 aws ram delete-resource-share --resource-share-arn
