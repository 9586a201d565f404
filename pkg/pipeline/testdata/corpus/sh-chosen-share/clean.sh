#!/bin/bash
arn=$(aws ram get-resource-shares --resource-owner SELF --name team-a --query 'resourceShares[0].resourceShareArn' --output text)
aws ram delete-resource-share --resource-share-arn "$arn"
